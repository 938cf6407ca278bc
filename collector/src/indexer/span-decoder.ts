import { ATTRIBUTE } from "@clew/instrumentation/names";
import type { ProtobufReader } from "../otlp/protobuf-reader.ts";
import type { IncomingRecord } from "../record.ts";
import { isTrue, textOf } from "./any-value.ts";
import { AttributeScan } from "./attribute-scan.ts";
import { findDeadline } from "./find-deadline.ts";
import { findId, SPAN_ID_BYTES, skipId, TRACE_ID_BYTES } from "./find-id.ts";
import { findSpanSequence } from "./find-sequence.ts";
import { findSources } from "./find-sources.ts";
import { findStatus } from "./find-status.ts";
import { findTime } from "./find-time.ts";
import { findTransactionId, type RecordSource } from "./resource-decoder.ts";
import type { TransactionKeys } from "./transaction-keys.ts";

/** `opentelemetry.proto.trace.v1.Span`, field number << 3 | wire type. */
const TAG = {
  traceId: 0x0a,
  spanId: 0x12,
  parentSpanId: 0x22,
  name: 0x2a,
  kind: 0x30,
  startTime: 0x39,
  endTime: 0x41,
  attributes: 0x4a,
  status: 0x7a,
} as const;
/** `Status.code` and its value for an error. */
const TAG_STATUS_CODE = 0x18;
const STATUS_ERROR = 2;

/** Indexes of what is looked for among the attributes. */
const WANTED = [
  ATTRIBUTE.transactionStatus,
  ATTRIBUTE.transactionStart,
  ATTRIBUTE.transactionDeadlineMs,
  ATTRIBUTE.spanSequence,
  ATTRIBUTE.transactionSources,
];
const TRANSACTION_STATUS = 0;
const TRANSACTION_START = 1;
const DEADLINE = 2;
const SEQUENCE = 3;
const SOURCES = 4;

/** Decodes spans one after another. */
export class SpanDecoder {
  readonly #keys: TransactionKeys;
  readonly #scan: AttributeScan;

  constructor(keys: TransactionKeys) {
    this.#keys = keys;
    this.#scan = new AttributeScan([...WANTED, ...keys.names]);
  }

  /** Reads the span at the cursor, the `index`th of its message. */
  decode(reader: ProtobufReader, source: RecordSource, index: number): IncomingRecord {
    const { buffer } = reader;
    const end = reader.enter();
    const start = reader.position;
    const fields = this.#readFields(reader, end);
    const traceId = findId(buffer, { start: fields.traceIdAt, bytes: TRACE_ID_BYTES });
    const spanId = findId(buffer, { start: fields.spanIdAt, bytes: SPAN_ID_BYTES });
    const parentSpanId = findId(buffer, { start: fields.parentIdAt, bytes: SPAN_ID_BYTES });
    const startNs = findTime(buffer, fields.startAt);
    const endNs = findTime(buffer, fields.endAt);
    const timeNs = startNs || source.receivedNs;
    const durationNs = startNs !== 0n && endNs > startNs ? endNs - startNs : 0n;
    const scan = this.#scan;
    const transactionId =
      findTransactionId(scan, { buffer, first: WANTED.length, keys: this.#keys }) ||
      source.resourceTransactionId;
    const sources = findSources(buffer, scan, { index: SOURCES, spanKind: fields.kind });
    const isStart = scan.has(TRANSACTION_START) && isTrue(buffer, scan.range(TRANSACTION_START));
    return {
      kind: "span",
      // Client and server may share one span id (B3 propagation), so the kind belongs to the name.
      id:
        traceId === "" || spanId === ""
          ? `${source.idPrefix}${index}`
          : `${traceId}-${spanId}-s${fields.kind}`,
      mayRepeat: source.mayRepeat,
      receivedNs: source.receivedNs,
      timeNs,
      durationNs,
      transactionId,
      ...(sources.length > 0 && { sourceTransactionIds: sources }),
      traceId,
      spanId,
      parentSpanId,
      service: source.service,
      severityNumber: 0,
      isError: fields.statusCode === STATUS_ERROR,
      spanKind: fields.kind,
      isEntry: parentSpanId === "" || isStart,
      transactionStatus: findStatus(buffer, scan, TRANSACTION_STATUS),
      deadlineNs: findDeadline(buffer, scan, DEADLINE),
      isTransactionEvent: false,
      runId: source.runId,
      sequence: source.runId === "" ? 0 : findSpanSequence(buffer, scan, SEQUENCE),
      numberedNs: timeNs + durationNs,
      isAfterSpan: false,
      report: null,
      text: fields.name,
      resource: source.resource,
      resourceSchemaUrl: source.resourceSchemaUrl,
      scope: source.scope,
      scopeSchemaUrl: source.scopeSchemaUrl,
      payload: buffer.subarray(start, end),
    };
  }

  #readFields(reader: ProtobufReader, end: number): SpanFields {
    const outer = reader.end;
    reader.end = end;
    this.#scan.reset();
    const fields: SpanFields = {
      traceIdAt: -1,
      spanIdAt: -1,
      parentIdAt: -1,
      startAt: -1,
      endAt: -1,
      kind: 0,
      statusCode: 0,
      name: "",
    };
    while (reader.position < end) {
      const tag = reader.tag();
      if (tag === TAG.attributes) this.#scan.add(reader);
      else if (tag === TAG.traceId) fields.traceIdAt = skipId(reader, TRACE_ID_BYTES);
      else if (tag === TAG.spanId) fields.spanIdAt = skipId(reader, SPAN_ID_BYTES);
      else if (tag === TAG.parentSpanId) fields.parentIdAt = skipId(reader, SPAN_ID_BYTES);
      else if (tag === TAG.name) fields.name = readName(reader);
      else if (tag === TAG.kind) fields.kind = reader.varint32();
      else if (tag === TAG.startTime) fields.startAt = reader.skipFixed64();
      else if (tag === TAG.endTime) fields.endAt = reader.skipFixed64();
      else if (tag === TAG.status) fields.statusCode = readStatusCode(reader);
      else reader.skip(tag & 7);
    }
    reader.end = outer;
    return fields;
  }
}

interface SpanFields {
  traceIdAt: number;
  spanIdAt: number;
  parentIdAt: number;
  startAt: number;
  endAt: number;
  kind: number;
  statusCode: number;
  name: string;
}

function readName(reader: ProtobufReader): string {
  const end = reader.enter();
  const name = textOf(reader.buffer, { start: reader.position, end });
  reader.position = end;
  return name;
}

function readStatusCode(reader: ProtobufReader): number {
  const outer = reader.end;
  const end = reader.enter();
  reader.end = end;
  let code = 0;
  while (reader.position < end) {
    const tag = reader.tag();
    if (tag === TAG_STATUS_CODE) code = reader.varint32();
    else reader.skip(tag & 7);
  }
  reader.end = outer;
  return code;
}
