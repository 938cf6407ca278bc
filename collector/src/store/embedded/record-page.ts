/** What the lists of records share: the bounds of a page and of the time it may take. */
import type { StoredRecord } from "../../record.ts";
import type { LogFilter, Page } from "../store.ts";
import type { DayReader } from "./day-reader.ts";
import { FLAG, MAX_INT64 } from "./day-schema.ts";
import { toStoredRecord } from "./stored-record.ts";

const ITEMS_MAX = 1000;
/** A page ends early once its messages come to this. */
const PAGE_BYTES_MAX = 16 * 1024 * 1024;
export const MAX_SEQ = Number.MAX_SAFE_INTEGER;
export const MIN_SEVERITY = -(2 ** 31);

/** Which `flags` are looked at, and what they must be. */
export interface WantedFlags {
  readonly mask: number;
  readonly value: number;
}

/** The `flags` of what a list of logs, or of spans, is made of. */
export function wantedFlags(filter: Pick<LogFilter, "kind" | "withReports">): WantedFlags {
  if (filter.kind === "span") return { mask: FLAG.span, value: FLAG.span };
  return { mask: filter.withReports === true ? FLAG.span : FLAG.span | FLAG.report, value: 0 };
}

/** A record found, not yet read. */
export interface Hit {
  readonly timeNs: bigint;
  readonly reader: DayReader;
  readonly seq: number;
}

/** A span of time, both ends inside. */
export interface Window {
  readonly firstNs: bigint;
  readonly lastNs: bigint;
}

/** A query that cannot end with a place to go on from may take so many times its limit. */
const LAST_END_FACTOR = 4;

/** The moment at which a query ends with what it has. */
export class Deadline {
  private readonly endMs: number;
  private readonly lastEndMs: number;
  private readonly nowMs: () => number;

  constructor({ limitMs, nowMs }: { limitMs: number; nowMs: () => number }) {
    this.nowMs = nowMs;
    const startMs = nowMs();
    this.endMs = startMs + limitMs;
    this.lastEndMs = startMs + limitMs * LAST_END_FACTOR;
  }

  isOver(): boolean {
    return this.nowMs() >= this.endMs;
  }

  /** Then it ends even without such a place. */
  isLongOver(): boolean {
    return this.nowMs() >= this.lastEndMs;
  }
}

/** At least one item, at most `ITEMS_MAX`. */
export function pageSize(limit: number): number {
  return Math.max(1, Math.min(ITEMS_MAX, Math.floor(limit) || 1));
}

/** `fromNs` is inside, `toNs` is not. */
export function toWindow({ fromNs, toNs }: { fromNs?: bigint; toNs?: bigint }): Window {
  return {
    firstNs: clamp(fromNs ?? 0n),
    lastNs: toNs === undefined ? MAX_INT64 : clamp(toNs - 1n),
  };
}

/** Reads hits until the page is full; `read` may be fewer than there are hits. */
export function readRecords(hits: readonly Hit[]): StoredRecord[] {
  const records: StoredRecord[] = [];
  let bytes = 0;
  for (const { reader, seq } of hits) {
    const row = reader.record(seq);
    bytes += row.payload.length;
    if (records.length > 0 && bytes > PAGE_BYTES_MAX) break;
    records.push(toStoredRecord(row));
  }
  return records;
}

export function emptyPage<T>(): Page<T> {
  return { items: [], cursor: null, isCut: false };
}

function clamp(timeNs: bigint): bigint {
  if (timeNs < -1n) return -1n;
  return timeNs > MAX_INT64 ? MAX_INT64 : timeNs;
}
