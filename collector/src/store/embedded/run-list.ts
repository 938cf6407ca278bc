/**
 * Runs by their latest report, those seen last first. A run that went on over midnight has a row in
 * each of its days: it is listed at the row that was seen last, with what all of them say.
 */
import type { RunReport } from "../../record.ts";
import type { Page, RunFilter } from "../store.ts";
import type { DayReader } from "./day-reader.ts";
import { MAX_INT64 } from "./day-schema.ts";
import { mergeDescending } from "./merge-descending.ts";
import { decodeRunPlace, encodeRunPlace, type RunPlace } from "./page-cursor.ts";
import { type Deadline, pageSize } from "./record-page.ts";
import { mergeRunReports } from "./run-report-row.ts";

const ROWS = `
  SELECT last_seen, run_id FROM runs
  WHERE last_seen >= ? AND (last_seen, run_id) < (?, ?) ORDER BY last_seen DESC, run_id DESC`;
/** Sorts behind every run; their ids are ASCII. */
const END: RunPlace = { lastSeenNs: MAX_INT64, runId: "\u{10ffff}" };
const ROWS_PER_CLOCK_CHECK = 64;

export function findRun(readers: readonly DayReader[], runId: string): RunReport | undefined {
  let found: RunReport | undefined;
  for (const reader of readers) {
    const report = reader.findRun(runId);
    if (report === undefined) continue;
    found = found === undefined ? report : mergeRunReports(found, report);
  }
  return found;
}

export function listRuns(
  readers: readonly DayReader[],
  filter: RunFilter,
  deadline: Deadline,
): Page<RunReport> {
  const limit = pageSize(filter.limit);
  const before = filter.cursor === undefined ? END : decodeRunPlace(filter.cursor);
  const sources = readers.map((reader) => placesOf(reader, { filter, before }));
  const items: RunReport[] = [];
  let last: RunPlace | undefined;
  let rows = 0;
  for (const place of mergeDescending(sources, comparePlaces)) {
    const run = findRun(readers, place.runId);
    const isHere = run?.lastSeenNs === place.lastSeenNs && last?.runId !== place.runId;
    if (isHere && (filter.service === undefined || run.service === filter.service)) {
      if (items.length === limit) return { items, cursor: cursorAfter(last), isCut: false };
      items.push(run);
      last = place;
    }
    if (++rows % ROWS_PER_CLOCK_CHECK === 0 && deadline.isOver()) {
      return { items, cursor: encodeRunPlace(place), isCut: true };
    }
  }
  return { items, cursor: null, isCut: false };
}

function cursorAfter(last: RunPlace | undefined): string | null {
  return last === undefined ? null : encodeRunPlace(last);
}

function* placesOf(
  reader: DayReader,
  { filter, before }: { filter: RunFilter; before: RunPlace },
): Generator<RunPlace> {
  const values = [filter.seenFromNs ?? 0n, before.lastSeenNs, before.runId] as const;
  for (const row of reader.prepare(ROWS).iterate(...values)) {
    yield { lastSeenNs: row.last_seen as bigint, runId: String(row.run_id) };
  }
}

function comparePlaces(a: RunPlace, b: RunPlace): number {
  if (a.lastSeenNs !== b.lastSeenNs) return a.lastSeenNs < b.lastSeenNs ? -1 : 1;
  if (a.runId === b.runId) return 0;
  return a.runId < b.runId ? -1 : 1;
}
