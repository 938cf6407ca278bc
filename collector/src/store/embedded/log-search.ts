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
import { DaySearch, type Zone } from "./day-search.ts";
import { decodeRecordPlace, encodeRecordPlace, type RecordPlace } from "./page-cursor.ts";
import {
  type Deadline,
  emptyPage,
  type Hit,
  MAX_SEQ,
  pageSize,
  readRecords,
} from "./record-page.ts";
import { planSearch } from "./search-plan.ts";

/** Sorts behind every day. */
const AFTER_ALL_DAYS = "9999-99-99";

export function searchNewestLogs(
  readers: readonly DayReader[],
  filter: LogFilter,
  deadline: Deadline,
): Page<StoredRecord> {
  const plan = planSearch(filter.query);
  const before = filter.cursor === undefined ? undefined : decodeRecordPlace(filter.cursor);
  if (plan === "nothing") return emptyPage();
  const limit = pageSize(filter.limit);
  const searches = readers.map(
    (reader) => new DaySearch(reader, { filter, before, plan, rowsMax: limit + 1, deadline }),
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
    const nextNs = latestFirst[index + 1]?.maxNs ?? -1n;
    const found = zone.search.hits(zone, { fromNs: last?.timeNs, nextNs });
    hits = [...hits, ...found.hits].toSorted(newestFirst).slice(0, limit + 1);
    if (found.end === "unfinished") return unfinishedPage(hits.slice(0, limit));
    if (found.end === "whole") continue;
    const { unsearchedNs } = found.end;
    // A page that is full of later ones needs no more.
    if ((hits[limit]?.timeNs ?? -1n) > unsearchedNs) break;
    return cutPage(hits.slice(0, limit), unsearchedNs);
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
