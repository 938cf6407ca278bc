import {
  type FieldSchema,
  MESSAGE_SCHEMAS,
  REQUEST_SCHEMA,
  type Scalar,
} from "./message-schema.ts";
import type { Signal } from "./otlp-schema.ts";
import { walkOtlp } from "./otlp-walk.ts";
import { ProtobufReader, WIRE } from "./protobuf-reader.ts";

export type OtlpJson = { readonly [name: string]: OtlpValue };
type OtlpValue = string | number | boolean | OtlpJson | OtlpValue[];

/**
 * An OTLP export request (plain protobuf) as OTLP/JSON ("JSON Protobuf Encoding" of OTLP 1.11):
 * ids in hex, other bytes in base64, 64-bit integers as strings, enums as numbers. What the schema
 * does not know is left out. `otlpJsonToProtobuf` is the way back.
 *
 * @throws ClewError REQUEST_MALFORMED
 */
export function otlpToJson(signal: Signal, request: Uint8Array): OtlpJson {
  // Afterwards nothing can be cut off, nested too deep or no text.
  walkOtlp(signal, request);
  const buffer = Buffer.from(request.buffer, request.byteOffset, request.byteLength);
  return readMessage(new ProtobufReader(buffer), REQUEST_SCHEMA[signal].index);
}

/** From where the cursor stands to the reader's end. */
function readMessage(reader: ProtobufReader, index: number): OtlpJson {
  const fields = FIELDS[index];
  const message: { [name: string]: OtlpValue } = {};
  while (!reader.isAtEnd()) {
    const tag = reader.tag();
    const field = fields?.get(tag >>> 3);
    if (field === undefined) reader.skip(tag & 7);
    else {
      const values = readSome(reader, field, tag & 7);
      if (field.isRepeated) append(message, field.name, values);
      else message[field.name] = values[0] ?? "";
    }
  }
  return message;
}

function append(message: { [name: string]: OtlpValue }, name: string, values: OtlpValue[]): void {
  const before = message[name];
  if (!Array.isArray(before)) message[name] = values;
  else for (const value of values) before.push(value);
}

/** By message and field number: a number may also come packed, under another wire type. */
const FIELDS: readonly ReadonlyMap<number, FieldSchema>[] = MESSAGE_SCHEMAS.map(
  ({ fields }) => new Map(fields.map((field) => [field.number, field])),
);

/** One value; of packed numbers all. */
function readSome(reader: ProtobufReader, field: FieldSchema, wire: number): OtlpValue[] {
  const { message, scalar } = field;
  if (scalar !== undefined && !isPacked(field, wire)) return [readScalar(reader, scalar)];
  const outer = reader.end;
  const end = reader.enter();
  reader.end = end;
  const values: OtlpValue[] = [];
  if (message !== undefined) values.push(readMessage(reader, message));
  else if (scalar !== undefined) {
    while (!reader.isAtEnd()) values.push(readScalar(reader, scalar));
  }
  reader.position = end;
  reader.end = outer;
  return values;
}

function isPacked({ tag }: FieldSchema, wire: number): boolean {
  return wire === WIRE.bytes && (tag & 7) !== WIRE.bytes;
}

function readScalar(reader: ProtobufReader, scalar: Scalar): OtlpValue {
  switch (scalar) {
    case "string":
      return reader.string();
    case "bytes":
      return reader.bytes().toString("base64");
    case "hex":
      return reader.hex();
    case "bool":
      return reader.varint64() !== 0n;
    case "int32":
    case "enum":
      return Number(BigInt.asIntN(32, reader.varint64()));
    case "uint32":
      return reader.varint32();
    case "sint32":
      return zigzag(reader.varint32());
    case "int64":
      return String(reader.varint64());
    case "uint64":
      return String(BigInt.asUintN(64, reader.varint64()));
    case "fixed32":
      return reader.fixed32();
    case "fixed64":
      return String(reader.fixed64());
    case "sfixed64":
      return String(reader.sfixed64());
    case "double":
      return jsonDouble(reader.double());
  }
}

function zigzag(number: number): number {
  return (number >>> 1) ^ -(number & 1);
}

/** What JSON has no number for is a text there (protobuf, "JSON Mapping"). */
function jsonDouble(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}
