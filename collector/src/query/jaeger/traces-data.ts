import { otlpJsonToProtobuf } from "../../otlp/otlp-json.ts";
import type { Attributes, AttributeValue, StoredRecord, StoredSpan } from "../../record.ts";
import { findRfc3339 } from "../rfc3339.ts";

/** SpanKind and Status.StatusCode of OTLP, by the names of `StoredSpan`. */
const KINDS = ["unspecified", "internal", "server", "client", "producer", "consumer"];
const STATUSES = ["unset", "ok", "error"];
/** Far above what fits one message of gRPC; a single span may be that large. */
const DATA_BYTES_MAX = 64 * 1024 * 1024;
const NS_PER_MS = 1e6;

/**
 * Spans as one `opentelemetry.proto.trace.v1.TracesData` (OTLP 1.11), by resource and scope.
 * What the store shows is what is told: a number without a fraction is an integer, and bytes are
 * the base64 text of them.
 */
export function encodeTracesData(spans: readonly StoredRecord[]): Buffer {
  const groups = Map.groupBy(spans, ({ resource }) => JSON.stringify(resource));
  const resourceSpans = [...groups.values()].map((group) => ({
    resource: { attributes: keyValues(group[0]?.resource ?? {}) },
    scopeSpans: [...Map.groupBy(group, ({ scope }) => scope)].map(([name, scoped]) => ({
      scope: { name },
      spans: scoped.map(spanOf),
    })),
  }));
  const json = Buffer.from(JSON.stringify({ resourceSpans }));
  return otlpJsonToProtobuf({ signal: "traces", json, maxBytes: DATA_BYTES_MAX });
}

function spanOf(record: StoredRecord): object {
  const { span } = record;
  const startNs = findRfc3339(record.time) ?? 0n;
  const lastedNs = BigInt(Math.round((span?.durationMs ?? 0) * NS_PER_MS));
  return {
    traceId: record.traceId ?? "",
    spanId: record.spanId ?? "",
    parentSpanId: record.parentSpanId ?? "",
    name: record.message,
    kind: Math.max(0, KINDS.indexOf(span?.kind ?? "")),
    startTimeUnixNano: String(startNs),
    endTimeUnixNano: String(startNs + lastedNs),
    attributes: keyValues(record.attributes),
    events: span?.events.map(eventOf) ?? [],
    links: span?.links.map(({ traceId, spanId, attributes }) => {
      return { traceId, spanId, attributes: keyValues(attributes) };
    }),
    status: {
      code: Math.max(0, STATUSES.indexOf(span?.status ?? "")),
      message: span?.statusMessage ?? "",
    },
  };
}

function eventOf({ name, time, attributes }: StoredSpan["events"][number]): object {
  const timeUnixNano = String(findRfc3339(time) ?? 0n);
  return { name, timeUnixNano, attributes: keyValues(attributes) };
}

function keyValues(attributes: Attributes): object[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: anyValue(value) }));
}

function anyValue(value: AttributeValue): object {
  if (value === null) return {};
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "number") {
    return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  }
  if (isList(value)) return { arrayValue: { values: value.map(anyValue) } };
  return { kvlistValue: { values: keyValues(value) } };
}

function isList(value: object): value is readonly AttributeValue[] {
  return Array.isArray(value);
}
