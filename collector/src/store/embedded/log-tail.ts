/**
 * Logs in the order of writing, to be followed: a record that arrives late, with a time before
 * others already given, still comes after the cursor.
 */
import type { StoredRecord } from "../../record.ts";
import type { LogFilter, Page } from "../store.ts";
import type { DayReader } from "./day-reader.ts";
import { ZONE_RECORDS } from "./day-schema.ts";
import { decodeWritingPlace, encodeWritingPlace, type WritingPlace } from "./page-cursor.ts";
import { RecordCheck } from "./record-check.ts";
import {
  type Deadline,
  type Hit,
  MAX_SEQ,
  pageSize,
  readRecords,
  toWindow,
} from "./record-page.ts";
import { RowConditions } from "./row-conditions.ts";
import { planSearch, type SearchPlan } from "./search-plan.ts";
import { matchesAfter } from "./text-matches.ts";

const LAST_SEQ = "SELECT max(seq) AS seq FROM records";
const FIRST_ZONE = "SELECT min(zone) AS zone FROM zones WHERE max_time >= ? AND zone >= ?";
const ZONES = `
  SELECT zone FROM zones
  WHERE zone >= ? AND max_time >= ? AND min_time <= ? AND max_severity >= ? ORDER BY zone`;
const ROWS_PER_CLOCK_CHECK = 64;

export function followLogs(
  readers: readonly DayReader[],
  filter: LogFilter,
  deadline: Deadline,
): Page<StoredRecord> {
  const plan = planSearch(filter.query);
  const from = filter.cursor === undefined ? new Map() : decodeWritingPlace(filter.cursor);
  const limit = pageSize(filter.limit);
  const hits: Hit[] = [];
  const place = new Map<string, number>();
  const starts = new Map(readers.map(({ day }) => [day, startOf(day, from)]));
  let isCut = false;
  for (const reader of readers) {
    const afterSeq = starts.get(reader.day) ?? 0;
    place.set(reader.day, afterSeq);
    if (isCut || hits.length >= limit) continue;
    const tail = new DayTail({ reader, filter, plan, afterSeq, limit: limit - hits.length });
    const end: TailEnd = tail.read({ deadline, hits });
    place.set(reader.day, end.seq);
    isCut = end.isCut;
  }
  const items = readRecords(hits);
  const last = hits[items.length - 1];
  if (items.length < hits.length && last !== undefined) moveBack({ place, starts, last });
  return { items, cursor: encodeWritingPlace(place), isCut };
}

/** Days before the oldest of the cursor are done; those that came since begin at their start. */
function startOf(day: string, from: WritingPlace): number {
  const [oldest] = [...from.keys()].toSorted();
  return from.get(day) ?? (oldest !== undefined && day < oldest ? MAX_SEQ : 0);
}

/** The page was full before all hits were read: the rest is the next page's. */
function moveBack({
  place,
  starts,
  last,
}: {
  place: Map<string, number>;
  starts: ReadonlyMap<string, number>;
  last: Hit;
}): void {
  place.set(last.reader.day, last.seq);
  for (const [day, seq] of starts) if (day > last.reader.day) place.set(day, seq);
}

interface TailOfDay {
  readonly reader: DayReader;
  readonly filter: LogFilter;
  readonly plan: SearchPlan | "nothing";
  readonly afterSeq: number;
  readonly limit: number;
}

/** How far the day was read. */
interface TailEnd {
  readonly seq: number;
  readonly isCut: boolean;
}

class DayTail {
  private readonly reader: DayReader;
  private readonly afterSeq: number;
  private readonly limit: number;
  private readonly window: { readonly firstNs: bigint; readonly lastNs: bigint };
  private readonly expression: string | undefined;
  private readonly check: RecordCheck | undefined;
  /** Undefined: no row of this day passes. */
  private readonly conditions: RowConditions | undefined;

  constructor({ reader, filter, plan, afterSeq, limit }: TailOfDay) {
    this.reader = reader;
    this.afterSeq = afterSeq;
    this.limit = limit;
    this.window = toWindow(filter);
    if (plan === "nothing") return;
    this.expression = plan.expression;
    this.check = plan.rest === undefined ? undefined : new RecordCheck(plan.rest);
    this.conditions = RowConditions.of(reader, filter, plan);
  }

  /** Adds to `hits` what follows, up to the limit. */
  read({ deadline, hits }: { deadline: Deadline; hits: Hit[] }): TailEnd {
    // First the end, then what lies before it: what is written meanwhile is the next page's.
    const lastSeq = Number(this.reader.prepare(LAST_SEQ).get()?.seq ?? 0);
    if (lastSeq <= this.afterSeq) return { seq: this.afterSeq, isCut: false };
    const firstZone = this.reader
      .prepare(FIRST_ZONE)
      .get(this.window.firstNs, Math.floor((this.afterSeq + 1) / ZONE_RECORDS))?.zone;
    if (firstZone === null || this.conditions === undefined) {
      return { seq: lastSeq, isCut: false };
    }
    const afterSeq = Math.max(this.afterSeq, Number(firstZone) * ZONE_RECORDS - 1);
    const range = { afterSeq, lastSeq, deadline, conditions: this.conditions };
    const rows =
      this.expression === undefined
        ? this.logs(range)
        : this.textMatches({ ...range, expression: this.expression });
    return this.collect(rows, { lastSeq, deadline, hits });
  }

  /** Every row looked at comes by here, also one that does not pass: so the reading gets on. */
  private collect(
    rows: Iterable<PassedRow>,
    { lastSeq, deadline, hits }: { lastSeq: number; deadline: Deadline; hits: Hit[] },
  ): TailEnd {
    let left = this.limit;
    let looked = 0;
    for (const { hit, seq } of rows) {
      const isHit = hit !== undefined && (this.check?.passes(this.reader, seq) ?? true);
      if (isHit) hits.push(hit);
      if (isHit && --left === 0) return { seq, isCut: false };
      if (++looked % ROWS_PER_CLOCK_CHECK === 0 && deadline.isOver()) return { seq, isCut: true };
    }
    return { seq: lastSeq, isCut: false };
  }

  private *logs({ afterSeq, lastSeq, conditions }: Range): Generator<PassedRow> {
    const { reader } = this;
    const { firstNs, lastNs } = this.window;
    const firstZone = Math.floor((afterSeq + 1) / ZONE_RECORDS);
    const zones = reader.prepare(ZONES).all(firstZone, firstNs, lastNs, conditions.minSeverity);
    for (const { zone } of zones) {
      const start = Math.max(afterSeq, Number(zone) * ZONE_RECORDS - 1);
      const end = Math.min(lastSeq, (Number(zone) + 1) * ZONE_RECORDS - 1);
      const limit = this.check === undefined ? this.limit : ZONE_RECORDS;
      const rows = reader
        .prepare(logsBetween(conditions))
        .all(start, end, ...conditions.values, firstNs, lastNs, limit);
      for (const row of rows) {
        const seq = Number(row.seq);
        yield { seq, hit: { reader, timeNs: row.time as bigint, seq } };
      }
      // A zone without any hit is a step forward too.
      if (rows.length < limit) yield { seq: end, hit: undefined };
    }
  }

  private *textMatches(range: Range & { readonly expression: string }): Generator<PassedRow> {
    const { firstNs, lastNs } = this.window;
    for (const row of matchesAfter(this.reader, range)) {
      if (row.seq > range.lastSeq) return;
      const isInside = row.timeNs >= firstNs && row.timeNs <= lastNs;
      yield { seq: row.seq, hit: isInside && range.conditions.pass(row) ? row : undefined };
    }
  }
}

interface PassedRow {
  readonly seq: number;
  /** Undefined where its columns say that it is none. */
  readonly hit: Hit | undefined;
}

interface Range {
  readonly afterSeq: number;
  readonly lastSeq: number;
  readonly conditions: RowConditions;
}

function logsBetween({ sql }: RowConditions): string {
  return `
    SELECT seq, time FROM records
    WHERE seq > ? AND seq <= ? AND ${sql} AND time BETWEEN ? AND ?
    ORDER BY seq LIMIT ?`;
}
