/**
 * Questions of Jaeger's remote storage API v2 (`jaeger/storage/v2/trace_storage.proto`).
 *
 *   GetTracesRequest      query = 1 { trace_id = 1, start_time = 2, end_time = 3 }, repeated
 *   GetOperationsRequest  service = 1, span_kind = 2
 *   FindTracesRequest     query = 1 { service_name = 1, operation_name = 2,
 *                           attributes = 3 { key = 1, value = 2 (OTLP's AnyValue) }, repeated,
 *                           start_time_min = 4, start_time_max = 5, duration_min = 6,
 *                           duration_max = 7, search_depth = 8 }
 *   Timestamp, Duration   seconds = 1, nanos = 2
 */
import { decodeAnyValue } from "../../indexer/any-value.ts";
import { ProtobufReader } from "../../otlp/protobuf-reader.ts";
import type { AttributeValue } from "../../record.ts";

/** What to look for; what is absent does not matter. */
export interface TraceQuery {
  readonly service: string;
  readonly operation: string;
  readonly attributes: readonly (readonly [key: string, value: AttributeValue])[];
  readonly fromNs: bigint | undefined;
  readonly toNs: bigint | undefined;
  readonly durationMinNs: bigint | undefined;
  readonly durationMaxNs: bigint | undefined;
  /** How many traces. */
  readonly depth: number;
}

const NS_PER_SECOND = 1_000_000_000n;
const TAG = { first: 0x0a, second: 0x12 } as const;
const QUERY = {
  service: 0x0a,
  operation: 0x12,
  attribute: 0x1a,
  fromTime: 0x22,
  toTime: 0x2a,
  durationMin: 0x32,
  durationMax: 0x3a,
  depth: 0x40,
} as const;
const TIME = { seconds: 0x08, nanos: 0x10 } as const;
const ATTRIBUTES_MAX = 64;

/** Trace ids, in hex. */
export function decodeGetTraces(message: Buffer): string[] {
  const ids: string[] = [];
  const reader = new ProtobufReader(message);
  while (!reader.isAtEnd()) {
    const tag = reader.tag();
    if (tag === TAG.first) {
      within(reader, (inner) => {
        if (inner === TAG.first) ids.push(reader.hex());
        else reader.skip(inner & 7);
      });
    } else reader.skip(tag & 7);
  }
  return ids;
}

export function decodeGetOperations(message: Buffer): { service: string; spanKind: string } {
  const asked = { service: "", spanKind: "" };
  const reader = new ProtobufReader(message);
  while (!reader.isAtEnd()) {
    const tag = reader.tag();
    if (tag === TAG.first) asked.service = reader.string();
    else if (tag === TAG.second) asked.spanKind = reader.string();
    else reader.skip(tag & 7);
  }
  return asked;
}

export function decodeFindTraces(message: Buffer): TraceQuery {
  const query = {
    service: "",
    operation: "",
    attributes: [] as (readonly [string, AttributeValue])[],
    fromNs: undefined as bigint | undefined,
    toNs: undefined as bigint | undefined,
    durationMinNs: undefined as bigint | undefined,
    durationMaxNs: undefined as bigint | undefined,
    depth: 0,
  };
  const reader = new ProtobufReader(message);
  const field = (tag: number): void => {
    if (tag === QUERY.service) query.service = reader.string();
    else if (tag === QUERY.operation) query.operation = reader.string();
    else if (tag === QUERY.attribute) addAttribute(reader, query.attributes);
    else if (tag === QUERY.fromTime) query.fromNs = decodeTime(reader);
    else if (tag === QUERY.toTime) query.toNs = decodeTime(reader);
    else if (tag === QUERY.durationMin) query.durationMinNs = decodeTime(reader);
    else if (tag === QUERY.durationMax) query.durationMaxNs = decodeTime(reader);
    else if (tag === QUERY.depth) query.depth = reader.varint32();
    else reader.skip(tag & 7);
  };
  while (!reader.isAtEnd()) {
    const tag = reader.tag();
    if (tag === TAG.first) within(reader, field);
    else reader.skip(tag & 7);
  }
  return query;
}

function addAttribute(reader: ProtobufReader, list: (readonly [string, AttributeValue])[]): void {
  let key = "";
  let value: AttributeValue = null;
  within(reader, (tag) => {
    if (tag === TAG.first) key = reader.string();
    else if (tag === TAG.second) {
      const end = reader.enter();
      value = decodeAnyValue(reader.buffer, { start: reader.position, end });
      reader.position = end;
    } else reader.skip(tag & 7);
  });
  if (key !== "" && list.length < ATTRIBUTES_MAX) list.push([key, value]);
}

/** Nanoseconds; undefined for Go's zero time, which is long before 1970, and for nothing. */
function decodeTime(reader: ProtobufReader): bigint | undefined {
  let ns = 0n;
  within(reader, (tag) => {
    if (tag === TIME.seconds) ns += BigInt.asIntN(64, reader.varint64()) * NS_PER_SECOND;
    else if (tag === TIME.nanos) ns += BigInt.asIntN(64, reader.varint64());
    else reader.skip(tag & 7);
  });
  return ns > 0n ? ns : undefined;
}

/** Calls `field` with each tag of the sub-message at the cursor. */
function within(reader: ProtobufReader, field: (tag: number) => void): void {
  const outer = reader.end;
  const end = reader.enter();
  reader.end = end;
  while (reader.position < end) field(reader.tag());
  reader.end = outer;
  reader.position = end;
}
