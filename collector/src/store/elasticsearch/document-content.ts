import { ClewError } from "../../errors.ts";
import { ProtobufReader } from "../../otlp/protobuf-reader.ts";
import type { Attributes, IncomingRecord } from "../../record.ts";
import { readAnyValue } from "../embedded/any-value.ts";
import { SPAN_KINDS, toStoredRecord, UNREADABLE } from "../embedded/stored-record.ts";
import { indexAttributes } from "./document-attributes.ts";
import { copyField, copySpanStatus, writeSpan, writeSpanStart } from "./document-span.ts";
import { writeMessageAndWords, writeWords } from "./document-words.ts";
import { JsonAttributes } from "./json-attributes.ts";
import type { JsonBuffer } from "./json-buffer.ts";

/** Fields of `LogRecord` and `Span` (opentelemetry/proto), with their wire types. */
const LOG = { severityText: 0x1a, body: 0x2a, attributes: 0x32, eventName: 0x62 } as const;
const SPAN = {
  name: 0x2a,
  kind: 0x30,
  attributes: 0x4a,
  event: 0x5a,
  link: 0x6a,
  status: 0x7a,
} as const;
const VALUE_STRING = 0x0a;

const ATTRIBUTES = Buffer.from(',"attributes":');
const NUMBERS = Buffer.from(',"numbers":');
const SEVERITY_TEXT = Buffer.from(',"severity_text":');
const MESSAGE = Buffer.from(',"message":');
const KEPT_BODY = Buffer.from(',"body":true');
const KEPT_PAYLOAD = Buffer.from(',"payload":');
const END_OBJECT = 0x7d;

/**
 * Writes what the `LogRecord` or `Span` says itself: attributes, message, severity text, span. Each
 * field of it is copied straight from the message; what comes in no usual form is decoded by the
 * very functions that the embedded store answers with, and written from that.
 */
export class DocumentContent {
  readonly #attributes = new JsonAttributes();
  #unindexed: readonly string[] = [];
  #hasBody = false;
  #kept: Attributes | undefined;
  #payload: Uint8Array | undefined;

  /** Of the record written last: names of fields (FIELD.unindexed). */
  get unindexed(): readonly string[] {
    return this.#unindexed;
  }

  write(out: JsonBuffer, record: IncomingRecord): void {
    this.#hasBody = false;
    this.#kept = undefined;
    this.#payload = undefined;
    this.#attributes.begin();
    const start = out.length;
    if (!this.#copy(out, record)) {
      out.length = start;
      this.#hasBody = false;
      this.#writeDecoded(out, record);
    } else {
      const { unindexed } = this.#attributes;
      this.#unindexed = unindexed.length === 0 ? unindexed : unindexed.map(fieldOfAttribute);
    }
  }

  /** Of the record written last: what is kept only, as fields of `clew` with commas before. */
  writeKept(out: JsonBuffer): void {
    if (this.#hasBody) out.raw(KEPT_BODY);
    if (this.#kept !== undefined) out.field(ATTRIBUTES, JSON.stringify(this.#kept));
    if (this.#payload === undefined) return;
    out.raw(KEPT_PAYLOAD);
    out.text(Buffer.from(this.#payload).toString("base64"));
  }

  /** Answers false, with half of it written, where it has to be decoded. */
  #copy(out: JsonBuffer, record: IncomingRecord): boolean {
    const { kind, payload } = record;
    const reader = new ProtobufReader(bufferOf(payload));
    try {
      return kind === "log"
        ? this.#copyLog(out, reader, record)
        : this.#copySpan(out, reader, record);
    } catch (thrown) {
      if (thrown instanceof ClewError && thrown.code === "REQUEST_MALFORMED") return false;
      throw thrown;
    }
  }

  #copyLog(out: JsonBuffer, reader: ProtobufReader, record: IncomingRecord): boolean {
    let severityTextAt = -1;
    let bodyAt = -1;
    let eventNameAt = -1;
    while (!reader.isAtEnd()) {
      const tag = reader.tag();
      if (tag === LOG.attributes) {
        if (!this.#attributes.add(out, reader)) return false;
        continue;
      }
      if (tag === LOG.severityText) severityTextAt = reader.position;
      else if (tag === LOG.eventName) eventNameAt = reader.position;
      else if (tag === LOG.body) {
        if (bodyAt >= 0) return false;
        bodyAt = reader.position;
      }
      reader.skip(tag & 7);
    }
    if (eventNameAt >= 0) {
      reader.position = eventNameAt;
      if (!this.#attributes.addEventName(out, reader)) return false;
    }
    this.#attributes.finish(out);
    if (severityTextAt >= 0) {
      reader.position = severityTextAt;
      copyField(out, SEVERITY_TEXT, reader);
    }
    reader.position = bodyAt;
    if (bodyAt >= 0) this.#copyBody(out, reader, record.text);
    else writeWords(out, record.text);
    return true;
  }

  #copyBody(out: JsonBuffer, reader: ProtobufReader, text: string): void {
    const at = reader.position;
    const end = reader.enter();
    const start = reader.position;
    if (start < end && reader.buffer[start] === VALUE_STRING) {
      reader.position = start + 1;
      const stringAt = reader.position;
      if (reader.enter() === end) {
        reader.position = stringAt;
        writeMessage(out, reader, text);
        return;
      }
    }
    reader.position = at;
    const body = readAnyValue(reader);
    this.#hasBody = body !== null && typeof body !== "string";
    out.field(MESSAGE, this.#hasBody ? JSON.stringify(body) : String(body ?? ""));
    writeWords(out, text);
  }

  #copySpan(out: JsonBuffer, reader: ProtobufReader, record: IncomingRecord): boolean {
    let nameAt = -1;
    let statusAt = -1;
    let kind = 0;
    while (!reader.isAtEnd()) {
      const tag = reader.tag();
      if (tag === SPAN.attributes) {
        if (!this.#attributes.add(out, reader)) return false;
        continue;
      }
      if (tag === SPAN.kind) {
        kind = reader.varint32();
        continue;
      }
      if (tag === SPAN.event || tag === SPAN.link) return false;
      if (tag === SPAN.name) nameAt = reader.position;
      else if (tag === SPAN.status) {
        if (statusAt >= 0) return false;
        statusAt = reader.position;
      }
      reader.skip(tag & 7);
    }
    this.#attributes.finish(out);
    reader.position = nameAt;
    if (nameAt >= 0) writeMessage(out, reader, record.text);
    else writeWords(out, record.text);
    writeSpanStart(out, SPAN_KINDS[kind] ?? "unspecified", record);
    reader.position = statusAt;
    if (statusAt >= 0) copySpanStatus(out, reader);
    out.byte(END_OBJECT);
    return true;
  }

  #writeDecoded(out: JsonBuffer, record: IncomingRecord): void {
    const nowhere = { timeNs: 0n, receivedNs: 0n, resource: {}, scope: "" };
    const stored = toStoredRecord({ ...record, ...nowhere });
    const { indexed, numbers, unindexed } = indexAttributes(stored.attributes);
    out.raw(ATTRIBUTES);
    out.utf8(JSON.stringify(indexed));
    if (numbers.size > 0) {
      out.raw(NUMBERS);
      out.utf8(JSON.stringify(Object.fromEntries(numbers)));
    }
    out.field(SEVERITY_TEXT, stored.severityText);
    out.field(MESSAGE, stored.message);
    writeWords(out, record.text);
    if (stored.span !== null) writeSpan(out, stored.span, record);
    this.#unindexed = unindexed.map(fieldOfAttribute);
    this.#hasBody = stored.body !== null;
    if (indexed !== stored.attributes) this.#kept = stored.attributes;
    if (stored.message === UNREADABLE) this.#payload = record.payload;
  }
}

function fieldOfAttribute(path: string): string {
  return `attributes.${path}`;
}

function bufferOf(bytes: Uint8Array): Buffer {
  if (Buffer.isBuffer(bytes)) return bytes;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The message, which the cursor stands before, and the words that it is found by. */
function writeMessage(out: JsonBuffer, reader: ProtobufReader, text: string): void {
  const at = reader.position;
  const end = reader.enter();
  const { buffer: source, position: start } = reader;
  if (writeMessageAndWords(out, { source, start, end }, text)) return;
  reader.position = at;
  copyField(out, MESSAGE, reader);
  writeWords(out, text);
}
