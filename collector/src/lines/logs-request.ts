import { ATTRIBUTE, SEMANTIC } from "@clew/instrumentation/names";
import { SHIPPED } from "../wire-names.ts";
import type { JsonValue, LineRecord } from "./line-record.ts";

/** A line on its way to the collector. */
export interface ShippedRecord extends LineRecord {
  /** Run id and sequence number: the same however often it is sent. */
  readonly uid: string;
  readonly observedNs: bigint;
  readonly file: string | undefined;
}

/** The JSON of OTLP's `AnyValue` (opentelemetry/proto/common/v1); 64-bit integers are text. */
type AnyValue =
  | { stringValue: string }
  | { boolValue: boolean }
  | { intValue: string }
  | { doubleValue: number }
  | { arrayValue: { values: AnyValue[] } }
  | { kvlistValue: { values: KeyValue[] } }
  | Record<string, never>;
interface KeyValue {
  key: string;
  value: AnyValue;
}

/** What is nested deeper goes as JSON text, well within what a receiver takes. */
const DEPTH_MAX = 8;
const UNKNOWN_SERVICE = "unknown_service";

/** An OTLP/JSON `ExportLogsServiceRequest` (OTLP 1.11, "JSON Protobuf Encoding"). */
export function toLogsRequest(
  records: readonly ShippedRecord[],
  service: string | undefined,
): string {
  const byService = Map.groupBy(records, (record) => service ?? record.service ?? UNKNOWN_SERVICE);
  const resourceLogs = [...byService].map(([name, own]) => ({
    resource: { attributes: [keyValue(SEMANTIC.serviceName, name)] },
    scopeLogs: [{ scope: { name: "clew ship" }, logRecords: own.map(toLogRecord) }],
  }));
  return JSON.stringify({ resourceLogs });
}

function toLogRecord(record: ShippedRecord): object {
  const attributes = Object.entries(record.attributes).map(([key, value]) => keyValue(key, value));
  if (!Object.hasOwn(record.attributes, ATTRIBUTE.recordUid)) {
    attributes.push(keyValue(ATTRIBUTE.recordUid, record.uid));
  }
  const { transactionId } = record;
  if (transactionId !== undefined && !Object.hasOwn(record.attributes, ATTRIBUTE.transactionId)) {
    attributes.push(keyValue(ATTRIBUTE.transactionId, transactionId));
  }
  if (record.file !== undefined) attributes.push(keyValue(SHIPPED.logFilePath, record.file));
  return {
    timeUnixNano: record.timeNs?.toString(),
    observedTimeUnixNano: record.observedNs.toString(),
    severityNumber: record.severity?.number,
    severityText: record.severity?.text,
    body: { stringValue: record.body },
    attributes,
    traceId: record.traceId,
    spanId: record.spanId,
  };
}

function keyValue(key: string, value: JsonValue): KeyValue {
  return { key, value: anyValue(value, 1) };
}

function anyValue(value: JsonValue, depth: number): AnyValue {
  if (value === null) return {};
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "number") {
    return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  }
  if (depth >= DEPTH_MAX) return { stringValue: JSON.stringify(value) };
  if (Array.isArray(value)) {
    return { arrayValue: { values: value.map((item) => anyValue(item, depth + 1)) } };
  }
  const values = Object.entries(value).map(([key, item]) => ({
    key,
    value: anyValue(item, depth + 1),
  }));
  return { kvlistValue: { values } };
}
