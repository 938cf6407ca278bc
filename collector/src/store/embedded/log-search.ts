/**
 * Logs by time, newest first, over all days.
 *
 * Rows lie in order of writing, which is nearly that of time. Each 8192 of them are a zone whose
 * earliest and latest time are known. Zones are searched from the latest on; as soon as a page is
 * full of logs later than anything the next zone can hold, it is final. However far out of order
 * the times are the result is right; the more they are, the more zones are read.
 */
import type { StoredRecord } from "../../record.ts";
import type { LogFilter, Page } from "../store.ts";
import type { DayReader } from "./day-reader.ts";
import { ZONE_RECORDS } from "./day-schema.ts";
import { decodeRecordPlace, encodeRecordPlace, type RecordPlace } from "./page-cursor.ts";
import {
  type Deadline,
  emptyPage,
  flagsHidden,
  type Hit,
  MAX_SEQ,
  MIN_SEVERITY,
  pageSize,
  readRecords,
  toWindow,
  type Window,
} from "./record-page.ts";
import { parseSearchText } from "./search-text.ts";
import { DescendingMatches } from "./text-matches.ts";

const ZONES = `
  SELECT zone, max_time FROM zones
  WHERE max_time >= ? AND min_time <= ? AND max_severity >= ?`;
const LOGS_OF_ZONE = `
  SELECT seq, time FROM records
  WHERE seq BETWEEN ? AND ? AND flags & ? = 0 AND severity >= ? AND service BETWEEN ? AND ?
    AND time >= ? AND (time, seq) < (?, ?)
  ORDER BY time DESC, seq DESC LIMIT ?`;
/** Sorts behind every day. */
const AFTER_ALL_DAYS = "9999-99-99";

interface Zone {
  readonly search: DaySearch;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly maxNs: bigint;
}

export function searchNewestLogs(
  readers: readonly DayReader[],
  filter: LogFilter,
  deadline: Deadline,
): Page<StoredRecord> {
  const text = parseSearchText(filter.query ?? "");
  if (text.matches === "nothing") return emptyPage();
  const before = filter.cursor === undefined ? undefined : decodeRecordPlace(filter.cursor);
  const expression = text.matches === "some" ? text.expression : undefined;
  const limit = pageSize(filter.limit);
  const searches = readers.map(
    (reader) => new DaySearch(reader, { filter, before, expression, limit }),
  );
  try {
    return collect(
      searches.flatMap((search) => search.zones()),
      { limit, deadline },
    );
  } finally {
    for (const search of searches) search.close();
  }
}

function collect(
  zones: readonly Zone[],
  { limit, deadline }: { limit: number; deadline: Deadline },
): Page<StoredRecord> {
  const latestFirst = zones.toSorted((a, b) => compare(b.maxNs, a.maxNs) || b.lastSeq - a.lastSeq);
  let hits: Hit[] = [];
  for (const [index, zone] of latestFirst.entries()) {
    const last = hits[limit];
    if (last !== undefined && last.timeNs > zone.maxNs) break;
    if (index > 0 && deadline.isOver()) {
      const isFurther = zone.maxNs < zone.search.lastNs;
      if (isFurther) return cutPage(hits.slice(0, limit), zone.maxNs);
      if (deadline.isLongOver()) return unfinishedPage(hits.slice(0, limit));
    }
    hits = [...hits, ...zone.search.hits(zone)].toSorted(newestFirst).slice(0, limit + 1);
  }
  const items = readRecords(hits.slice(0, limit));
  const end = hits[items.length - 1];
  const hasMore = items.length < hits.length && end !== undefined;
  return { items, cursor: hasMore ? encodeRecordPlace(placeOf(end)) : null, isCut: false };
}

/** Only what no unsearched zone can come before; the next page goes on with those zones. */
function cutPage(hits: readonly Hit[], unsearchedNs: bigint): Page<StoredRecord> {
  const final = hits.filter(({ timeNs }) => timeNs > unsearchedNs);
  const items = readRecords(final);
  const end = items.length < final.length ? final[items.length - 1] : undefined;
  const place = end === undefined ? undefined : placeOf(end);
  const rest = { timeNs: unsearchedNs, day: AFTER_ALL_DAYS, seq: MAX_SEQ };
  return { items, cursor: encodeRecordPlace(place ?? rest), isCut: true };
}

/**
 * The times of the logs are in such disorder that nothing is final yet, and there is no place to go
 * on from: the latest found so far.
 */
function unfinishedPage(hits: readonly Hit[]): Page<StoredRecord> {
  return { items: readRecords(hits), cursor: null, isCut: true };
}

interface Search {
  readonly filter: LogFilter;
  readonly before: RecordPlace | undefined;
  readonly expression: string | undefined;
  readonly limit: number;
}

/** The search in one day. */
class DaySearch {
  private readonly reader: DayReader;
  private readonly limit: number;
  private readonly window: Window;
  private readonly minSeverity: number;
  private readonly hidden: number;
  /** Undefined: any. */
  private readonly service: number | undefined;
  private readonly isServiceUnknown: boolean;
  /** At `window.lastNs` itself only rows before this one are left. */
  private readonly endSeq: number;
  private readonly matches: DescendingMatches | undefined;

  constructor(reader: DayReader, { filter, before, expression, limit }: Search) {
    this.reader = reader;
    this.limit = limit;
    const { firstNs, lastNs } = toWindow(filter);
    const isContinued = before !== undefined && before.timeNs <= lastNs;
    this.window = { firstNs, lastNs: isContinued ? before.timeNs : lastNs };
    this.endSeq = isContinued ? endSeqAt(reader, before) : MAX_SEQ;
    this.minSeverity = filter.minSeverityNumber ?? MIN_SEVERITY;
    this.hidden = flagsHidden(filter);
    this.service = filter.service === undefined ? undefined : reader.findServiceKey(filter.service);
    this.isServiceUnknown = filter.service !== undefined && this.service === undefined;
    this.matches = expression === undefined ? undefined : new DescendingMatches(reader, expression);
  }

  /** The latest time that is searched. */
  get lastNs(): bigint {
    return this.window.lastNs;
  }

  zones(): Zone[] {
    if (this.isServiceUnknown) return [];
    const { firstNs, lastNs } = this.window;
    const rows = this.reader.prepare(ZONES).all(firstNs, lastNs, this.minSeverity);
    return rows.map(({ zone, max_time }) => {
      const firstSeq = Number(zone) * ZONE_RECORDS;
      const lastSeq = firstSeq + ZONE_RECORDS - 1;
      return { search: this, firstSeq, lastSeq, maxNs: max_time as bigint };
    });
  }

  hits(zone: Zone): Hit[] {
    return this.matches === undefined ? this.logsOf(zone) : this.matchesIn(zone, this.matches);
  }

  close(): void {
    this.matches?.close();
  }

  private logsOf({ firstSeq, lastSeq }: Zone): Hit[] {
    const { firstNs, lastNs } = this.window;
    const services = [this.service ?? 0, this.service ?? MAX_SEQ] as const;
    const rows = this.reader
      .prepare(LOGS_OF_ZONE)
      .all(
        ...[firstSeq, lastSeq, this.hidden, this.minSeverity, ...services],
        ...[firstNs, lastNs, this.endSeq, this.limit + 1],
      );
    const { reader } = this;
    return rows.map((row) => ({ timeNs: row.time as bigint, reader, seq: Number(row.seq) }));
  }

  private matchesIn({ firstSeq, lastSeq }: Zone, matches: DescendingMatches): Hit[] {
    const { firstNs, lastNs } = this.window;
    return matches
      .rowsBetween(firstSeq, lastSeq)
      .filter(
        ({ timeNs, seq, flags, severity, service }) =>
          (flags & this.hidden) === 0 &&
          severity >= this.minSeverity &&
          (this.service === undefined || service === this.service) &&
          timeNs >= firstNs &&
          (timeNs < lastNs || (timeNs === lastNs && seq < this.endSeq)),
      );
  }
}

/** Of rows at the cursor's very time those of later days, and later rows of its own, were given. */
function endSeqAt({ day }: DayReader, before: RecordPlace): number {
  if (day === before.day) return before.seq;
  return day < before.day ? MAX_SEQ : 0;
}

function placeOf({ timeNs, reader, seq }: Hit): RecordPlace {
  return { timeNs, day: reader.day, seq };
}

function newestFirst(a: Hit, b: Hit): number {
  if (a.timeNs !== b.timeNs) return compare(b.timeNs, a.timeNs);
  return a.reader.day === b.reader.day ? b.seq - a.seq : a.reader.day < b.reader.day ? 1 : -1;
}

function compare(a: bigint, b: bigint): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
