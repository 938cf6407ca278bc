import type { FieldSchema } from "../src/otlp/message-schema.ts";
import { MESSAGE_SCHEMAS, type MessageSchema, REQUEST_SCHEMA } from "../src/otlp/message-schema.ts";
import type { Signal } from "../src/otlp/otlp-schema.ts";
import { ProtobufReader } from "../src/otlp/protobuf-reader.ts";

export type Decoded =
  | string
  | number
  | bigint
  | boolean
  | Decoded[]
  | { readonly [name: string]: Decoded };

/** An export request as plain objects, by JSON names: ids as hex, 64-bit integers as bigint. */
export function decodeRequest(signal: Signal, request: Uint8Array): Decoded {
  return decodeMessage(REQUEST_SCHEMA[signal], Buffer.from(request));
}

/** A `google.rpc.Status`. */
export function decodeStatus(bytes: Uint8Array): { code: number; message: string } {
  const reader = new ProtobufReader(Buffer.from(bytes));
  const status = { code: 0, message: "" };
  while (!reader.isAtEnd()) {
    const tag = reader.tag();
    if (tag === 8) status.code = reader.varint32();
    else if (tag === 18) status.message = reader.string();
    else if (tag === 26)
      reader.bytes(); // The details, which otlp-answer.ts reads.
    else throw new Error(`no google.rpc.Status has the tag ${tag}`);
  }
  return status;
}

function decodeMessage(schema: MessageSchema, bytes: Buffer): Decoded {
  const reader = new ProtobufReader(bytes);
  const message: { [name: string]: Decoded } = {};
  while (!reader.isAtEnd()) {
    const tag = reader.tag();
    const field = schema.fields.find((candidate) => candidate.number === tag >>> 3);
    if (field === undefined) {
      reader.skip(tag & 7);
      continue;
    }
    const value = decodeValue(field, reader);
    if (!field.isRepeated) message[field.name] = value;
    else message[field.name] = [...((message[field.name] as Decoded[] | undefined) ?? []), value];
  }
  return message;
}

function decodeValue(field: FieldSchema, reader: ProtobufReader): Decoded {
  if (field.message !== undefined) {
    return decodeMessage(MESSAGE_SCHEMAS[field.message] as MessageSchema, reader.bytes());
  }
  switch (field.scalar) {
    case "string":
      return reader.string();
    case "hex":
      return reader.hex();
    case "bytes":
      return reader.bytes().toString("base64");
    case "bool":
      return reader.varint32() === 1;
    case "double":
      return reader.double();
    case "fixed32":
      return reader.fixed32();
    case "fixed64":
      return reader.fixed64();
    case "sfixed64":
      return reader.sfixed64();
    case "int64":
      return reader.varint64();
    case "uint64":
      return BigInt.asUintN(64, reader.varint64());
    case "sint32": {
      const zigzag = reader.varint32();
      return (zigzag >>> 1) ^ -(zigzag & 1);
    }
    case "uint32":
      return reader.varint32();
    default:
      return reader.varint32() | 0;
  }
}
