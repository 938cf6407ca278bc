import type { ProtobufWriter } from "./protobuf-writer.ts";

/**
 * KeyValue: key = 1 (string), value = 2 (AnyValue).
 * AnyValue: string = 1, bool = 2, int = 3, double = 4, array = 5 { values = 1 },
 * key-value list = 6 { values = 1 (KeyValue) }, bytes = 7.
 */
const KEY = 1;
const VALUE = 2;
const STRING = 1;
const BOOL = 2;
const INT = 3;
const DOUBLE = 4;
const ARRAY = 5;
const LIST = 6;
const BYTES = 7;

const DEPTH_MAX = 8;
const KEY_CHARACTERS_MAX = 256;
const VALUES_PER_RECORD_MAX = 2000;
const BYTES_PER_RECORD_MAX = 512 * 1024;
const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);
const LENGTH_BYTES = 1;

/** What is left of one record's allowance; a value that goes over it is cut with a mark. */
export interface Allowance {
  values: number;
  bytes: number;
  /** Longest string in characters. */
  readonly characters: number;
}

export function newAllowance(characters: number): Allowance {
  return { values: VALUES_PER_RECORD_MAX, bytes: BYTES_PER_RECORD_MAX, characters };
}

/**
 * Writes one attribute, whatever its value is: cycles, BigInt, symbols, functions, getters and
 * proxies that throw all end as a value or a mark that says what was there. Never throws for the
 * value's sake. Values are read once, at the moment of the call.
 */
export function writeAttribute(
  writer: ProtobufWriter,
  attribute: { readonly field: number; readonly key: string; readonly value: unknown },
  allowance: Allowance,
): void {
  const { field, key, value } = attribute;
  if (typeof value === "string" && writer.shortPair(field, key, value)) {
    allowance.values--;
    allowance.bytes -= value.length;
    return;
  }
  const start = writer.open(field, LENGTH_BYTES);
  writer.string(KEY, cutKey(key));
  writeValue(writer, VALUE, { value, allowance, parents: undefined });
  writer.close(start, LENGTH_BYTES);
}

/** Writes a body: an AnyValue in a field of its own. */
export function writeBody(
  writer: ProtobufWriter,
  body: { readonly field: number; readonly value: unknown },
  allowance: Allowance,
): void {
  writeValue(writer, body.field, { value: body.value, allowance, parents: undefined });
}

interface Subject {
  readonly value: unknown;
  readonly allowance: Allowance;
  /** The objects around this value, innermost first: how a cycle is seen. */
  readonly parents: Parents | undefined;
}

interface Parents {
  readonly object: object;
  readonly depth: number;
  readonly outer: Parents | undefined;
}

function writeValue(writer: ProtobufWriter, field: number, subject: Subject): void {
  const start = writer.open(field, LENGTH_BYTES);
  const { value, allowance } = subject;
  allowance.values--;
  if (typeof value === "string") writeText(writer, value, allowance);
  else if (typeof value === "number") writeNumber(writer, value);
  else if (typeof value === "boolean") writer.integer(BOOL, value ? 1 : 0);
  else if (typeof value === "bigint") writeBigInt(writer, value, allowance);
  else if (typeof value === "symbol") writeText(writer, String(value), allowance);
  else if (typeof value === "function") writeText(writer, "[function]", allowance);
  else if (typeof value === "object" && value !== null) writeObject(writer, value, subject);
  writer.close(start, LENGTH_BYTES);
}

function writeText(writer: ProtobufWriter, text: string, allowance: Allowance): void {
  const max = Math.max(0, Math.min(allowance.characters, allowance.bytes));
  const kept = text.length > max ? cutText(text, max) : text;
  allowance.bytes -= kept.length;
  writer.string(STRING, kept);
}

/** A text's beginning, and a mark that says how much is missing. */
export function cutText(text: string, characters: number): string {
  return `${text.slice(0, characters)}…[cut ${text.length - characters} characters]`;
}

function writeNumber(writer: ProtobufWriter, value: number): void {
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) writer.integer(INT, value);
  else writer.double(DOUBLE, value);
}

function writeBigInt(writer: ProtobufWriter, value: bigint, allowance: Allowance): void {
  if (value >= INT64_MIN && value <= INT64_MAX) writer.int64(INT, value);
  else writeText(writer, String(value), allowance);
}

function writeObject(writer: ProtobufWriter, object: object, subject: Subject): void {
  const { allowance, parents } = subject;
  const depth = (parents?.depth ?? 0) + 1;
  if (isWithin(object, parents) || depth > DEPTH_MAX) {
    writeText(writer, depth > DEPTH_MAX ? "[too deep]" : "[circular]", allowance);
    return;
  }
  const begun = writer.position;
  try {
    writeParts(writer, object, { allowance, parents: { object, depth, outer: parents } });
  } catch {
    // A proxy's trap or a getter of the user's object threw: the mark is what is left of it.
    writer.position = begun;
    writeText(writer, "[unreadable]", allowance);
  }
}

type Inside = Omit<Subject, "value">;

function writeParts(writer: ProtobufWriter, object: object, inside: Inside): void {
  const { allowance } = inside;
  if (Array.isArray(object)) writeArray(writer, object, inside);
  else if (object instanceof Set) writeArray(writer, [...object], inside);
  else if (object instanceof Map) writeList(writer, [...object], inside);
  else if (object instanceof Error) writeList(writer, errorEntries(object), inside);
  else if (object instanceof Date) writeText(writer, dateText(object), allowance);
  else if (object instanceof Uint8Array) writeBytes(writer, object, allowance);
  else writeProperties(writer, object, inside);
}

function writeBytes(writer: ProtobufWriter, value: Uint8Array, allowance: Allowance): void {
  const kept = value.subarray(0, Math.max(0, allowance.bytes));
  allowance.bytes -= kept.length;
  writer.bytes(BYTES, kept);
}

function writeProperties(writer: ProtobufWriter, object: object, inside: Inside): void {
  const keys = Object.keys(object);
  const start = writer.open(LIST, LENGTH_BYTES);
  for (const key of keys) {
    if (inside.allowance.values <= 0) break;
    writeEntry(writer, { key, value: readProperty(object, key) }, inside);
  }
  writer.close(start, LENGTH_BYTES);
}

function writeArray(writer: ProtobufWriter, values: readonly unknown[], inside: Inside): void {
  const start = writer.open(ARRAY, LENGTH_BYTES);
  for (const value of values) {
    if (inside.allowance.values <= 0) break;
    writeValue(writer, 1, { value, ...inside });
  }
  writer.close(start, LENGTH_BYTES);
}

function writeList(
  writer: ProtobufWriter,
  entries: readonly (readonly [unknown, unknown])[],
  inside: Inside,
): void {
  const start = writer.open(LIST, LENGTH_BYTES);
  for (const [key, value] of entries) {
    if (inside.allowance.values <= 0) break;
    writeEntry(writer, { key: String(key), value }, inside);
  }
  writer.close(start, LENGTH_BYTES);
}

function writeEntry(
  writer: ProtobufWriter,
  entry: { key: string; value: unknown },
  inside: Inside,
): void {
  if (entry.value === undefined) return;
  const start = writer.open(1, LENGTH_BYTES);
  writer.string(KEY, cutKey(entry.key));
  inside.allowance.bytes -= entry.key.length;
  writeValue(writer, VALUE, { value: entry.value, ...inside });
  writer.close(start, LENGTH_BYTES);
}

function cutKey(key: string): string {
  return key.length > KEY_CHARACTERS_MAX ? cutText(key, KEY_CHARACTERS_MAX) : key;
}

/** A getter may throw: one bad property must not take the others with it. */
function readProperty(object: object, key: string): unknown {
  try {
    return Reflect.get(object, key);
  } catch {
    return "[unreadable]";
  }
}

function errorEntries(error: Error): [string, unknown][] {
  return [
    ["type", error.name],
    ["message", error.message],
    ["stack", error.stack],
  ];
}

function dateText(date: Date): string {
  return Number.isNaN(date.getTime()) ? "[invalid date]" : date.toISOString();
}

function isWithin(object: object, parents: Parents | undefined): boolean {
  for (let at = parents; at !== undefined; at = at.outer) if (at.object === object) return true;
  return false;
}
