/**
 * Export requests of log records as a shop would send them: encoded once, stamped for each sending.
 *
 * Layout (OTLP 1.11, `opentelemetry/proto/logs/v1/logs.proto`):
 *   ExportLogsServiceRequest { 1 ResourceLogs { 1 Resource, 2 ScopeLogs } }
 *   ScopeLogs { 1 Scope, 2 LogRecord* }
 *   LogRecord { 1 fixed64 time, 2 varint severity, 3 string level, 5 AnyValue body,
 *               6 KeyValue attribute*, 9 bytes trace id, 10 bytes span id, 11 fixed64 observed }
 * The request's number stands in each record uid and transaction ID with a fixed width of digits,
 * so a request that was encoded before is made a new one by writing those digits again.
 */
import { ATTRIBUTE, SEMANTIC } from "@clew/instrumentation/names";
import { pickSentence } from "./log-sentences.ts";
import { fields } from "./protobuf-fields.ts";
import { type Random, seededRandom } from "./seeded-random.ts";

export const RECORDS_PER_REQUEST = 1000;
export const RECORDS_PER_TRANSACTION = 10;
export const TRANSACTIONS_PER_REQUEST = RECORDS_PER_REQUEST / RECORDS_PER_TRANSACTION;

const NUMBER_DIGITS = 8;
const PLACE_DIGITS = 5;
const NUMBER_MARK = "#".repeat(NUMBER_DIGITS);
const NANOSECONDS_PER_RECORD = 1000n;
const LEVELS = [
  { number: 9, text: "INFO" },
  { number: 9, text: "INFO" },
  { number: 9, text: "INFO" },
  { number: 5, text: "DEBUG" },
  { number: 13, text: "WARN" },
  { number: 17, text: "ERROR" },
] as const;
export const SCOPE = "shop.orders";
export const SERVICE: Attributes = {
  [SEMANTIC.serviceName]: "shop",
  "service.version": "1.4.2",
  [SEMANTIC.hostName]: "node-07",
  "deployment.environment.name": "prod",
};

export interface LogRequest {
  readonly bytes: Buffer;
  /** Where the request's number stands. */
  readonly numberOffsets: readonly number[];
}

export interface LogRequestOrder {
  readonly runId: string;
  readonly seed: number;
  readonly startNs: bigint;
  /** `RECORDS_PER_REQUEST` where absent. */
  readonly records?: number;
}

/** One record before it is written in either of OTLP's encodings. */
export interface LogEntry {
  readonly timeNs: bigint;
  readonly level: { readonly number: number; readonly text: string };
  readonly text: string;
  readonly attributes: Attributes;
  readonly traceId: Buffer;
  readonly spanId: Buffer;
}

export type Attributes = Readonly<Record<string, string | number>>;

/** One request; the same `seed` gives the same words. */
export function encodeLogRequest(order: LogRequestOrder): LogRequest {
  const bytes = encodeLogEntries(makeLogEntries(order));
  return { bytes, numberOffsets: offsetsOf(bytes, NUMBER_MARK) };
}

/** A request of these records. */
export function encodeLogEntries(entries: readonly LogEntry[]): Buffer {
  return encodeExport(entries.map(encodeRecord));
}

/** An export request of records that are encoded already; of spans it has the same numbers. */
export function encodeExport(records: readonly Buffer[]): Buffer {
  const resource = fields.bytes(1, encodeAttributes(1, SERVICE));
  const scope = fields.bytes(1, fields.text(1, SCOPE));
  const scoped = Buffer.concat([scope, ...records.map((record) => fields.bytes(2, record))]);
  return fields.bytes(1, Buffer.concat([resource, fields.bytes(2, scoped)]));
}

/** Makes it the request of this number: unique record uids and transaction IDs. */
export function stampLogRequest({ bytes, numberOffsets }: LogRequest, number: number): Buffer {
  const digits = Buffer.from(formatNumber(number));
  for (const offset of numberOffsets) digits.copy(bytes, offset);
  return bytes;
}

/** The ID of the transaction of this number, counted over all requests. */
export function transactionId(runId: string, transaction: number): string {
  const request = Math.floor(transaction / TRANSACTIONS_PER_REQUEST);
  return formatId({
    runId,
    request: formatNumber(request),
    place: transaction % TRANSACTIONS_PER_REQUEST,
  });
}

/** The records of a request, whose number is still a mark in their ids. */
export function makeLogEntries(order: LogRequestOrder): readonly LogEntry[] {
  const random = seededRandom(order.seed);
  const length = order.records ?? RECORDS_PER_REQUEST;
  return Array.from({ length }, (_, place) => makeEntry({ ...order, random, place }));
}

function makeEntry(record: {
  readonly runId: string;
  readonly startNs: bigint;
  readonly random: Random;
  readonly place: number;
}): LogEntry {
  const { runId, startNs, random, place } = record;
  const level = random.pick(LEVELS);
  const sentence = pickSentence(random);
  const transaction = Math.floor(place / RECORDS_PER_TRANSACTION);
  const ids = {
    [ATTRIBUTE.recordUid]: formatId({ runId, request: NUMBER_MARK, place }),
    [ATTRIBUTE.transactionId]: formatId({ runId, request: NUMBER_MARK, place: transaction }),
  };
  return {
    timeNs: startNs + BigInt(place) * NANOSECONDS_PER_RECORD,
    level,
    text: sentence.text,
    attributes: { ...ids, ...sentence.attributes },
    traceId: random.bytes(16),
    spanId: random.bytes(8),
  };
}

function encodeRecord(entry: LogEntry): Buffer {
  return Buffer.concat([
    fields.fixed64(1, entry.timeNs),
    fields.varint(2, entry.level.number),
    fields.text(3, entry.level.text),
    fields.bytes(5, fields.text(1, entry.text)),
    encodeAttributes(6, entry.attributes),
    fields.bytes(9, entry.traceId),
    fields.bytes(10, entry.spanId),
    fields.fixed64(11, entry.timeNs),
  ]);
}

/** Repeated `KeyValue { 1 = key, 2 = AnyValue { 1 string | 3 int } }` under `number`. */
export function encodeAttributes(number: number, values: Attributes): Buffer {
  const encoded = Object.entries(values).map(([key, value]) => {
    const any = typeof value === "number" ? fields.varint(3, value) : fields.text(1, value);
    return fields.bytes(number, Buffer.concat([fields.text(1, key), fields.bytes(2, any)]));
  });
  return Buffer.concat(encoded);
}

function formatId(parts: {
  readonly runId: string;
  readonly request: string;
  readonly place: number;
}): string {
  const place = String(parts.place).padStart(PLACE_DIGITS, "0");
  return `${parts.runId}-${parts.request}-${place}`;
}

function formatNumber(number: number): string {
  return String(number).padStart(NUMBER_DIGITS, "0");
}

function offsetsOf(bytes: Buffer, mark: string): readonly number[] {
  const offsets: number[] = [];
  for (let at = bytes.indexOf(mark); at !== -1; at = bytes.indexOf(mark, at + mark.length)) {
    offsets.push(at);
  }
  return offsets;
}
