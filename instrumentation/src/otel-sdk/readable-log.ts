import { types } from "node:util";
import type { AnyValue, Attributes } from "@opentelemetry/api";
import type { Resource } from "@opentelemetry/resources";
import type { ReadableLogRecord } from "@opentelemetry/sdk-logs";
import type { LogRecord } from "../logging/log-record.ts";
import { fieldName } from "../redaction/redactor.ts";
import type { Scope } from "../tracing/recorded-span.ts";
import { ATTRIBUTE } from "../wire-names.ts";
import { toHrTime } from "./readable-span.ts";
import { redactedField } from "./redacted-field.ts";

const DEPTH_MAX = 8;
const UNREADABLE = "[unreadable]";

/** A log record as the SDK's exporters read log records, with the attributes the spool gives it. */
export function toReadableLog(
  log: LogRecord,
  of: { readonly uid: string; readonly scope: Scope; readonly resource: Resource },
): ReadableLogRecord {
  const attributes: Attributes = { [ATTRIBUTE.recordUid]: of.uid };
  if (log.transactionId !== undefined) attributes[ATTRIBUTE.transactionId] = log.transactionId;
  if (log.isAfterSpan) attributes[ATTRIBUTE.afterSpan] = true;
  for (const source of log.attributes) {
    for (const [key, value] of Object.entries(source)) {
      if (value === undefined) continue;
      attributes[fieldName(key).text] = redactedField(key, toAnyValue(value, DEPTH_MAX));
    }
  }
  const eventName = attributes[ATTRIBUTE.eventName];
  return {
    hrTime: toHrTime(log.timeMicros),
    hrTimeObserved: toHrTime(log.observedMicros),
    ...(log.span === undefined ? {} : { spanContext: log.span }),
    severityText: log.severity.text,
    severityNumber: log.severity.number,
    body: redactedField("", toAnyValue(log.body, DEPTH_MAX)),
    ...(typeof eventName === "string" ? { eventName } : {}),
    resource: of.resource,
    instrumentationScope: of.scope,
    attributes,
    droppedAttributesCount: 0,
  };
}

/**
 * A copy that stays as it is until it is exported, made of what OTLP can say. Services log whatever
 * they have: cycles end at the depth, and what throws when it is read becomes a mark.
 */
function toAnyValue(value: unknown, depth: number): AnyValue {
  try {
    return copy(value, depth);
  } catch {
    return UNREADABLE;
  }
}

function copy(value: unknown, depth: number): AnyValue {
  if (value === null || value === undefined) return null;
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return value;
  if (value instanceof Uint8Array) return value.slice();
  if (typeof value !== "object") return String(value);
  if (value instanceof Error) return value.stack ?? value.message;
  if (types.isDate(value)) return value.toISOString();
  if (depth === 0) return "[cut]";
  if (Array.isArray(value)) return value.map((part) => toAnyValue(part, depth - 1));
  const entries = Object.keys(value).map((key) => [key, read(value, key, depth - 1)] as const);
  return Object.fromEntries(entries);
}

/** The getter of one field may throw; the others are still told. */
function read(value: object, key: string, depth: number): AnyValue {
  try {
    return copy(Reflect.get(value, key), depth);
  } catch {
    return UNREADABLE;
  }
}
