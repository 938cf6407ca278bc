/**
 * Cursors: where a page ended, by value and not by number, so that what is written meanwhile moves
 * nothing. Base64url of a JSON array; the first element says which list the cursor is of.
 */
import { ClewError } from "../../errors.ts";
import { isDay } from "./day-files.ts";
import { MAX_INT64 } from "./day-schema.ts";

/** A place in lists of records, which are ordered by time, then day, then order of writing. */
export interface RecordPlace {
  readonly timeNs: bigint;
  readonly day: string;
  readonly seq: number;
}

/** A place in the list of transactions, which is ordered by start, then ID. */
export interface TransactionPlace {
  readonly startedNs: bigint;
  readonly transactionId: string;
}

/** A place in the list of runs, which is ordered by latest report, then run id. */
export interface RunPlace {
  readonly lastSeenNs: bigint;
  readonly runId: string;
}

/** How far each day was read, in order of writing. */
export type WritingPlace = ReadonlyMap<string, number>;

const CURSOR_CHARS_MAX = 2048;
/** Days before the newest so many are not written to any more. */
const WRITING_DAYS_MAX = 16;

export function encodeRecordPlace({ timeNs, day, seq }: RecordPlace): string {
  return encode(["record", String(timeNs), day, seq]);
}

/** @throws ClewError PARAMETER_INVALID, as the others. */
export function decodeRecordPlace(cursor: string): RecordPlace {
  const [list, time, day, seq] = decode(cursor);
  if (list !== "record" || typeof day !== "string" || !isDay(day)) throw invalid();
  return { timeNs: toNs(time), day, seq: toSeq(seq) };
}

export function encodeTransactionPlace({ startedNs, transactionId }: TransactionPlace): string {
  return encode(["transaction", String(startedNs), transactionId]);
}

export function decodeTransactionPlace(cursor: string): TransactionPlace {
  const [list, started, transactionId] = decode(cursor);
  if (list !== "transaction" || typeof transactionId !== "string") throw invalid();
  return { startedNs: toNs(started), transactionId };
}

export function encodeRunPlace({ lastSeenNs, runId }: RunPlace): string {
  return encode(["run", String(lastSeenNs), runId]);
}

export function decodeRunPlace(cursor: string): RunPlace {
  const [list, lastSeen, runId] = decode(cursor);
  if (list !== "run" || typeof runId !== "string") throw invalid();
  return { lastSeenNs: toNs(lastSeen), runId };
}

export function encodeWritingPlace(place: WritingPlace): string {
  const newest = [...place].toSorted(([a], [b]) => (a < b ? -1 : 1)).slice(-WRITING_DAYS_MAX);
  return encode(["writing", ...newest.flat()]);
}

export function decodeWritingPlace(cursor: string): WritingPlace {
  const [list, ...rest] = decode(cursor);
  if (list !== "writing" || rest.length % 2 !== 0) throw invalid();
  const place = new Map<string, number>();
  for (let i = 0; i < rest.length; i += 2) {
    const day = rest[i];
    if (typeof day !== "string" || !isDay(day)) throw invalid();
    place.set(day, toSeq(rest[i + 1]));
  }
  return place;
}

function encode(values: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(values)).toString("base64url");
}

function decode(cursor: string): unknown[] {
  if (cursor.length > CURSOR_CHARS_MAX) throw invalid();
  let values: unknown;
  try {
    values = JSON.parse(Buffer.from(cursor, "base64url").toString());
  } catch (cause) {
    throw invalid({ cause });
  }
  if (!Array.isArray(values)) throw invalid();
  return values;
}

function toNs(value: unknown): bigint {
  if (typeof value !== "string" || !/^\d{1,19}$/.test(value)) throw invalid();
  const timeNs = BigInt(value);
  if (timeNs > MAX_INT64) throw invalid();
  return timeNs;
}

function toSeq(value: unknown): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) throw invalid();
  return value;
}

function invalid(options?: ErrorOptions): ClewError {
  const why = "it is not one that this list gave";
  return new ClewError("PARAMETER_INVALID", `cannot read the cursor: ${why}`, options);
}
