import type { Attributes, Link } from "@opentelemetry/api";
import { redactedText } from "../redaction/redactor.ts";
import type { RecordedSpan, SpanEvent } from "../tracing/recorded-span.ts";
import { ATTRIBUTE } from "../wire-names.ts";
import { type Allowance, newAllowance } from "./allowance.ts";
import { writeTransactionId } from "./id-attributes.ts";
import { RECORDS } from "./otlp-request.ts";
import type { ProtobufWriter } from "./protobuf-writer.ts";
import { writeAttribute, writeOwnAttribute } from "./write-attribute.ts";

/**
 * Span: trace_id = 1, span_id = 2, trace_state = 3, parent_span_id = 4, name = 5, kind = 6,
 * start_time_unix_nano = 7, end_time_unix_nano = 8, attributes = 9, dropped_attributes_count = 10,
 * events = 11, dropped_events_count = 12, links = 13, dropped_links_count = 14, status = 15,
 * flags = 16 (opentelemetry/proto/trace/v1).
 */
export const SPAN = {
  traceId: 1,
  spanId: 2,
  traceState: 3,
  parentSpanId: 4,
  name: 5,
  kind: 6,
  start: 7,
  end: 8,
  attributes: 9,
  droppedAttributes: 10,
  events: 11,
  droppedEvents: 12,
  links: 13,
  droppedLinks: 14,
  status: 15,
  flags: 16,
} as const;
/** Event: time_unix_nano = 1, name = 2, attributes = 3. */
const EVENT = { time: 1, name: 2, attributes: 3 } as const;
/** Link: trace_id = 1, span_id = 2, trace_state = 3, attributes = 4. */
const LINK = { traceId: 1, spanId: 2, traceState: 3, attributes: 4 } as const;
/** Status: message = 2, code = 3. */
const STATUS = { message: 2, code: 3 } as const;

/** flags: bits 0–7 the trace flags, 8 "whether the parent is remote is known", 9 "it is". */
const PARENT_REMOTE_KNOWN = 0x100;
const PARENT_REMOTE = 0x200;

const LENGTH_BYTES = 2;
const INNER_LENGTH_BYTES = 1;
const NAME_CHARACTERS_MAX = 1024;

/** Writes an ended span as one `spans` field; one that is only held has no number yet. */
export function writeSpan(
  writer: ProtobufWriter,
  span: RecordedSpan,
  sequence: number | undefined,
): void {
  const { traceId, spanId, traceFlags, traceState } = span.spanContext();
  const { parent } = span;
  const allowance = newAllowance(span.valueLengthMax);
  const start = writer.open(RECORDS, LENGTH_BYTES);
  writer.hex(SPAN.traceId, traceId);
  writer.hex(SPAN.spanId, spanId);
  if (traceState !== undefined) writer.string(SPAN.traceState, traceState.serialize());
  if (parent !== undefined) writer.hex(SPAN.parentSpanId, parent.spanId);
  writer.string(SPAN.name, shownName(span.name));
  // OTLP's kinds begin with "unspecified", the API's with "internal".
  writer.integer(SPAN.kind, span.kind + 1);
  writer.nanoseconds(SPAN.start, span.startMicros);
  writer.nanoseconds(SPAN.end, span.endMicros);
  writeOwnAttributes(writer, span, sequence);
  if (span.shared !== undefined) writer.raw(span.shared.bytes);
  const attributes = span.ownAttributes;
  for (let i = 0; i < attributes.length; i += 2) {
    const key = attributes[i] as string;
    writeAttribute(writer, { field: SPAN.attributes, key, value: attributes[i + 1] }, allowance);
  }
  for (const event of span.events ?? []) writeEvent(writer, event, allowance);
  for (const link of span.links ?? []) writeLink(writer, link, allowance);
  writeDropped(writer, span);
  if (span.statusCode !== 0) writeStatus(writer, span);
  const remote = parent?.isRemote === true ? PARENT_REMOTE : 0;
  writer.fixed32(SPAN.flags, traceFlags | PARENT_REMOTE_KNOWN | remote);
  writer.close(start, LENGTH_BYTES);
}

function writeOwnAttributes(
  writer: ProtobufWriter,
  span: RecordedSpan,
  sequence: number | undefined,
): void {
  const { transaction } = span;
  if (transaction !== undefined) {
    writeTransactionId(writer, SPAN.attributes, transaction.id);
    if (span.isTransactionStart) writeOwn(writer, ATTRIBUTE.transactionStart, true);
  }
  if (sequence !== undefined) writeOwn(writer, ATTRIBUTE.spanSequence, sequence);
  writeOwn(writer, ATTRIBUTE.spanLogs, span.logs);
}

function writeOwn(writer: ProtobufWriter, key: string, value: number | boolean): void {
  if (writer.shortScalar(SPAN.attributes, key, value)) return;
  writeOwnAttribute(writer, { field: SPAN.attributes, key, value });
}

function writeEvent(writer: ProtobufWriter, event: SpanEvent, allowance: Allowance): void {
  const start = writer.open(SPAN.events, LENGTH_BYTES);
  writer.nanoseconds(EVENT.time, event.timeMicros);
  writer.string(EVENT.name, shownName(event.name));
  writeAttributes(writer, { field: EVENT.attributes, attributes: event.attributes }, allowance);
  writer.close(start, LENGTH_BYTES);
}

function writeLink(writer: ProtobufWriter, link: Link, allowance: Allowance): void {
  const start = writer.open(SPAN.links, LENGTH_BYTES);
  writer.hex(LINK.traceId, link.context.traceId);
  writer.hex(LINK.spanId, link.context.spanId);
  const { traceState } = link.context;
  if (traceState !== undefined) writer.string(LINK.traceState, traceState.serialize());
  writeAttributes(writer, { field: LINK.attributes, attributes: link.attributes }, allowance);
  writer.close(start, LENGTH_BYTES);
}

function writeAttributes(
  writer: ProtobufWriter,
  of: { field: number; attributes: Attributes | undefined },
  allowance: Allowance,
): void {
  for (const [key, value] of Object.entries(of.attributes ?? {})) {
    if (value === undefined || value === null) continue;
    writeAttribute(writer, { field: of.field, key, value }, allowance);
  }
}

function writeDropped(writer: ProtobufWriter, span: RecordedSpan): void {
  if (span.droppedAttributes > 0) writer.integer(SPAN.droppedAttributes, span.droppedAttributes);
  if (span.droppedEvents > 0) writer.integer(SPAN.droppedEvents, span.droppedEvents);
  if (span.droppedLinks > 0) writer.integer(SPAN.droppedLinks, span.droppedLinks);
}

function writeStatus(writer: ProtobufWriter, span: RecordedSpan): void {
  const start = writer.open(SPAN.status, INNER_LENGTH_BYTES);
  if (span.statusMessage !== "") {
    writer.string(STATUS.message, shownName(span.statusMessage));
  }
  writer.integer(STATUS.code, span.statusCode);
  writer.close(start, INNER_LENGTH_BYTES);
}

/** Redacted before it is cut, or half a secret could be left at the end. */
function shownName(text: string): string {
  return redactedText(text.slice(0, NAME_CHARACTERS_MAX * 2)).slice(0, NAME_CHARACTERS_MAX);
}
