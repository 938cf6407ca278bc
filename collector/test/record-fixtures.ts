/** Records as the store takes them, built field by field for tests. */
import type { IncomingRecord } from "../src/record.ts";
import type { DeadLetter, DeadLetterAct } from "../src/store/dead-letter.ts";
import type { WriteBatch } from "../src/store/store.ts";

/** An attribute value; bigint is an int64, a Uint8Array bytes, and so on as in OTLP. */
export type FixtureValue =
  | string
  | boolean
  | bigint
  | number
  | null
  | Uint8Array
  | readonly FixtureValue[]
  | { readonly [key: string]: FixtureValue };
export type FixtureAttributes = { readonly [key: string]: FixtureValue };

export interface LogFixture extends Partial<IncomingRecord> {
  readonly body?: FixtureValue;
  readonly severityText?: string;
  readonly eventName?: string;
  readonly attributes?: FixtureAttributes;
}

export interface SpanFixture extends Partial<IncomingRecord> {
  readonly attributes?: FixtureAttributes;
  readonly statusMessage?: string;
  readonly events?: readonly { name: string; timeNs: bigint; attributes: FixtureAttributes }[];
  readonly links?: readonly { traceId: string; spanId: string; attributes: FixtureAttributes }[];
}

/** 2026-03-01T12:00:00Z. */
export const NOON_NS = 1_772_366_400_000_000_000n;
export const SECOND_NS = 1_000_000_000n;
export const DAY_NS = 86_400n * SECOND_NS;

const SCOPE = field(1, utf8("fixture"));
const ERROR_SEVERITY = 17;

/** A log record of the service `orders` at noon; `body` falls back to `text`. */
export function logRecord(id: string, fixture: LogFixture = {}): IncomingRecord {
  const { body, severityText = "", eventName = "", attributes = {}, ...given } = fixture;
  const isError = (given.severityNumber ?? 0) >= ERROR_SEVERITY;
  const record = { ...baseOf(id, "log"), isError, numberedNs: given.timeNs ?? NOON_NS, ...given };
  const payload = Buffer.concat([
    fixed64(1, record.timeNs),
    varint(2, BigInt(record.severityNumber)),
    field(3, utf8(severityText)),
    field(5, anyValue(body === undefined ? record.text : body)),
    keyValues(6, attributes),
    field(9, Buffer.from(record.traceId, "hex")),
    field(10, Buffer.from(record.spanId, "hex")),
    field(12, utf8(eventName)),
  ]);
  return { payload, ...record };
}

/** A span of the service `orders` that begins at noon; its name is `text`. */
export function spanRecord(id: string, fixture: SpanFixture = {}): IncomingRecord {
  const { attributes = {}, statusMessage = "", events = [], links = [], ...given } = fixture;
  const base = { ...baseOf(id, "span"), ...given };
  const record = { numberedNs: base.timeNs + base.durationNs, ...base };
  const status = [field(2, utf8(statusMessage)), varint(3, record.isError ? 2n : 0n)];
  const payload = Buffer.concat([
    field(1, Buffer.from(record.traceId, "hex")),
    field(2, Buffer.from(record.spanId, "hex")),
    field(4, Buffer.from(record.parentSpanId, "hex")),
    field(5, utf8(record.text)),
    varint(6, BigInt(record.spanKind)),
    fixed64(7, record.timeNs),
    fixed64(8, record.timeNs + record.durationNs),
    keyValues(9, attributes),
    ...events.map((event) =>
      field(
        11,
        fixed64(1, event.timeNs),
        field(2, utf8(event.name)),
        keyValues(3, event.attributes),
      ),
    ),
    ...links.map((link) =>
      field(
        13,
        field(1, Buffer.from(link.traceId, "hex")),
        field(2, Buffer.from(link.spanId, "hex")),
        keyValues(4, link.attributes),
      ),
    ),
    field(15, ...status),
  ]);
  return { ...record, payload };
}

export function deadLetter(id: string, given: Partial<DeadLetter> = {}): DeadLetter {
  const where = { receivedNs: NOON_NS, transactionId: "", service: "", topic: "logs" };
  const run = { runId: "", sequence: 0 };
  const why = { reason: "refused", status: null, detail: "it was too large" };
  const refusedNs = given.receivedNs ?? NOON_NS;
  const what = { original: utf8("original"), piece: null };
  return { id, ...where, ...run, ...why, refusedNs, ...what, ...given };
}

/** Somebody replayed the letter, one second after noon. */
export function deadLetterAct(letterId: string, given: Partial<DeadLetterAct> = {}): DeadLetterAct {
  const what = { act: "replayed", reason: "", edited: null } as const;
  return { letterId, ...what, atNs: NOON_NS + SECOND_NS, actor: "anna", ...given };
}

export interface BatchFixture {
  readonly next?: number;
  readonly deadLetters?: readonly DeadLetter[];
  readonly deadLetterActs?: readonly DeadLetterAct[];
}

export function batchOf(
  records: readonly IncomingRecord[],
  { next, deadLetters = [], deadLetterActs = [] }: BatchFixture = {},
): WriteBatch {
  const nextPositions = next === undefined ? [] : [{ partition: "embedded/0", offset: next }];
  return { records, nextPositions, deadLetters, deadLetterActs };
}

/** The bytes of a `Resource` message. */
export function resourceBytes(attributes: FixtureAttributes): Buffer {
  return keyValues(1, attributes);
}

type Base = Omit<IncomingRecord, "payload" | "numberedNs">;

function baseOf(id: string, kind: "log" | "span"): Base {
  return {
    ...{ kind, id, mayRepeat: false, receivedNs: NOON_NS, timeNs: NOON_NS, durationNs: 0n },
    ...{ transactionId: "", traceId: "", spanId: "", parentSpanId: "", service: "orders" },
    ...{ severityNumber: 0, isError: false, spanKind: 0, isEntry: false, transactionStatus: "" },
    ...{ deadlineNs: 0n, isTransactionEvent: false, report: null },
    ...{ runId: "", sequence: 0, isAfterSpan: false },
    ...{ text: `text of ${id}`, resourceSchemaUrl: "", scopeSchemaUrl: "", scope: SCOPE },
    resource: resourceBytes({ "service.name": "orders" }),
  };
}

/** AnyValue: 1 string · 2 bool · 3 int64 · 4 double · 5 list · 6 map · 7 bytes. */
export function anyValue(value: FixtureValue): Buffer {
  if (value === null) return Buffer.alloc(0);
  if (typeof value === "string") return tagged(1, utf8(value));
  if (typeof value === "boolean") return varint(2, value ? 1n : 0n, { isKept: true });
  if (typeof value === "bigint") return varint(3, value, { isKept: true });
  if (typeof value === "number") return double(4, value);
  if (value instanceof Uint8Array) return tagged(7, value);
  if (isList(value)) return tagged(5, ...value.map((item) => tagged(1, anyValue(item))));
  return tagged(6, keyValues(1, value));
}

function isList(value: object): value is readonly FixtureValue[] {
  return Array.isArray(value);
}

function keyValues(number: number, attributes: FixtureAttributes): Buffer {
  const pairs = Object.entries(attributes);
  return Buffer.concat(
    pairs.map(([key, value]) => field(number, field(1, utf8(key)), tagged(2, anyValue(value)))),
  );
}

/** A field of bytes; left out where they are none, as proto3 does. */
function field(number: number, ...parts: Uint8Array[]): Buffer {
  return parts.every((part) => part.length === 0) ? Buffer.alloc(0) : tagged(number, ...parts);
}

function tagged(number: number, ...parts: Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([number7((number << 3) | 2), number7(content.length), content]);
}

function varint(number: number, value: bigint, { isKept = false } = {}): Buffer {
  if (value === 0n && !isKept) return Buffer.alloc(0);
  return Buffer.concat([number7(number << 3), number7(value)]);
}

function fixed64(number: number, value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
  return Buffer.concat([number7((number << 3) | 1), bytes]);
}

function double(number: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Buffer.concat([number7((number << 3) | 1), bytes]);
}

/** Base 128, seven bits a byte, the lowest first. */
function number7(value: number | bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

function utf8(text: string): Buffer {
  return Buffer.from(text);
}
