import { ProtobufReader } from "../otlp/protobuf-reader.ts";
import type { Attributes, AttributeValue } from "../record.ts";

/** Fields of `AnyValue` (opentelemetry/proto/common/v1), with their wire types. */
const TAG = {
  string: 0x0a,
  bool: 0x10,
  int: 0x18,
  double: 0x21,
  array: 0x2a,
  list: 0x32,
  bytes: 0x3a,
} as const;
const TAG_REPEATED_VALUES = 0x0a;
const TAG_KEY = 0x0a;
const TAG_VALUE = 0x12;

/** Deeper values, and what follows the last of so many, are written as an ellipsis. */
const DEPTH_MAX = 32;
const VALUES_MAX = 10_000;
const ELLIPSIS = "…";

/** Full-text search reads so much of one record's text; the record itself is kept whole. */
export const TEXT_BYTES_MAX = 32 * 1024;

export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** A string, or a whole number in digits; undefined for any other value. */
export function findScalarText(buffer: Buffer, { start, end }: ByteRange): string | undefined {
  const reader = new ProtobufReader(buffer, start, end);
  let text: string | undefined;
  while (!reader.isAtEnd()) {
    const tag = reader.tag();
    if (tag === TAG.string) {
      const stringEnd = reader.enter();
      text = textOf(buffer, { start: reader.position, end: stringEnd });
      reader.position = stringEnd;
    } else if (tag === TAG.int) text = String(reader.varint64());
    else {
      reader.skip(tag & 7);
      text = undefined;
    }
  }
  return text;
}

/** Where the characters lie if the value is a string. */
export function findStringRange(buffer: Buffer, { start, end }: ByteRange): ByteRange | undefined {
  // A string alone, as nearly every body is.
  if (start === end || buffer[start] !== TAG.string) return undefined;
  const reader = new ProtobufReader(buffer, start + 1, end);
  const stringEnd = reader.enter();
  return stringEnd === end ? { start: reader.position, end } : undefined;
}

export function isTrue(buffer: Buffer, { start, end }: ByteRange): boolean {
  return end - start === 2 && buffer[start] === TAG.bool && buffer[start + 1] === 1;
}

/**
 * The value in JavaScript. Whole numbers beyond 2^53 are decimal strings, bytes are base64, and
 * numbers that JSON does not know are their names.
 */
export function decodeAnyValue(buffer: Buffer, { start, end }: ByteRange): AttributeValue {
  return decode(new ProtobufReader(buffer, start, end), { depth: 0, left: VALUES_MAX });
}

/**
 * Attributes as an object: the `KeyValue`s that a message (a `LogRecord`, a `Resource`) repeats
 * under `tag`. What is malformed throws REQUEST_MALFORMED.
 */
export function decodeAttributes(bytes: Uint8Array, tag: number): Attributes {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const reader = new ProtobufReader(buffer);
  const bounds = { depth: 0, left: VALUES_MAX };
  const values: { [key: string]: AttributeValue } = Object.create(null);
  while (!reader.isAtEnd() && bounds.left > 0) {
    const found = reader.tag();
    if (found === tag) inner(reader, bounds, (pair) => addPair(pair, bounds, values));
    else reader.skip(found & 7);
  }
  return values;
}

/** UTF-8 text of at most `TEXT_BYTES_MAX` bytes, cut between characters. */
export function textOf(buffer: Buffer, { start, end }: ByteRange): string {
  let cut = Math.min(end, start + TEXT_BYTES_MAX);
  if (cut < end) while (cut > start && ((buffer[cut] as number) & 0xc0) === 0x80) cut--;
  return buffer.toString("utf8", start, cut);
}

/** What is left of the bounds; shared by all levels of one value. */
interface Bounds {
  depth: number;
  left: number;
}

function decode(reader: ProtobufReader, bounds: Bounds): AttributeValue {
  if (bounds.depth > DEPTH_MAX || bounds.left-- <= 0) {
    reader.position = reader.end;
    return ELLIPSIS;
  }
  let value: AttributeValue = null;
  while (!reader.isAtEnd()) {
    const tag = reader.tag();
    if (tag === TAG.string) value = reader.string();
    else if (tag === TAG.bool) value = reader.varint32() !== 0;
    else if (tag === TAG.int) value = integer(reader.varint64());
    else if (tag === TAG.double) value = double(reader.double());
    else if (tag === TAG.array) value = inner(reader, bounds, decodeArray);
    else if (tag === TAG.list) value = inner(reader, bounds, decodeList);
    else if (tag === TAG.bytes) value = reader.bytes().toString("base64");
    else reader.skip(tag & 7);
  }
  return value;
}

function decodeArray(reader: ProtobufReader, bounds: Bounds): AttributeValue {
  const values: AttributeValue[] = [];
  while (!reader.isAtEnd() && bounds.left > 0) {
    const tag = reader.tag();
    if (tag === TAG_REPEATED_VALUES) values.push(inner(reader, bounds, decode));
    else reader.skip(tag & 7);
  }
  return values;
}

function decodeList(reader: ProtobufReader, bounds: Bounds): AttributeValue {
  // Without a prototype, so that a key named __proto__ is a key like any other.
  const values: { [key: string]: AttributeValue } = Object.create(null);
  while (!reader.isAtEnd() && bounds.left > 0) {
    const tag = reader.tag();
    if (tag === TAG_REPEATED_VALUES) inner(reader, bounds, (pair) => addPair(pair, bounds, values));
    else reader.skip(tag & 7);
  }
  return values;
}

function addPair(
  reader: ProtobufReader,
  bounds: Bounds,
  values: { [key: string]: AttributeValue },
): void {
  let key = "";
  let value: AttributeValue = null;
  while (!reader.isAtEnd()) {
    const tag = reader.tag();
    if (tag === TAG_KEY) key = reader.string();
    else if (tag === TAG_VALUE) value = inner(reader, bounds, decode);
    else reader.skip(tag & 7);
  }
  values[key] = value;
}

/** Reads the sub-message at the cursor, to its end and not beyond. */
function inner<T>(
  reader: ProtobufReader,
  bounds: Bounds,
  read: (reader: ProtobufReader, bounds: Bounds) => T,
): T {
  const outer = reader.end;
  const end = reader.enter();
  reader.end = end;
  bounds.depth++;
  const value = read(reader, bounds);
  bounds.depth--;
  reader.position = end;
  reader.end = outer;
  return value;
}

function integer(value: bigint): AttributeValue {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

function double(value: number): AttributeValue {
  return Number.isFinite(value) ? value : String(value);
}
