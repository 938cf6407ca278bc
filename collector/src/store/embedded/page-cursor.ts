/** Where pages of the embedded store's lists ended. */
import {
  cursorNs,
  cursorNumber,
  decodeCursor,
  encodeCursor,
  invalidCursor,
} from "../cursor-text.ts";
import { isDay } from "./day-files.ts";

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

/** Days before the newest so many are not written to any more. */
const WRITING_DAYS_MAX = 16;

export function encodeRecordPlace({ timeNs, day, seq }: RecordPlace): string {
  return encodeCursor(["record", String(timeNs), day, seq]);
}

/** @throws ClewError PARAMETER_INVALID, as the others. */
export function decodeRecordPlace(cursor: string): RecordPlace {
  const [list, time, day, seq] = decodeCursor(cursor);
  if (list !== "record" || typeof day !== "string" || !isDay(day)) throw invalidCursor();
  return { timeNs: cursorNs(time), day, seq: cursorNumber(seq) };
}

export function encodeTransactionPlace({ startedNs, transactionId }: TransactionPlace): string {
  return encodeCursor(["transaction", String(startedNs), transactionId]);
}

export function decodeTransactionPlace(cursor: string): TransactionPlace {
  const [list, started, transactionId] = decodeCursor(cursor);
  if (list !== "transaction" || typeof transactionId !== "string") throw invalidCursor();
  return { startedNs: cursorNs(started), transactionId };
}

export function encodeRunPlace({ lastSeenNs, runId }: RunPlace): string {
  return encodeCursor(["run", String(lastSeenNs), runId]);
}

export function decodeRunPlace(cursor: string): RunPlace {
  const [list, lastSeen, runId] = decodeCursor(cursor);
  if (list !== "run" || typeof runId !== "string") throw invalidCursor();
  return { lastSeenNs: cursorNs(lastSeen), runId };
}

export function encodeWritingPlace(place: WritingPlace): string {
  const newest = [...place].toSorted(([a], [b]) => (a < b ? -1 : 1)).slice(-WRITING_DAYS_MAX);
  return encodeCursor(["writing", ...newest.flat()]);
}

export function decodeWritingPlace(cursor: string): WritingPlace {
  const [list, ...rest] = decodeCursor(cursor);
  if (list !== "writing" || rest.length % 2 !== 0) throw invalidCursor();
  const place = new Map<string, number>();
  for (let i = 0; i < rest.length; i += 2) {
    const day = rest[i];
    if (typeof day !== "string" || !isDay(day)) throw invalidCursor();
    place.set(day, cursorNumber(rest[i + 1]));
  }
  return place;
}
