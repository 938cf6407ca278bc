/**
 * Attribute values as plain JSON (opentelemetry/proto/common/v1/common.proto).
 *
 * AnyValue: 1 string · 2 bool · 3 int64 · 4 double · 5 ArrayValue{1 AnyValue…} ·
 * 6 KeyValueList{1 KeyValue…} · 7 bytes. KeyValue: 1 key · 2 AnyValue.
 */
import { type ProtobufReader, WIRE } from "../../otlp/protobuf-reader.ts";
import type { Attributes, AttributeValue } from "../../record.ts";

const DEPTH_MAX = 32;
const TOO_DEEP = `(nested deeper than ${DEPTH_MAX})`;

/**
 * Reads an AnyValue the reader stands before (at its length). Integers beyond 2^53 come as decimal
 * strings, bytes as base64, NaN and infinities by name, an unset value as null.
 */
export function readAnyValue(reader: ProtobufReader, depth = 0): AttributeValue {
  let value: AttributeValue = null;
  eachField(reader, (field, wireType) => {
    if (field === 1 && wireType === WIRE.bytes) value = reader.string();
    else if (field === 2 && wireType === WIRE.varint) value = reader.varint32() !== 0;
    else if (field === 3 && wireType === WIRE.varint) value = integer(reader.varint64());
    else if (field === 4 && wireType === WIRE.fixed64) value = float(reader.double());
    else if (field === 5 && wireType === WIRE.bytes) value = readList(reader, depth + 1);
    else if (field === 6 && wireType === WIRE.bytes) value = readMap(reader, depth + 1);
    else if (field === 7 && wireType === WIRE.bytes) value = reader.bytes().toString("base64");
    else reader.skip(wireType);
  });
  return value;
}

/** Adds one KeyValue, the reader standing before it. Of a key that comes twice the last counts. */
export function readKeyValue(reader: ProtobufReader, into: Map<string, AttributeValue>, depth = 0) {
  let key = "";
  let value: AttributeValue = null;
  eachField(reader, (field, wireType) => {
    if (field === 1 && wireType === WIRE.bytes) key = reader.string();
    else if (field === 2 && wireType === WIRE.bytes) value = readAnyValue(reader, depth);
    else reader.skip(wireType);
  });
  into.set(key, value);
}

/** As an object; even `__proto__` is a key like others. */
export function toAttributes(entries: ReadonlyMap<string, AttributeValue>): Attributes {
  return Object.fromEntries(entries);
}

/** Calls `visit` for each field of the sub-message the reader stands before. */
export function eachField(
  reader: ProtobufReader,
  visit: (field: number, wireType: number) => void,
): void {
  const outerEnd = reader.end;
  reader.end = reader.enter();
  while (!reader.isAtEnd()) {
    const tag = reader.tag();
    visit(tag >>> 3, tag & 7);
  }
  reader.end = outerEnd;
}

function readList(reader: ProtobufReader, depth: number): AttributeValue {
  if (depth > DEPTH_MAX) return tooDeep(reader);
  const values: AttributeValue[] = [];
  eachField(reader, (field, wireType) => {
    if (field === 1 && wireType === WIRE.bytes) values.push(readAnyValue(reader, depth));
    else reader.skip(wireType);
  });
  return values;
}

function readMap(reader: ProtobufReader, depth: number): AttributeValue {
  if (depth > DEPTH_MAX) return tooDeep(reader);
  const values = new Map<string, AttributeValue>();
  eachField(reader, (field, wireType) => {
    if (field === 1 && wireType === WIRE.bytes) readKeyValue(reader, values, depth);
    else reader.skip(wireType);
  });
  return toAttributes(values);
}

function tooDeep(reader: ProtobufReader): AttributeValue {
  reader.skip(WIRE.bytes);
  return TOO_DEEP;
}

function integer(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

function float(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}
