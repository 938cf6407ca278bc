import type { ProtobufReader } from "../../otlp/protobuf-reader.ts";
import type { IncomingRecord, StoredSpan } from "../../record.ts";
import { SPAN_STATUSES } from "../embedded/stored-record.ts";
import { OPERATION_CHARS_MAX } from "../embedded/transaction-state.ts";
import type { JsonBuffer } from "./json-buffer.ts";
import { storedTimeNs } from "./json-time.ts";

/** Fields of `Status` (opentelemetry/proto/trace/v1), with their wire types. */
const STATUS = { message: 0x12, code: 0x18 } as const;

const SPAN_KIND = Buffer.from(',"span":{"kind":');
const NAME = Buffer.from(',"name":');
const DURATION = Buffer.from(',"duration":');
const STATUS_CODE = Buffer.from(',"status":');
const STATUS_MESSAGE = Buffer.from(',"status_message":');
const EVENTS = Buffer.from(',"events":');
const LINKS = Buffer.from(',"links":');
const END_OBJECT = 0x7d;

/** A span, from what was decoded of it. */
export function writeSpan(out: JsonBuffer, span: StoredSpan, record: IncomingRecord): void {
  const { kind, status, statusMessage, events, links } = span;
  writeSpanStart(out, kind, record);
  writeStatus(out, status);
  out.field(STATUS_MESSAGE, statusMessage);
  if (events.length > 0) {
    out.raw(EVENTS);
    out.utf8(JSON.stringify(events));
  }
  if (links.length > 0) {
    out.raw(LINKS);
    out.utf8(JSON.stringify(links));
  }
  out.byte(END_OBJECT);
}

/** The object `span` with what every span has; it is not ended. */
export function writeSpanStart(out: JsonBuffer, kind: string, record: IncomingRecord): void {
  const { text, durationNs } = record;
  out.raw(SPAN_KIND);
  out.text(kind);
  const isLong = text.length > OPERATION_CHARS_MAX;
  out.field(NAME, isLong ? text.slice(0, OPERATION_CHARS_MAX) : text);
  out.raw(DURATION);
  const duration = Number(durationNs);
  if (duration <= Number.MAX_SAFE_INTEGER) out.unsigned(duration);
  else out.utf8(String(storedTimeNs(durationNs)));
}

/** Status: 2 message · 3 code; `unset` is not written. */
export function copySpanStatus(out: JsonBuffer, reader: ProtobufReader): void {
  const end = reader.enter();
  reader.end = end;
  let messageAt = -1;
  let code = 0;
  while (reader.position < end) {
    const tag = reader.tag();
    if (tag === STATUS.code) {
      code = reader.varint32();
      continue;
    }
    if (tag === STATUS.message) messageAt = reader.position;
    reader.skip(tag & 7);
  }
  writeStatus(out, SPAN_STATUSES[code] ?? "unset");
  reader.position = messageAt;
  if (messageAt >= 0) copyField(out, STATUS_MESSAGE, reader);
}

function writeStatus(out: JsonBuffer, status: string): void {
  if (status !== "unset") out.field(STATUS_CODE, status);
}

/** A field of bytes as a string, the cursor before it; nothing where it is empty. */
export function copyField(out: JsonBuffer, field: Buffer, reader: ProtobufReader): void {
  const end = reader.enter();
  if (reader.position === end) return;
  out.raw(field);
  out.string(reader.buffer, reader.position, end);
  reader.position = end;
}
