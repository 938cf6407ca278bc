/**
 * Logs in the order of writing, to be followed: a record that arrives late, with a time before
 * others already given, still comes after the cursor.
 */
import type { StoredRecord } from "../../record.ts";
import type { LogFilter, Page } from "../store.ts";
import type { DayReader } from "./day-reader.ts";
import { ZONE_RECORDS } from "./day-schema.ts";
import { decodeWritingPlace, encodeWritingPlace, type WritingPlace } from "./page-cursor.ts";
import {
  type Deadline,
  flagsHidden,
  type Hit,
  MAX_SEQ,
  MIN_SEVERITY,
  pageSize,
  readRecords,
  toWindow,
} from "./record-page.ts";
import { parseSearchText, type SearchText } from "./search-text.ts";
import { matchesAfter } from "./text-matches.ts";

const LAST_SEQ = "SELECT max(seq) AS seq FROM records";
const FIRST_ZONE = "SELECT min(zone) AS zone FROM zones WHERE max_time >= ? AND zone >= ?";
const ZONES = `
  SELECT zone FROM zones
  WHERE zone >= ? AND max_time >= ? AND min_time <= ? AND max_severity >= ? ORDER BY zone`;
const LOGS_OF_ZONE = `
  SELECT seq, time FROM records
  WHERE seq > ? AND seq <= ? AND flags & ? = 0 AND severity >= ? AND service BETWEEN ? AND ?
    AND time BETWEEN ? AND ?
  ORDER BY seq LIMIT ?`;
const ROWS_PER_CLOCK_CHECK = 256;

export function followLogs(
  readers: readonly DayReader[],
  filter: LogFilter,
  deadline: Deadline,
): Page<StoredRecord> {
  const text = parseSearchText(filter.query ?? "");
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
    const tail = new DayTail({ reader, filter, afterSeq, limit: limit - hits.length });
    const end: TailEnd = tail.read({ text, deadline, hits });
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
  private readonly filter: LogFilter;
  private readonly afterSeq: number;
  private readonly limit: number;
  private readonly window: { readonly firstNs: bigint; readonly lastNs: bigint };
  private readonly minSeverity: number;
  private readonly hidden: number;

  constructor({ reader, filter, afterSeq, limit }: TailOfDay) {
    this.reader = reader;
    this.filter = filter;
    this.afterSeq = afterSeq;
    this.limit = limit;
    this.window = toWindow(filter);
    this.minSeverity = filter.minSeverityNumber ?? MIN_SEVERITY;
    this.hidden = flagsHidden(filter);
  }

  /** Adds to `hits` what follows, up to the limit. */
  read(search: { text: SearchText; deadline: Deadline; hits: Hit[] }): TailEnd {
    const { text, deadline, hits } = search;
    // First the end, then what lies before it: what is written meanwhile is the next page's.
    const lastSeq = Number(this.reader.prepare(LAST_SEQ).get()?.seq ?? 0);
    if (lastSeq <= this.afterSeq) return { seq: this.afterSeq, isCut: false };
    const firstZone = this.reader
      .prepare(FIRST_ZONE)
      .get(this.window.firstNs, Math.floor((this.afterSeq + 1) / ZONE_RECORDS))?.zone;
    const service = this.findService();
    if (firstZone === null || service === undefined || text.matches === "nothing") {
      return { seq: lastSeq, isCut: false };
    }
    const afterSeq = Math.max(this.afterSeq, Number(firstZone) * ZONE_RECORDS - 1);
    const range = { afterSeq, lastSeq, service, deadline, hits };
    if (text.matches !== "some") return this.readZones(range);
    return this.readMatches({ ...range, expression: text.expression });
  }

  private readZones({ afterSeq, lastSeq, service, deadline, hits }: Range): TailEnd {
    const { reader, minSeverity } = this;
    const { firstNs, lastNs } = this.window;
    const firstZone = Math.floor((afterSeq + 1) / ZONE_RECORDS);
    let seq = afterSeq;
    let left = this.limit;
    for (const row of reader.prepare(ZONES).all(firstZone, firstNs, lastNs, minSeverity)) {
      if (seq > afterSeq && deadline.isOver()) return { seq, isCut: true };
      const start = Math.max(afterSeq, Number(row.zone) * ZONE_RECORDS - 1);
      const end = Math.min(lastSeq, (Number(row.zone) + 1) * ZONE_RECORDS - 1);
      const flagged = [this.hidden, minSeverity, ...service] as const;
      const values = [start, end, ...flagged, firstNs, lastNs, left] as const;
      const rows = reader.prepare(LOGS_OF_ZONE).all(...values);
      for (const { seq, time } of rows) {
        hits.push({ reader, timeNs: time as bigint, seq: Number(seq) });
      }
      left -= rows.length;
      if (left === 0) return { seq: Number(rows.at(-1)?.seq), isCut: false };
      seq = end;
    }
    return { seq: lastSeq, isCut: false };
  }

  private readMatches(range: Range & { readonly expression: string }): TailEnd {
    const { firstNs, lastNs } = this.window;
    const [lowest, highest] = range.service;
    let left = this.limit;
    let rows = 0;
    for (const row of matchesAfter(this.reader, range)) {
      if (row.seq > range.lastSeq) break;
      const isHit =
        (row.flags & this.hidden) === 0 &&
        row.severity >= this.minSeverity &&
        row.service >= lowest &&
        row.service <= highest &&
        row.timeNs >= firstNs &&
        row.timeNs <= lastNs;
      if (isHit) range.hits.push(row);
      if (isHit && --left === 0) return { seq: row.seq, isCut: false };
      if (++rows % ROWS_PER_CLOCK_CHECK === 0 && range.deadline.isOver()) {
        return { seq: row.seq, isCut: true };
      }
    }
    return { seq: range.lastSeq, isCut: false };
  }

  /** The keys, from and to, that pass; undefined where this day does not know the service. */
  private findService(): readonly [number, number] | undefined {
    if (this.filter.service === undefined) return [0, MAX_SEQ];
    const key = this.reader.findServiceKey(this.filter.service);
    return key === undefined ? undefined : [key, key];
  }
}

interface Range {
  readonly afterSeq: number;
  readonly lastSeq: number;
  readonly service: readonly [number, number];
  readonly deadline: Deadline;
  readonly hits: Hit[];
}
