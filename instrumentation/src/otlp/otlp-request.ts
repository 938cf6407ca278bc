import type { Scope } from "../tracing/recorded-span.ts";
import { newAllowance } from "./allowance.ts";
import { ProtobufWriter, varintBytes } from "./protobuf-writer.ts";
import { writeAttribute } from "./write-attribute.ts";

/**
 * ExportLogsServiceRequest: resource_logs = 1. ExportTraceServiceRequest: resource_spans = 1.
 * ResourceLogs, ResourceSpans: resource = 1, scope_logs or scope_spans = 2.
 * ScopeLogs, ScopeSpans: scope = 1, log_records or spans = 2.
 * InstrumentationScope: name = 1, version = 2. Resource: attributes = 1.
 */
const RESOURCE_RECORDS = 1;
const RESOURCE = 1;
const SCOPE_RECORDS = 2;
const SCOPE = 1;
/** The field that each record is written into; the same number for logs and spans. */
export const RECORDS = 2;

const SCOPE_NAME = 1;
const SCOPE_VERSION = 2;
const RESOURCE_ATTRIBUTES = 1;
const BYTES_WIRE_TYPE = 2;
const HEADER_BYTES = 256;
const RESOURCE_TEXT_MAX = 4096;

/** Where in a batch the records of one scope begin; they end where the next one's begin. */
export interface ScopeRun {
  readonly scope: Scope;
  readonly start: number;
}

/** Puts the envelope around encoded records: one request in pieces, without copying the records. */
export function writeRequest(batch: {
  readonly resource: Uint8Array;
  readonly content: Buffer;
  readonly scopes: readonly ScopeRun[];
}): Uint8Array[] {
  const scoped = writeScoped(batch);
  return [writeHead(batch.resource, bytesOf(scoped)), ...scoped];
}

/** The `scope_logs` or `scope_spans` fields. Those of several batches may follow one another. */
export function writeScoped(batch: {
  readonly content: Buffer;
  readonly scopes: readonly ScopeRun[];
}): Uint8Array[] {
  const { content, scopes } = batch;
  const parts: Uint8Array[] = [];
  scopes.forEach((run, index) => {
    const records = content.subarray(run.start, scopes[index + 1]?.start ?? content.length);
    if (records.length > 0) parts.push(scopeHead(run.scope, records.length), records);
  });
  return parts;
}

/** What stands before that many bytes of `scope_logs` or `scope_spans` fields in a request. */
export function writeHead(resource: Uint8Array, scopedBytes: number): Uint8Array {
  const resourceField = 1 + varintBytes(resource.length) + resource.length;
  const head = new ProtobufWriter(HEADER_BYTES + resource.length);
  head.tag(RESOURCE_RECORDS, BYTES_WIRE_TYPE);
  head.varint(resourceField + scopedBytes);
  head.bytes(RESOURCE, resource);
  return head.buffer.subarray(0, head.position);
}

export function bytesOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}

/** The `Resource` message of one run. */
export function writeResource(attributes: Readonly<Record<string, string | number>>): Uint8Array {
  const writer = new ProtobufWriter(HEADER_BYTES);
  const allowance = newAllowance(RESOURCE_TEXT_MAX);
  for (const [key, value] of Object.entries(attributes)) {
    writeAttribute(writer, { field: RESOURCE_ATTRIBUTES, key, value }, allowance);
  }
  return Buffer.from(writer.buffer.subarray(0, writer.position));
}

function scopeHead(scope: Scope, recordBytes: number): Uint8Array {
  const inner = new ProtobufWriter(HEADER_BYTES);
  inner.string(SCOPE_NAME, scope.name);
  if (scope.version !== "") inner.string(SCOPE_VERSION, scope.version);
  const scopeField = 1 + varintBytes(inner.position) + inner.position;
  const writer = new ProtobufWriter(HEADER_BYTES);
  writer.tag(SCOPE_RECORDS, BYTES_WIRE_TYPE);
  writer.varint(scopeField + recordBytes);
  writer.bytes(SCOPE, inner.buffer.subarray(0, inner.position));
  return writer.buffer.subarray(0, writer.position);
}
