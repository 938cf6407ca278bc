import { JsonKeys } from "./json-keys.ts";
import {
  OTLP_ENUMS,
  OTLP_MESSAGES,
  RECORD_FIELDS,
  REQUEST_MESSAGE,
  type Signal,
} from "./otlp-schema.ts";
import { WIRE } from "./protobuf-reader.ts";

/** How each scalar is written: its wire type in the protobuf encoding. */
export const SCALAR_WIRE = {
  string: WIRE.bytes,
  bytes: WIRE.bytes,
  hex: WIRE.bytes,
  bool: WIRE.varint,
  int32: WIRE.varint,
  int64: WIRE.varint,
  uint32: WIRE.varint,
  uint64: WIRE.varint,
  sint32: WIRE.varint,
  enum: WIRE.varint,
  fixed32: WIRE.fixed32,
  fixed64: WIRE.fixed64,
  sfixed64: WIRE.fixed64,
  double: WIRE.fixed64,
} as const;
export type Scalar = keyof typeof SCALAR_WIRE;

export interface FieldSchema {
  readonly name: string;
  readonly number: number;
  /** The number and the wire type of one value. */
  readonly tag: number;
  readonly isRepeated: boolean;
  /** Its elements are what a request is counted in: log records, spans, data points. */
  readonly isRecord: boolean;
  readonly scalar: Scalar | undefined;
  /** Index into `MESSAGE_SCHEMAS`, where the field is a message. */
  readonly message: number | undefined;
  /** Names by number, where the field is an enum. */
  readonly enumNames: readonly string[] | undefined;
}

export interface MessageSchema {
  readonly name: string;
  readonly index: number;
  readonly fields: readonly FieldSchema[];
  /** By the JSON name (lowerCamelCase), and by the name in the `.proto` file (snake_case). */
  readonly byName: ReadonlyMap<string, FieldSchema>;
  /** Both kinds of name, for a search that makes no string; indices into `fields`. */
  readonly jsonKeys: JsonKeys;
  readonly snakeKeys: JsonKeys;
}

/**
 * Messages deep that a request may nest, the limit the C++ and Java protobuf libraries have. It
 * keeps every recursion over a request within the stack.
 */
export const MESSAGE_DEPTH_MAX = 100;

/** The table of `otlp-schema.ts`, resolved: fields refer to messages by index. */
export const MESSAGE_SCHEMAS: readonly MessageSchema[] = Object.keys(OTLP_MESSAGES).map(toSchema);

export const REQUEST_SCHEMA: Readonly<Record<Signal, MessageSchema>> = {
  logs: findSchema(REQUEST_MESSAGE.logs),
  traces: findSchema(REQUEST_MESSAGE.traces),
  metrics: findSchema(REQUEST_MESSAGE.metrics),
};

function findSchema(name: string): MessageSchema {
  const schema = MESSAGE_SCHEMAS.find((candidate) => candidate.name === name);
  if (schema === undefined) throw new Error(`cannot read the OTLP table: no message ${name}`);
  return schema;
}

function toSchema(name: string, index: number): MessageSchema {
  const fields = Object.entries(OTLP_MESSAGES[name] ?? {}).map(([fieldName, [number, type]]) =>
    toField({ name: fieldName, number, type }),
  );
  const byName = new Map(fields.map((field) => [field.name, field]));
  for (const field of fields) byName.set(toSnakeCase(field.name), field);
  const names = fields.map((field) => field.name);
  const jsonKeys = new JsonKeys(names);
  const snakeKeys = new JsonKeys(names.map(toSnakeCase));
  return { name, index, fields, byName, jsonKeys, snakeKeys };
}

function toField(row: { name: string; number: number; type: string }): FieldSchema {
  const isRepeated = row.type.endsWith("[]");
  const typeName = isRepeated ? row.type.slice(0, -2) : row.type;
  const enumNames = OTLP_ENUMS[typeName];
  const message = Object.keys(OTLP_MESSAGES).indexOf(typeName);
  const scalar = enumNames === undefined ? findScalar(typeName) : "enum";
  if (message < 0 && scalar === undefined) {
    throw new Error(`cannot read the OTLP table: ${row.name} is of the unknown type ${row.type}`);
  }
  const wire = scalar === undefined ? WIRE.bytes : SCALAR_WIRE[scalar];
  return {
    name: row.name,
    number: row.number,
    tag: (row.number << 3) | wire,
    isRepeated,
    isRecord: isRepeated && RECORD_FIELDS.has(row.name),
    scalar,
    message: message < 0 ? undefined : message,
    enumNames,
  };
}

function findScalar(name: string): Scalar | undefined {
  return (Object.keys(SCALAR_WIRE) as Scalar[]).find((scalar) => scalar === name);
}

function toSnakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
