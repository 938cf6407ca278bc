import type { IncomingRecord, RecordKind } from "../../record.ts";
import { durationBucket } from "../embedded/duration-histogram.ts";
import { DocumentContent } from "./document-content.ts";
import { reportFields } from "./document-report.ts";
import { type DocumentSource, DocumentSources } from "./document-source.ts";
import type { JsonBuffer } from "./json-buffer.ts";
import { JsonTime } from "./json-time.ts";

const US_PER_MS = 1000;
/** Enough for microseconds until the year 2286. */
const ORDER_DIGITS = 16;
const ORDER = '","order":';
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const QUOTE = 0x22;

const ACTION = Buffer.from('{"create":{"_id":');
const TIME = Buffer.from('}}\n{"@timestamp":"');
const TRANSACTION_ID = Buffer.from(',"transaction_id":');
const TRACE_ID = Buffer.from(',"trace_id":');
const SPAN_ID = Buffer.from(',"span_id":');
const PARENT_SPAN_ID = Buffer.from(',"parent_span_id":');
const SEVERITY_NUMBER = Buffer.from(',"severity_number":');
const END = Buffer.from('","end":"');
const NUMBERED = Buffer.from(',"numbered":"');
const SEQUENCE = Buffer.from(',"sequence":');
const DURATION_BUCKET = Buffer.from(',"duration_bucket":');
const ERROR = Buffer.from(',"error":true');
const ENTRY = Buffer.from(',"entry":true');
const EVENT = Buffer.from(',"event":true');
const AFTER_SPAN = Buffer.from(',"after_span":true');
const STATUS = Buffer.from(',"status":');
const DEADLINE = Buffer.from(',"deadline":"');
const UNINDEXED = Buffer.from(',"unindexed":');
const DOCUMENT_END = Buffer.from("}}\n");

interface CommonPart {
  readonly source: DocumentSource;
  readonly kind: RecordKind;
  readonly receivedNs: bigint;
  readonly bytes: Buffer;
}

/**
 * Writes records as the two lines that `_bulk` takes of each: what to do, and the document
 * (document-fields.ts). Bytes are copied out of the message, and no objects are made on the way.
 */
export class DocumentEncoder {
  readonly #sources = new DocumentSources();
  readonly #content = new DocumentContent();
  readonly #time = new JsonTime();
  readonly #nowMs: () => number;
  /** `","order":` and sixteen digits. */
  readonly #order = Buffer.from(ORDER + "1".padEnd(ORDER_DIGITS, "0"));
  #common: CommonPart | undefined;

  constructor({ nowMs }: { readonly nowMs: () => number }) {
    this.#nowMs = nowMs;
  }

  /** To be called before the records of a batch. */
  begin(): void {
    const next = Buffer.from(ORDER + String(this.#nowMs() * US_PER_MS).padStart(ORDER_DIGITS, "0"));
    if (next.compare(this.#order) > 0) this.#order.set(next);
  }

  /** To be called after them, so that nothing of their messages is held. */
  end(): void {
    this.#sources.forgetLast();
  }

  encode(out: JsonBuffer, record: IncomingRecord): void {
    const source = this.#sources.of(record);
    out.raw(ACTION);
    out.text(record.id);
    out.raw(TIME);
    const timeStart = out.length;
    this.#time.write(out, record.timeNs);
    const timeEnd = out.length;
    out.byte(QUOTE);
    out.field(TRANSACTION_ID, record.transactionId);
    writeHex(out, TRACE_ID, record.traceId);
    writeHex(out, SPAN_ID, record.spanId);
    writeHex(out, PARENT_SPAN_ID, record.parentSpanId);
    if (record.severityNumber !== 0) {
      out.raw(SEVERITY_NUMBER);
      out.unsigned(record.severityNumber);
    }
    this.#content.write(out, record);
    this.#writeCommon(out, record, source);
    if (record.durationNs === 0n) out.again(timeStart, timeEnd);
    else this.#time.write(out, record.timeNs + record.durationNs);
    this.#writeOrder(out);
    this.#writeFacts(out, record, { timeStart, timeEnd });
    this.#content.writeKept(out);
    if (record.report !== null) out.utf8(reportFields(record.report));
    const { unindexed } = this.#content;
    if (source.unindexed.length + unindexed.length > 0) {
      out.raw(UNINDEXED);
      out.utf8(JSON.stringify([...source.unindexed, ...unindexed]));
    }
    out.raw(DOCUMENT_END);
  }

  /** Nearly all records of a message have it in common. */
  #writeCommon(out: JsonBuffer, record: IncomingRecord, source: DocumentSource): void {
    const { kind, receivedNs, report } = record;
    const last = this.#common;
    if (
      last !== undefined &&
      last.source === source &&
      last.kind === kind &&
      last.receivedNs === receivedNs &&
      report === null
    ) {
      out.raw(last.bytes);
      return;
    }
    const run = report === null ? source.run : "";
    const start = out.length;
    out.utf8(`${source.json}${run}"kind":"${kind}","received":"`);
    this.#time.write(out, receivedNs);
    out.raw(END);
    const bytes = Buffer.from(out.bytes.subarray(start, out.length));
    if (report === null) this.#common = { source, kind, receivedNs, bytes };
  }

  /** The next number, in digits that are counted up in place. */
  #writeOrder(out: JsonBuffer): void {
    const digits = this.#order;
    out.raw(digits);
    let at = digits.length - 1;
    for (; digits[at] === DIGIT_9; at--) digits[at] = DIGIT_0;
    digits[at] = (digits[at] as number) + 1;
  }

  #writeFacts(
    out: JsonBuffer,
    record: IncomingRecord,
    { timeStart, timeEnd }: { readonly timeStart: number; readonly timeEnd: number },
  ): void {
    if (record.kind === "span") {
      out.raw(DURATION_BUCKET);
      out.unsigned(durationBucket(Number(record.durationNs)));
    }
    if (record.runId !== "") {
      out.raw(NUMBERED);
      if (record.numberedNs === record.timeNs) out.again(timeStart, timeEnd);
      else this.#time.write(out, record.numberedNs);
      out.byte(QUOTE);
    }
    if (record.sequence !== 0) {
      out.raw(SEQUENCE);
      out.unsigned(record.sequence);
    }
    if (record.isError) out.raw(ERROR);
    if (record.isEntry) out.raw(ENTRY);
    if (record.isTransactionEvent) out.raw(EVENT);
    if (record.isAfterSpan) out.raw(AFTER_SPAN);
    out.field(STATUS, record.transactionStatus);
    if (record.deadlineNs !== 0n) {
      out.raw(DEADLINE);
      this.#time.write(out, record.deadlineNs);
      out.byte(QUOTE);
    }
  }
}

function writeHex(out: JsonBuffer, field: Buffer, digits: string): void {
  if (digits === "") return;
  out.raw(field);
  out.plain(digits);
}
