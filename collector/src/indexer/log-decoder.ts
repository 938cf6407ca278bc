import { ATTRIBUTE, EVENT, SEMANTIC } from "@clew/instrumentation/names";
import type { ProtobufReader } from "../otlp/protobuf-reader.ts";
import { type IncomingRecord, SEVERITY_ERROR } from "../record.ts";
import {
  type ByteRange,
  decodeAnyValue,
  findScalarText,
  findStringRange,
  isTrue,
  TEXT_BYTES_MAX,
  textOf,
} from "./any-value.ts";
import { AttributeScan } from "./attribute-scan.ts";
import { findDeadline } from "./find-deadline.ts";
import { findId, SPAN_ID_BYTES, skipId, TRACE_ID_BYTES } from "./find-id.ts";
import { findRunReport } from "./find-run-report.ts";
import { findUidSequence } from "./find-sequence.ts";
import { findStatus } from "./find-status.ts";
import { findTime } from "./find-time.ts";
import { findTransactionId, type RecordSource } from "./resource-decoder.ts";
import type { TransactionKeys } from "./transaction-keys.ts";

/** `opentelemetry.proto.logs.v1.LogRecord`, field number << 3 | wire type. */
const TAG = {
  time: 0x09,
  severityNumber: 0x10,
  body: 0x2a,
  attributes: 0x32,
  traceId: 0x4a,
  spanId: 0x52,
  observedTime: 0x59,
  eventName: 0x62,
} as const;

/** Indexes of what is looked for among the attributes. */
const WANTED = [
  ATTRIBUTE.recordUid,
  ATTRIBUTE.transactionStatus,
  SEMANTIC.exceptionType,
  SEMANTIC.exceptionMessage,
  SEMANTIC.exceptionStacktrace,
  ATTRIBUTE.transactionDeadlineMs,
  ATTRIBUTE.eventName,
  ATTRIBUTE.afterSpan,
];
const RECORD_UID = 0;
const TRANSACTION_STATUS = 1;
const EXCEPTION_TYPE = 2;
const EXCEPTION_MESSAGE = 3;
const EXCEPTION_STACKTRACE = 4;
const DEADLINE = 5;
const EVENT_NAME = 6;
const AFTER_SPAN = 7;

const TRANSACTION_EVENTS: ReadonlySet<string> = new Set([
  EVENT.transactionStep,
  EVENT.transactionCompensation,
  EVENT.transactionDeadline,
  EVENT.transactionEnd,
]);
const UID_CHARACTERS_MAX = 128;
const JSON_OBJECT_START = 0x7b;

/** Decodes log records one after another. */
export class LogDecoder {
  readonly #keys: TransactionKeys;
  readonly #scan: AttributeScan;

  constructor(keys: TransactionKeys) {
    this.#keys = keys;
    this.#scan = new AttributeScan([...WANTED, ...keys.names]);
  }

  /** Reads the record at the cursor, the `index`th of its message. */
  decode(reader: ProtobufReader, source: RecordSource, index: number): IncomingRecord {
    const { buffer } = reader;
    const end = reader.enter();
    const start = reader.position;
    const fields = this.#readFields(reader, end);
    const body = this.#readBody(buffer, fields.body);
    const transactionId =
      findTransactionId(this.#scan, { buffer, first: WANTED.length, keys: this.#keys }) ||
      body.transactionId ||
      source.resourceTransactionId;
    const observedNs = findTime(buffer, fields.observedAt);
    const timeNs = findTime(buffer, fields.timeAt) || observedNs || source.receivedNs;
    const payload = buffer.subarray(start, end);
    const event = this.#eventName(buffer, fields.eventName);
    const report =
      event === EVENT.instanceReport ? findRunReport({ payload, timeNs, source }) : null;
    const uid = this.#uid(buffer);
    return {
      kind: "log",
      id: uid || `${source.idPrefix}${index}`,
      mayRepeat: source.mayRepeat,
      receivedNs: source.receivedNs,
      timeNs,
      durationNs: 0n,
      transactionId: report === null ? transactionId : "",
      traceId: findId(buffer, { start: fields.traceIdAt, bytes: TRACE_ID_BYTES }),
      spanId: findId(buffer, { start: fields.spanIdAt, bytes: SPAN_ID_BYTES }),
      parentSpanId: "",
      service: source.service,
      severityNumber: fields.severityNumber,
      isError: fields.severityNumber >= SEVERITY_ERROR,
      spanKind: 0,
      isEntry: false,
      transactionStatus: findStatus(buffer, this.#scan, TRANSACTION_STATUS),
      deadlineNs: findDeadline(buffer, this.#scan, DEADLINE),
      isTransactionEvent: event !== "" && TRANSACTION_EVENTS.has(event),
      runId: source.runId,
      sequence: findUidSequence(uid, source.runId),
      numberedNs: observedNs || timeNs,
      isAfterSpan: this.#scan.has(AFTER_SPAN) && isTrue(buffer, this.#scan.range(AFTER_SPAN)),
      report,
      text: this.#withException(buffer, body.text || fields.eventName),
      resource: source.resource,
      resourceSchemaUrl: source.resourceSchemaUrl,
      scope: source.scope,
      scopeSchemaUrl: source.scopeSchemaUrl,
      payload,
    };
  }

  #readFields(reader: ProtobufReader, end: number): LogFields {
    const outer = reader.end;
    reader.end = end;
    this.#scan.reset();
    const fields: LogFields = {
      timeAt: -1,
      observedAt: -1,
      traceIdAt: -1,
      spanIdAt: -1,
      severityNumber: 0,
      body: NO_BODY,
      eventName: "",
    };
    while (reader.position < end) {
      const tag = reader.tag();
      if (tag === TAG.attributes) this.#scan.add(reader);
      else if (tag === TAG.time) fields.timeAt = reader.skipFixed64();
      else if (tag === TAG.observedTime) fields.observedAt = reader.skipFixed64();
      else if (tag === TAG.severityNumber) fields.severityNumber = reader.varint32();
      else if (tag === TAG.traceId) fields.traceIdAt = skipId(reader, TRACE_ID_BYTES);
      else if (tag === TAG.spanId) fields.spanIdAt = skipId(reader, SPAN_ID_BYTES);
      else if (tag === TAG.eventName) fields.eventName = reader.string();
      else if (tag === TAG.body) {
        const bodyEnd = reader.enter();
        fields.body = { start: reader.position, end: bodyEnd };
        reader.position = bodyEnd;
      } else reader.skip(tag & 7);
    }
    reader.end = outer;
    return fields;
  }

  /** A string as it is, anything else as compact JSON; and the transaction ID that it may hold. */
  #readBody(buffer: Buffer, range: ByteRange): { text: string; transactionId: string } {
    const characters = findStringRange(buffer, range);
    if (characters === undefined) return this.#readValueBody(buffer, range);
    const text = textOf(buffer, characters);
    if (buffer[characters.start] !== JSON_OBJECT_START) return { text, transactionId: "" };
    const isCut = characters.end - characters.start > TEXT_BYTES_MAX;
    const json = isCut ? buffer.toString("utf8", characters.start, characters.end) : text;
    return { text, transactionId: this.#keys.findInJson(json) };
  }

  #readValueBody(buffer: Buffer, range: ByteRange): { text: string; transactionId: string } {
    const value = decodeAnyValue(buffer, range);
    if (value === null) return { text: "", transactionId: "" };
    if (typeof value === "string") return { text: cut(value), transactionId: "" };
    return { text: cut(JSON.stringify(value)), transactionId: this.#keys.findInObject(value) };
  }

  /** The field of newer SDKs, or the attribute of before; most records have neither. */
  #eventName(buffer: Buffer, field: string): string {
    if (field !== "" || !this.#scan.has(EVENT_NAME)) return field;
    return findScalarText(buffer, this.#scan.range(EVENT_NAME)) ?? "";
  }

  #uid(buffer: Buffer): string {
    if (!this.#scan.has(RECORD_UID)) return "";
    const uid = findScalarText(buffer, this.#scan.range(RECORD_UID)) ?? "";
    return uid.length <= UID_CHARACTERS_MAX ? uid : "";
  }

  /** What was thrown, so that search finds it: its type and message, else how its stack begins. */
  #withException(buffer: Buffer, text: string): string {
    const scan = this.#scan;
    const hasMessage = scan.has(EXCEPTION_MESSAGE) || scan.has(EXCEPTION_TYPE);
    if (!hasMessage && !scan.has(EXCEPTION_STACKTRACE)) return text;
    const parts = hasMessage ? [EXCEPTION_TYPE, EXCEPTION_MESSAGE] : [EXCEPTION_STACKTRACE];
    const found = parts
      .map((part) => (scan.has(part) ? findScalarText(buffer, scan.range(part)) : undefined))
      .filter((part) => part !== undefined && part !== "");
    const thrown = hasMessage ? found.join(": ") : (found[0]?.split("\n", 1)[0] ?? "");
    if (thrown === "" || text.includes(thrown)) return text;
    return text === "" ? thrown : `${text}\n${thrown}`;
  }
}

interface LogFields {
  timeAt: number;
  observedAt: number;
  traceIdAt: number;
  spanIdAt: number;
  severityNumber: number;
  body: ByteRange;
  eventName: string;
}

const NO_BODY: ByteRange = { start: 0, end: 0 };

function cut(text: string): string {
  return text.length <= TEXT_BYTES_MAX ? text : text.slice(0, TEXT_BYTES_MAX);
}
