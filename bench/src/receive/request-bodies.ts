/**
 * Bodies of export requests, made before anything is measured. The words are the same in every run:
 * they come from a fixed seed.
 */
import { gzipSync } from "node:zlib";
import {
  encodeLogRequest,
  type LogEntry,
  makeLogEntries,
  SCOPE,
  SERVICE,
  stampLogRequest,
} from "../log-requests.ts";

export interface BodyShape {
  readonly records: number;
  readonly format: "protobuf" | "json";
  readonly isZipped: boolean;
}

const RUN_ID = "bench-receive";
/** A fixed time of day, so that the bytes are the same in every run. */
const START_NS = 1_760_000_000_000_000_000n;
/** So many records in all bodies together, so that small requests differ too. */
const DISTINCT_RECORDS = 16_000;
const DISTINCT_BODIES_MAX = 256;

/** Distinct bodies of one shape, which are sent in turn. */
export function makeBodies(shape: BodyShape): readonly Buffer[] {
  const length = Math.min(DISTINCT_BODIES_MAX, Math.ceil(DISTINCT_RECORDS / shape.records));
  return Array.from({ length }, (_, seed) => {
    const body = encode(shape, seed);
    return shape.isZipped ? gzipSync(body) : body;
  });
}

function encode({ records, format }: BodyShape, seed: number): Buffer {
  const order = { runId: RUN_ID, seed, startNs: START_NS, records };
  if (format === "protobuf") return stampLogRequest(encodeLogRequest(order), seed);
  const logRecords = makeLogEntries(order).map(jsonRecord);
  const scopeLogs = [{ scope: { name: SCOPE }, logRecords }];
  const resource = { attributes: jsonAttributes(SERVICE) };
  return Buffer.from(JSON.stringify({ resourceLogs: [{ resource, scopeLogs }] }));
}

/** OTLP/JSON: 64-bit integers as strings, ids in hex. */
function jsonRecord(entry: LogEntry): object {
  const time = String(entry.timeNs);
  return {
    timeUnixNano: time,
    severityNumber: entry.level.number,
    severityText: entry.level.text,
    body: { stringValue: entry.text },
    attributes: jsonAttributes(entry.attributes),
    traceId: entry.traceId.toString("hex"),
    spanId: entry.spanId.toString("hex"),
    observedTimeUnixNano: time,
  };
}

function jsonAttributes(attributes: LogEntry["attributes"]): readonly object[] {
  return Object.entries(attributes).map(([key, value]) => ({
    key,
    value: typeof value === "number" ? { intValue: String(value) } : { stringValue: value },
  }));
}
