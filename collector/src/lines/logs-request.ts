import { ATTRIBUTE, SEMANTIC } from "@clew/instrumentation/names";
import { ProtobufWriter } from "../otlp/protobuf-writer.ts";
import { SHIPPED } from "../wire-names.ts";
import { type JsonObject, type JsonValue, jsonText } from "./json-value.ts";
import type { LineRecord } from "./line-record.ts";

/** A line on its way to the store. */
export interface ShippedRecord extends LineRecord {
  /** The same however often the record is sent; undefined where it gets its id at receipt. */
  readonly uid: string | undefined;
  readonly observedNs: bigint;
  readonly file: string | undefined;
  /** Attributes beside those that the line has itself; records may share one object. */
  readonly extra?: Readonly<Record<string, string>>;
}

export interface LogsRequestOptions {
  /** Overrides the service that each record names. */
  readonly service?: string | undefined;
  /** The instrumentation scope: what made records of the lines. */
  readonly scope: string;
  /** The request may not be larger; `REQUEST_BYTES_MAX` where absent. */
  readonly maxBytes?: number;
}

const REQUEST_BYTES_MAX = 1024 * 1024 * 1024;
/** What is nested deeper goes as JSON text, well within what a receiver takes. */
const DEPTH_MAX = 8;
const UNKNOWN_SERVICE = "unknown_service";
/** What a record takes beside its body, about: a first guess that spares copies. */
const RECORD_BYTES_EXPECTED = 384;

/**
 * An OTLP `ExportLogsServiceRequest` as plain protobuf: one `ResourceLogs` for each resource. Two
 * requests one after the other are one request too (protobuf, "Last One Wins").
 * @throws ClewError REQUEST_TOO_LARGE
 */
export function encodeLogsRequest(
  records: readonly ShippedRecord[],
  { service, scope, maxBytes = REQUEST_BYTES_MAX }: LogsRequestOptions,
): Buffer {
  const expectedBytes = Math.min(records.length * RECORD_BYTES_EXPECTED, maxBytes);
  const writer = new ProtobufWriter({ expectedBytes, maxBytes });
  for (const group of groupByResource(records, service)) writeResourceLogs(writer, group, scope);
  return writer.finish();
}

interface ResourceGroup {
  readonly service: string;
  readonly host: string | undefined;
  readonly resource: JsonObject | undefined;
  readonly records: ShippedRecord[];
}

function groupByResource(
  records: readonly ShippedRecord[],
  given: string | undefined,
): Iterable<ResourceGroup> {
  const groups = new Map<string, ResourceGroup>();
  let last: ResourceGroup | undefined;
  for (const record of records) {
    const service = given ?? record.service ?? UNKNOWN_SERVICE;
    const { host, resource } = record;
    const isSame = last?.service === service && last.host === host && last.resource === resource;
    if (last === undefined || !isSame) {
      const others = resource === undefined ? "" : jsonText(resource);
      const key = `${service}\0${host ?? ""}\0${others}`;
      last = groups.get(key) ?? { service, host, resource, records: [] };
      groups.set(key, last);
    }
    last.records.push(record);
  }
  return groups.values();
}

/**
 * Field number << 3 | wire type, of `opentelemetry/proto/{logs,resource,common}/v1`:
 *
 *     ExportLogsServiceRequest { ResourceLogs resource_logs = 1 }
 *     ResourceLogs             { Resource resource = 1, ScopeLogs scope_logs = 2 }
 *     Resource                 { KeyValue attributes = 1 }
 *     ScopeLogs                { InstrumentationScope scope = 1, LogRecord log_records = 2 }
 *     InstrumentationScope     { string name = 1 }
 *     LogRecord                { fixed64 time_unix_nano = 1, int32 severity_number = 2,
 *                                string severity_text = 3, AnyValue body = 5,
 *                                KeyValue attributes = 6, bytes trace_id = 9, bytes span_id = 10,
 *                                fixed64 observed_time_unix_nano = 11 }
 */
const TAG = {
  resourceLogs: 0x0a,
  resource: 0x0a,
  resourceAttributes: 0x0a,
  scopeLogs: 0x12,
  scope: 0x0a,
  scopeName: 0x0a,
  logRecords: 0x12,
  time: 0x09,
  severityNumber: 0x10,
  severityText: 0x1a,
  body: 0x2a,
  attributes: 0x32,
  traceId: 0x4a,
  spanId: 0x52,
  observedTime: 0x59,
} as const;

function writeResourceLogs(writer: ProtobufWriter, group: ResourceGroup, scope: string): void {
  writer.varint(TAG.resourceLogs);
  const resourceLogs = writer.open();
  writer.varint(TAG.resource);
  const resource = writer.open();
  writeText(writer, TAG.resourceAttributes, [SEMANTIC.serviceName, group.service]);
  if (group.host !== undefined) {
    writeText(writer, TAG.resourceAttributes, [SEMANTIC.hostName, group.host]);
  }
  writeAll(writer, TAG.resourceAttributes, group.resource ?? {});
  writer.close(resource);
  writer.varint(TAG.scopeLogs);
  const scopeLogs = writer.open();
  writer.varint(TAG.scope);
  const opened = writer.open();
  writer.varint(TAG.scopeName);
  writer.string(scope);
  writer.close(opened);
  for (const record of group.records) writeLogRecord(writer, record);
  writer.close(scopeLogs);
  writer.close(resourceLogs);
}

function writeLogRecord(writer: ProtobufWriter, record: ShippedRecord): void {
  const { timeNs, severity, traceId, spanId } = record;
  writer.varint(TAG.logRecords);
  const opened = writer.open();
  if (timeNs !== undefined) {
    writer.varint(TAG.time);
    writer.fixed64(timeNs);
  }
  if (severity !== undefined) {
    writer.varint(TAG.severityNumber);
    writer.varint(severity.number);
    writer.varint(TAG.severityText);
    writer.string(severity.text);
  }
  writer.varint(TAG.body);
  writeAnyValue(writer, record.body, 1);
  writeAttributes(writer, record);
  if (traceId !== undefined) {
    writer.varint(TAG.traceId);
    writer.bytes(Buffer.from(traceId, "hex"));
  }
  if (spanId !== undefined) {
    writer.varint(TAG.spanId);
    writer.bytes(Buffer.from(spanId, "hex"));
  }
  writer.varint(TAG.observedTime);
  writer.fixed64(record.observedNs);
  writer.close(opened);
}

function writeAttributes(writer: ProtobufWriter, record: ShippedRecord): void {
  const { attributes, uid, transactionId, extra, file } = record;
  writeAll(writer, TAG.attributes, attributes);
  if (uid !== undefined && !Object.hasOwn(attributes, ATTRIBUTE.recordUid)) {
    writeText(writer, TAG.attributes, [ATTRIBUTE.recordUid, uid]);
  }
  if (transactionId !== undefined && !Object.hasOwn(attributes, ATTRIBUTE.transactionId)) {
    writeText(writer, TAG.attributes, [ATTRIBUTE.transactionId, transactionId]);
  }
  if (file !== undefined) writeText(writer, TAG.attributes, [SHIPPED.logFilePath, file]);
  for (const key in extra) writeText(writer, TAG.attributes, [key, extra[key] ?? ""]);
}

function writeAll(writer: ProtobufWriter, tag: number, attributes: JsonObject): void {
  for (const key of Object.keys(attributes)) {
    writer.varint(tag);
    writeKeyValue(writer, [key, attributes[key] ?? null], 1);
  }
}

function writeText(writer: ProtobufWriter, tag: number, pair: readonly [string, string]): void {
  writer.varint(tag);
  writeKeyValue(writer, pair, 1);
}

const KEY_TAG = 0x0a;
const VALUE_TAG = 0x12;

/** `KeyValue { string key = 1, AnyValue value = 2 }`, whose tag was written. */
function writeKeyValue(
  writer: ProtobufWriter,
  [key, value]: readonly [string, JsonValue],
  depth: number,
): void {
  const opened = writer.open();
  writer.varint(KEY_TAG);
  writer.string(key);
  writer.varint(VALUE_TAG);
  writeAnyValue(writer, value, depth);
  writer.close(opened);
}

/** Of `AnyValue`; lists hold `values = 1`. */
const VALUE = { string: 0x0a, bool: 0x10, int: 0x18, double: 0x21, array: 0x2a, kvlist: 0x32 };
const LIST_VALUES_TAG = 0x0a;

/** An `AnyValue`, whose tag was written; null is one without a value. */
function writeAnyValue(writer: ProtobufWriter, value: JsonValue, depth: number): void {
  const opened = writer.open();
  if (typeof value === "string") {
    writer.varint(VALUE.string);
    writer.string(value);
  } else if (typeof value === "boolean") {
    writer.varint(VALUE.bool);
    writer.varint(value ? 1 : 0);
  } else if (typeof value === "number") writeNumber(writer, value);
  else if (typeof value === "bigint") {
    writer.varint(VALUE.int);
    writer.varint64(value);
  } else if (value !== null && depth >= DEPTH_MAX) {
    writer.varint(VALUE.string);
    writer.string(jsonText(value));
  } else if (value !== null) writeList(writer, value, depth);
  writer.close(opened);
}

function writeNumber(writer: ProtobufWriter, value: number): void {
  if (!Number.isSafeInteger(value)) {
    writer.varint(VALUE.double);
    writer.double(value);
    return;
  }
  writer.varint(VALUE.int);
  if (value >= 0 && value <= 0xffff_ffff) writer.varint(value);
  else writer.varint64(BigInt(value));
}

function writeList(
  writer: ProtobufWriter,
  value: JsonObject | readonly JsonValue[],
  depth: number,
): void {
  writer.varint(isList(value) ? VALUE.array : VALUE.kvlist);
  const opened = writer.open();
  if (isList(value)) {
    for (const item of value) {
      writer.varint(LIST_VALUES_TAG);
      writeAnyValue(writer, item, depth + 1);
    }
  } else {
    for (const key of Object.keys(value)) {
      writer.varint(LIST_VALUES_TAG);
      writeKeyValue(writer, [key, value[key] ?? null], depth + 1);
    }
  }
  writer.close(opened);
}

/** `Array.isArray` takes no read-only list for one. */
function isList(value: JsonObject | readonly JsonValue[]): value is readonly JsonValue[] {
  return Array.isArray(value);
}
