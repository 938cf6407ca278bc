import type { LogRecord } from "../logging/log-record.ts";
import { ATTRIBUTE } from "../wire-names.ts";
import { type Allowance, newAllowance } from "./allowance.ts";
import { type Uid, writeSpanContext, writeTransactionId, writeUid } from "./id-attributes.ts";
import { RECORDS } from "./otlp-request.ts";
import type { ProtobufWriter } from "./protobuf-writer.ts";
import { writeAttribute, writeBody } from "./write-attribute.ts";

/**
 * LogRecord: time_unix_nano = 1, severity_number = 2, severity_text = 3, body = 5, attributes = 6,
 * flags = 8, trace_id = 9, span_id = 10, observed_time_unix_nano = 11
 * (opentelemetry/proto/logs/v1).
 */
const LOG = {
  time: 1,
  severityNumber: 2,
  severityText: 3,
  body: 5,
  attributes: 6,
  flags: 8,
  traceId: 9,
  spanId: 10,
  observedTime: 11,
} as const;

const LENGTH_BYTES = 2;
/** Longest string of a body or an attribute, in characters. */
const TEXT_CHARACTERS_MAX = 65_536;

/** Writes a log record as one `log_records` field. */
export function writeLog(writer: ProtobufWriter, log: LogRecord, uid: Uid): void {
  const allowance = newAllowance(TEXT_CHARACTERS_MAX);
  const start = writer.open(RECORDS, LENGTH_BYTES);
  writer.nanoseconds(LOG.time, log.timeMicros);
  writer.integer(LOG.severityNumber, log.severity.number);
  writer.string(LOG.severityText, log.severity.text);
  if (log.body !== undefined) writeBody(writer, { field: LOG.body, value: log.body }, allowance);
  writeUid(writer, LOG.attributes, uid);
  if (log.transactionId !== undefined) {
    writeTransactionId(writer, LOG.attributes, log.transactionId);
  }
  for (let index = 0; index < log.attributes.length; index++) {
    writeAttributes(writer, { log, index, allowance });
  }
  const { span } = log;
  if (span !== undefined) writeSpanContext(writer, LOG, span);
  if (log.isAfterSpan) writer.shortScalar(LOG.attributes, ATTRIBUTE.afterSpan, true);
  writer.nanoseconds(LOG.observedTime, log.observedMicros);
  writer.close(start, LENGTH_BYTES);
}

/** One source's attributes, without those that a later source has as well: a key stands once. */
function writeAttributes(
  writer: ProtobufWriter,
  of: { log: LogRecord; index: number; allowance: Allowance },
): void {
  const { log, index, allowance } = of;
  const sources = log.attributes;
  const source = sources[index] ?? {};
  for (const key in source) {
    if (allowance.values <= 0) return;
    const value = source[key];
    if (value === undefined || isOurs(log, key) || isLater(sources, index, key)) continue;
    writeAttribute(writer, { field: LOG.attributes, key, value }, allowance);
  }
}

/** A line that names our own attributes cannot take the record's place or transaction away. */
function isOurs(log: LogRecord, key: string): boolean {
  if (key === ATTRIBUTE.recordUid || key === ATTRIBUTE.afterSpan) return true;
  return key === ATTRIBUTE.transactionId && log.transactionId !== undefined;
}

function isLater(sources: LogRecord["attributes"], index: number, key: string): boolean {
  for (let at = index + 1; at < sources.length; at++) {
    const later = sources[at];
    if (later !== undefined && Object.hasOwn(later, key) && later[key] !== undefined) return true;
  }
  return false;
}
