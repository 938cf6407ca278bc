import { fieldName, redactedNumber, redactedText, redactedValue } from "../redaction/redactor.ts";
import { type Allowance, cutMark, cutText } from "./allowance.ts";
import {
  bigIntText,
  countOf,
  dateText,
  errorEntries,
  hasReplacement,
  isNumberList,
  readObjectValue,
} from "./object-values.ts";
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
/** A secret that the end of a text cuts in two is looked for up to here behind it. */
const REDACTION_MARGIN = 1024;
const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);
const LENGTH_BYTES = 1;
const UNREADABLE = "[unreadable]";

interface Attribute {
  readonly field: number;
  readonly key: string;
  readonly value: unknown;
}

/**
 * Writes one attribute, whatever its value is: cycles, BigInt, symbols, functions, getters and
 * proxies that throw all end as a value or a mark that says what was there; secrets end as
 * `[redacted]`. Never throws for the value's sake. Values are read once, at the moment of the call.
 */
export function writeAttribute(
  writer: ProtobufWriter,
  attribute: Attribute,
  allowance: Allowance,
): void {
  const { field } = attribute;
  const name = fieldName(attribute.key);
  const value = name.isSecret ? redactedValue(attribute.value) : attribute.value;
  if (typeof value === "string" && value.length <= SHORT_CHARACTERS_MAX) {
    const text = redactedText(value);
    if (writer.shortPair(field, name.text, text)) {
      allowance.values--;
      allowance.bytes -= text.length;
      return;
    }
  } else if (typeof value === "number" || typeof value === "boolean") {
    if (writer.shortScalar(field, name.text, value)) {
      allowance.values--;
      return;
    }
  }
  writePair(writer, { field, key: name.text, value }, { allowance, parents: undefined });
}

/** Writes an attribute of our own making, which holds no secret and must arrive as it is. */
export function writeOwnAttribute(
  writer: ProtobufWriter,
  attribute: { readonly field: number; readonly key: string; readonly value: OwnValue },
): void {
  const { field, key, value } = attribute;
  if (typeof value === "string" && writer.shortPair(field, key, value)) return;
  const start = writer.open(field, LENGTH_BYTES);
  writer.string(KEY, key);
  const valueStart = writer.open(VALUE, LENGTH_BYTES);
  if (typeof value === "string") writer.string(STRING, value);
  else if (typeof value === "number") writeNumber(writer, value);
  else writer.integer(BOOL, value ? 1 : 0);
  writer.close(valueStart, LENGTH_BYTES);
  writer.close(start, LENGTH_BYTES);
}

type OwnValue = string | number | boolean;
/** Texts up to here may fit into the short form of a pair. */
const SHORT_CHARACTERS_MAX = 128;

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

type Inside = Omit<Subject, "value">;

function writePair(writer: ProtobufWriter, pair: Attribute, inside: Inside): void {
  const start = writer.open(pair.field, LENGTH_BYTES);
  writer.string(KEY, pair.key);
  writeValue(writer, VALUE, { value: pair.value, ...inside });
  writer.close(start, LENGTH_BYTES);
}

function writeValue(writer: ProtobufWriter, field: number, subject: Subject): void {
  const start = writer.open(field, LENGTH_BYTES);
  subject.allowance.values--;
  writeContent(writer, subject);
  writer.close(start, LENGTH_BYTES);
}

function writeContent(writer: ProtobufWriter, subject: Subject): void {
  const { value, allowance } = subject;
  if (typeof value === "string") writeText(writer, value, allowance);
  else if (typeof value === "number") writeNumber(writer, value);
  else if (typeof value === "boolean") writer.integer(BOOL, value ? 1 : 0);
  else if (typeof value === "bigint") writeBigInt(writer, value);
  else if (typeof value === "symbol") writeText(writer, String(value), allowance);
  else if (typeof value === "function") writeText(writer, "[function]", allowance);
  else if (typeof value === "object" && value !== null) writeObject(writer, value, subject);
}

function writeText(writer: ProtobufWriter, text: string, allowance: Allowance): void {
  const max = Math.max(0, Math.min(allowance.characters, allowance.bytes));
  const kept = text.length > max ? cutRedacted(text, max) : redactedText(text);
  allowance.bytes -= kept.length;
  writer.string(STRING, kept);
}

/** Only what is kept is searched for secrets: a megabyte costs no more than the longest text. */
function cutRedacted(text: string, max: number): string {
  const searched = redactedText(text.slice(0, max + REDACTION_MARGIN));
  return cutText(searched.slice(0, max) + text.slice(max), Math.min(max, searched.length));
}

function writeNumber(writer: ProtobufWriter, value: number): void {
  const shown = redactedNumber(value);
  if (typeof shown === "string") writer.string(STRING, shown);
  else if (Number.isSafeInteger(value) && !Object.is(value, -0)) writer.integer(INT, value);
  else writer.double(DOUBLE, value);
}

function writeBigInt(writer: ProtobufWriter, value: bigint): void {
  const shown = redactedNumber(value);
  if (typeof shown === "string") writer.string(STRING, shown);
  else if (value >= INT64_MIN && value <= INT64_MAX) writer.int64(INT, value);
  else writer.string(STRING, bigIntText(value));
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
    // A proxy's trap or a method of the user's object threw: the mark is what is left of it.
    writer.position = begun;
    writeText(writer, UNREADABLE, allowance);
  }
}

function writeParts(writer: ProtobufWriter, object: object, inside: Inside): void {
  if (Array.isArray(object)) writeArray(writer, object, inside);
  else if (hasReplacement(object) && !(object instanceof Date || object instanceof Uint8Array)) {
    writeReplacement(writer, object.toJSON(), inside);
  } else if (Object.getPrototypeOf(object) === Object.prototype) {
    writeProperties(writer, object, inside);
  } else writeInstance(writer, object, inside);
}

function writeInstance(writer: ProtobufWriter, object: object, inside: Inside): void {
  const { allowance } = inside;
  if (object instanceof Uint8Array) writeBytes(writer, object, allowance);
  else if (object instanceof Date) writeText(writer, dateText(object), allowance);
  else if (object instanceof Error) writeList(writer, errorEntries(object), inside);
  else if (object instanceof Map) writeList(writer, object, inside);
  else if (object instanceof Set || isNumberList(object)) writeArray(writer, object, inside);
  else if (object instanceof RegExp) writeText(writer, String(object), allowance);
  else writeProperties(writer, object, inside);
}

/** What `toJSON` gave stands for the object, as in JSON; it is not asked for its `toJSON` again. */
function writeReplacement(writer: ProtobufWriter, value: unknown, inside: Inside): void {
  if (typeof value !== "object" || value === null) writeContent(writer, { value, ...inside });
  else if (Array.isArray(value)) writeArray(writer, value, inside);
  else writeProperties(writer, value, inside);
}

function writeBytes(writer: ProtobufWriter, value: Uint8Array, allowance: Allowance): void {
  const kept = value.subarray(0, Math.max(0, allowance.bytes));
  const text = Buffer.from(kept.buffer, kept.byteOffset, kept.length).toString("latin1");
  if (redactedText(text) !== text) {
    writeText(writer, text, allowance);
    return;
  }
  allowance.bytes -= kept.length;
  writer.bytes(BYTES, kept);
}

function writeProperties(writer: ProtobufWriter, object: object, inside: Inside): void {
  const keys = Object.keys(object);
  const start = writer.open(LIST, LENGTH_BYTES);
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index] ?? "";
    if (inside.allowance.values <= 0) {
      writeEntry(writer, { key: "…", value: cutMark(keys.length - index) }, inside);
      break;
    }
    writeEntry(writer, { key, value: readObjectValue(object, key) }, inside);
  }
  writer.close(start, LENGTH_BYTES);
}

function writeArray(writer: ProtobufWriter, values: Iterable<unknown>, inside: Inside): void {
  const start = writer.open(ARRAY, LENGTH_BYTES);
  const count = countOf(values);
  let written = 0;
  for (const value of values) {
    if (inside.allowance.values <= 0) {
      writeValue(writer, 1, { value: cutMark(count - written), ...inside });
      break;
    }
    writeValue(writer, 1, { value, ...inside });
    written++;
  }
  writer.close(start, LENGTH_BYTES);
}

function writeList(
  writer: ProtobufWriter,
  entries: Iterable<readonly [unknown, unknown]>,
  inside: Inside,
): void {
  const start = writer.open(LIST, LENGTH_BYTES);
  const count = countOf(entries);
  let written = 0;
  for (const [key, value] of entries) {
    if (inside.allowance.values <= 0) {
      writeEntry(writer, { key: "…", value: cutMark(count - written) }, inside);
      break;
    }
    writeEntry(writer, { key: String(key), value }, inside);
    written++;
  }
  writer.close(start, LENGTH_BYTES);
}

function writeEntry(
  writer: ProtobufWriter,
  entry: { key: string; value: unknown },
  inside: Inside,
): void {
  // Also what is left out counts, or an endless iterator of a user's Map would keep us for ever.
  if (entry.value === undefined) inside.allowance.values--;
  else {
    const name = fieldName(entry.key);
    const value = name.isSecret ? redactedValue(entry.value) : entry.value;
    inside.allowance.bytes -= name.text.length;
    writePair(writer, { field: 1, key: name.text, value }, inside);
  }
}

function isWithin(object: object, parents: Parents | undefined): boolean {
  for (let at = parents; at !== undefined; at = at.outer) if (at.object === object) return true;
  return false;
}
