import type { Attributes, HrTime, Link } from "@opentelemetry/api";
import type { Resource } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { redactedText } from "../redaction/redactor.ts";
import type { RecordedSpan } from "../tracing/recorded-span.ts";
import { ATTRIBUTE } from "../wire-names.ts";
import { redactedAttributes } from "./redacted-field.ts";

/** A recorded span as the SDK's exporters read spans, with the attributes the spool gives it. */
export function toReadableSpan(
  span: RecordedSpan,
  of: { readonly sequence: number; readonly resource: Resource },
): ReadableSpan {
  const { transaction } = span;
  const own: Attributes = {
    ...(transaction === undefined ? {} : { [ATTRIBUTE.transactionId]: transaction.id }),
    ...(span.isTransactionStart ? { [ATTRIBUTE.transactionStart]: true } : {}),
    [ATTRIBUTE.spanSequence]: of.sequence,
    [ATTRIBUTE.spanLogs]: span.logs,
  };
  const given: Attributes = {};
  const list = span.attributes;
  for (let i = 0; i < list.length; i += 2) {
    given[String(list[i])] = cutValue(list[i + 1], span.valueLengthMax) as Attributes[string];
  }
  const context = span.spanContext();
  const message = redactedText(span.statusMessage);
  return {
    name: redactedText(span.name),
    kind: span.kind,
    spanContext: () => context,
    ...(span.parent === undefined ? {} : { parentSpanContext: span.parent }),
    startTime: toHrTime(span.startMicros),
    endTime: toHrTime(span.endMicros),
    duration: toHrTime(span.endMicros - span.startMicros),
    status: { code: span.statusCode, ...(span.statusMessage && { message }) },
    attributes: { ...own, ...redactedAttributes(given) },
    links: (span.links ?? []).map((link): Link => {
      return { ...link, attributes: redactedAttributes(link.attributes ?? {}) };
    }),
    events: (span.events ?? []).map(({ name, timeMicros, attributes }) => ({
      name: redactedText(name),
      time: toHrTime(timeMicros),
      attributes: redactedAttributes(attributes),
    })),
    ended: true,
    resource: of.resource,
    instrumentationScope: span.scope,
    droppedAttributesCount: span.droppedAttributes,
    droppedEventsCount: span.droppedEvents,
    droppedLinksCount: span.droppedLinks,
  };
}

export function toHrTime(micros: number): HrTime {
  return [Math.floor(micros / 1_000_000), Math.round((micros % 1_000_000) * 1000)];
}

/** The encoder of the spool cuts strings as it writes; the SDK's exporters do not. */
function cutValue(value: unknown, characters: number): unknown {
  if (typeof value === "string") return value.slice(0, characters);
  return Array.isArray(value) ? value.map((part) => cutValue(part, characters)) : value;
}
