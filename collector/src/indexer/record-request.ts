import type { IncomingRecord } from "../record.ts";

/** Fields of `Export{Logs,Trace}ServiceRequest` and what is below, all of them length-delimited. */
const FIELD = { groups: 1, owner: 1, members: 2, schemaUrl: 3 } as const;
const WIRE_BYTES = 2;

/** The parts of a request that a record was in. */
export type RecordParts = Pick<
  IncomingRecord,
  "payload" | "resource" | "resourceSchemaUrl" | "scope" | "scopeSchemaUrl"
>;

/** An OTLP export request (plain protobuf) that holds this one record, as it was received. */
export function recordRequest(record: RecordParts): Buffer {
  const scoped = Buffer.concat([
    field(FIELD.owner, record.scope),
    field(FIELD.members, record.payload),
    optionalText(FIELD.schemaUrl, record.scopeSchemaUrl),
  ]);
  const group = Buffer.concat([
    field(FIELD.owner, record.resource),
    field(FIELD.members, scoped),
    optionalText(FIELD.schemaUrl, record.resourceSchemaUrl),
  ]);
  return field(FIELD.groups, group);
}

function optionalText(number: number, text: string): Buffer {
  return text === "" ? Buffer.alloc(0) : field(number, Buffer.from(text));
}

function field(number: number, value: Uint8Array): Buffer {
  const head = [(number << 3) | WIRE_BYTES];
  let rest = value.length;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) head.push((rest & 0x7f) | 0x80);
  head.push(rest);
  return Buffer.concat([Buffer.from(head), value]);
}
