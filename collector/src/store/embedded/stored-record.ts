/** A stored row as the query API gives it: the OTLP message decoded into plain JSON. */
import { ATTRIBUTE } from "@clew/instrumentation/names";
import { ClewError } from "../../errors.ts";
import { ProtobufReader, WIRE } from "../../otlp/protobuf-reader.ts";
import type {
  Attributes,
  AttributeValue,
  RecordKind,
  StoredRecord,
  StoredSpan,
} from "../../record.ts";
import { eachField, readAnyValue, readKeyValue, toAttributes } from "./any-value.ts";

/** What is kept beside the message, because it was decided when the record was taken in. */
export interface RecordRow {
  readonly id: string;
  readonly kind: RecordKind;
  readonly timeNs: bigint;
  readonly receivedNs: bigint;
  readonly durationNs: bigint;
  readonly transactionId: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly service: string;
  readonly severityNumber: number;
  readonly isError: boolean;
  readonly resource: Attributes;
  readonly scope: string;
  /** A `LogRecord` or `Span`. */
  readonly payload: Uint8Array;
}

/** Shown in place of the message of a record whose bytes cannot be read. */
export const UNREADABLE = "(the bytes of this record cannot be read)";
type MessageRow = Pick<RecordRow, "kind" | "payload">;

const NS_PER_MS = 1_000_000n;
export const SPAN_KINDS = ["unspecified", "internal", "server", "client", "producer", "consumer"];
export const SPAN_STATUSES = ["unset", "ok", "error"];

interface Content {
  message: string;
  body: AttributeValue;
  severityText: string;
  eventName: string;
  spanKind: number;
  status: number;
  statusMessage: string;
  readonly attributes: Map<string, AttributeValue>;
  readonly events: StoredSpan["events"][number][];
  readonly links: StoredSpan["links"][number][];
}

/** Where a reader stands: behind the tag of this field. */
interface Field {
  readonly reader: ProtobufReader;
  readonly field: number;
  readonly wireType: number;
}

/** What a query may ask of the message itself. */
export type ReadMessage = Pick<StoredRecord, "message" | "body" | "attributes">;

export function readMessage(row: MessageRow): ReadMessage {
  const { message, body, attributes } = readContent(row);
  return { message, body, attributes: toAttributes(attributes) };
}

export function toStoredRecord(row: RecordRow): StoredRecord {
  const content = readContent(row);
  return {
    id: row.id,
    kind: row.kind,
    time: toRfc3339(row.timeNs),
    receivedAt: toRfc3339(row.receivedNs),
    transactionId: row.transactionId || null,
    traceId: row.traceId || null,
    spanId: row.spanId || null,
    parentSpanId: row.parentSpanId || null,
    service: row.service,
    severityText: content.severityText,
    severityNumber: row.severityNumber,
    message: content.message,
    body: content.body,
    isError: row.isError,
    attributes: toAttributes(content.attributes),
    resource: row.resource,
    scope: row.scope,
    span: row.kind === "span" ? toSpan(row, content) : null,
  };
}

/** UTC with nine digits of fraction. */
export function toRfc3339(timeNs: bigint): string {
  const seconds = new Date(Number(timeNs / NS_PER_MS)).toISOString().slice(0, -5);
  return `${seconds}.${String(timeNs % 1_000_000_000n).padStart(9, "0")}Z`;
}

/** Resource: 1 attributes. */
export function readResource(bytes: Uint8Array): Attributes {
  return readOr({}, () => {
    const attributes = new Map<string, AttributeValue>();
    eachTopField(bytes, (reader, field, wireType) => {
      if (field === 1 && wireType === WIRE.bytes) readKeyValue(reader, attributes);
      else reader.skip(wireType);
    });
    return toAttributes(attributes);
  });
}

/** InstrumentationScope: 1 name. */
export function readScopeName(bytes: Uint8Array): string {
  return readOr("", () => {
    let name = "";
    eachTopField(bytes, (reader, field, wireType) => {
      if (field === 1 && wireType === WIRE.bytes) name = reader.string();
      else reader.skip(wireType);
    });
    return name;
  });
}

function toSpan(row: RecordRow, content: Content): StoredSpan {
  return {
    kind: SPAN_KINDS[content.spanKind] ?? "unspecified",
    durationMs: Number(row.durationNs) / 1e6,
    status: SPAN_STATUSES[content.status] ?? "unset",
    statusMessage: content.statusMessage,
    events: content.events,
    links: content.links,
  };
}

/** One message that cannot be read must not hide the others of its page: it says so itself. */
function readContent({ kind, payload }: MessageRow): Content {
  const unreadable = { ...emptyContent(), message: UNREADABLE };
  return readOr(unreadable, () => {
    const content = emptyContent();
    const readField = kind === "log" ? readLogField : readSpanField;
    eachTopField(payload, (reader, field, wireType) => {
      if (!readField(content, { reader, field, wireType })) reader.skip(wireType);
    });
    if (content.eventName !== "" && !content.attributes.has(ATTRIBUTE.eventName)) {
      content.attributes.set(ATTRIBUTE.eventName, content.eventName);
    }
    return content;
  });
}

/**
 * LogRecord: 2 severity_number · 3 severity_text · 5 body · 6 attributes · 12 event_name.
 * Times and ids are the row's. Answers false where the field was left unread.
 */
function readLogField(content: Content, { reader, field, wireType }: Field): boolean {
  if (wireType !== WIRE.bytes) return false;
  if (field === 3) content.severityText = reader.string();
  else if (field === 5) readBody(content, reader);
  else if (field === 6) readKeyValue(reader, content.attributes);
  else if (field === 12) content.eventName = reader.string();
  else return false;
  return true;
}

function readBody(content: Content, reader: ProtobufReader): void {
  const body = readAnyValue(reader);
  content.body = typeof body === "string" ? null : body;
  if (body !== null) content.message = typeof body === "string" ? body : JSON.stringify(body);
}

/** Span: 5 name · 6 kind · 9 attributes · 11 events · 13 links · 15 Status{2 message, 3 code}. */
function readSpanField(content: Content, { reader, field, wireType }: Field): boolean {
  if (field === 6 && wireType === WIRE.varint) content.spanKind = reader.varint32();
  else if (wireType !== WIRE.bytes) return false;
  else if (field === 5) content.message = reader.string();
  else if (field === 9) readKeyValue(reader, content.attributes);
  else if (field === 11) content.events.push(readEvent(reader));
  else if (field === 13) content.links.push(readLink(reader));
  else if (field === 15) readStatus(content, reader);
  else return false;
  return true;
}

function readStatus(content: Content, reader: ProtobufReader): void {
  eachField(reader, (field, wireType) => {
    if (field === 2 && wireType === WIRE.bytes) content.statusMessage = reader.string();
    else if (field === 3 && wireType === WIRE.varint) content.status = reader.varint32();
    else reader.skip(wireType);
  });
}

/** Event: 1 time_unix_nano · 2 name · 3 attributes. */
function readEvent(reader: ProtobufReader): Content["events"][number] {
  let timeNs = 0n;
  let name = "";
  const attributes = new Map<string, AttributeValue>();
  eachField(reader, (field, wireType) => {
    if (field === 1 && wireType === WIRE.fixed64) timeNs = reader.fixed64();
    else if (field === 2 && wireType === WIRE.bytes) name = reader.string();
    else if (field === 3 && wireType === WIRE.bytes) readKeyValue(reader, attributes);
    else reader.skip(wireType);
  });
  return { name, time: toRfc3339(timeNs), attributes: toAttributes(attributes) };
}

/** Link: 1 trace_id · 2 span_id · 4 attributes. */
function readLink(reader: ProtobufReader): Content["links"][number] {
  let traceId = "";
  let spanId = "";
  const attributes = new Map<string, AttributeValue>();
  eachField(reader, (field, wireType) => {
    if (field === 1 && wireType === WIRE.bytes) traceId = reader.hex();
    else if (field === 2 && wireType === WIRE.bytes) spanId = reader.hex();
    else if (field === 4 && wireType === WIRE.bytes) readKeyValue(reader, attributes);
    else reader.skip(wireType);
  });
  return { traceId, spanId, attributes: toAttributes(attributes) };
}

function eachTopField(
  bytes: Uint8Array,
  visit: (reader: ProtobufReader, field: number, wireType: number) => void,
): void {
  const reader = new ProtobufReader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  while (!reader.isAtEnd()) {
    const tag = reader.tag();
    visit(reader, tag >>> 3, tag & 7);
  }
}

function readOr<T>(fallback: T, read: () => T): T {
  try {
    return read();
  } catch (thrown) {
    if (thrown instanceof ClewError && thrown.code === "REQUEST_MALFORMED") return fallback;
    throw thrown;
  }
}

function emptyContent(): Content {
  return {
    ...{ message: "", body: null, severityText: "", eventName: "" },
    ...{ spanKind: 0, status: 0, statusMessage: "" },
    ...{ attributes: new Map(), events: [], links: [] },
  };
}
