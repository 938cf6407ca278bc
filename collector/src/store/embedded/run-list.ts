/**
 * Runs by their latest report, or by their latest record; those seen last first. A run that went on
 * over midnight has a row in each of its days: it is listed at the row that was seen last, with
 * what all of them say.
 */
import type { RunReport } from "../../record.ts";
import type { Page, RunFilter } from "../store.ts";
import type { DayReader } from "./day-reader.ts";
import { MAX_INT64 } from "./day-schema.ts";
import { mergeDescending } from "./merge-descending.ts";
import { decodeRunPlace, encodeRunPlace, type RunPlace } from "./page-cursor.ts";
import { type Deadline, pageSize } from "./record-page.ts";
import { mergeRunReports } from "./run-report-row.ts";

const placesIn = (table: "runs" | "run_seen") => `
  SELECT last_seen, run_id FROM ${table}
  WHERE last_seen >= ? AND (last_seen, run_id) < (?, ?) ORDER BY last_seen DESC, run_id DESC`;
const REPORTED = placesIn("runs");
const SEEN = placesIn("run_seen");
const SEEN_RUN = "SELECT service, first_seen, last_seen FROM run_seen WHERE run_id = ?";
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
  const { service } = filter;
  const find = (runId: string) => {
    const item = findRun(readers, runId);
    if (item === undefined) return undefined;
    const isWanted = service === undefined || item.service === service;
    return { item, lastSeenNs: item.lastSeenNs, isWanted };
  };
  return listBySeen({ readers, filter, deadline, places: REPORTED, find });
}

export type RunIdFilter = RunFilter & { readonly toNs?: bigint };

/** Runs with any record in the window, as far as their first and last ones tell. */
export function listRunIds(
  readers: readonly DayReader[],
  filter: RunIdFilter,
  deadline: Deadline,
): Page<string> {
  const find = (runId: string) => findSeen(readers, runId, filter);
  return listBySeen({ readers, filter, deadline, places: SEEN, find });
}

interface Found<T> {
  readonly item: T;
  /** Over all days. */
  readonly lastSeenNs: bigint;
  readonly isWanted: boolean;
}

function findSeen(
  readers: readonly DayReader[],
  runId: string,
  { service, toNs }: RunIdFilter,
): Found<string> | undefined {
  const days = readers
    .map((reader) => reader.prepare(SEEN_RUN).get(runId))
    .filter((day) => day !== undefined);
  if (days.length === 0) return undefined;
  const isOfService = service === undefined || days.some((day) => day.service === service);
  const isBefore = toNs === undefined || days.some((day) => (day.first_seen as bigint) < toNs);
  const lastSeenNs = days.reduce((last, day) => {
    const ns = day.last_seen as bigint;
    return ns > last ? ns : last;
  }, 0n);
  return { item: runId, lastSeenNs, isWanted: isOfService && isBefore };
}

interface Listing<T> {
  readonly readers: readonly DayReader[];
  readonly filter: RunFilter;
  readonly deadline: Deadline;
  /** Reads one day's rows. */
  readonly places: string;
  readonly find: (runId: string) => Found<T> | undefined;
}

function listBySeen<T>(listing: Listing<T>): Page<T> {
  const { readers, filter, deadline, places, find } = listing;
  const limit = pageSize(filter.limit);
  const before = filter.cursor === undefined ? END : decodeRunPlace(filter.cursor);
  const sources = readers.map((reader) => placesOf(reader, { places, filter, before }));
  const items: T[] = [];
  let last: RunPlace | undefined;
  let rows = 0;
  for (const place of mergeDescending(sources, comparePlaces)) {
    const run = find(place.runId);
    const isHere = run?.lastSeenNs === place.lastSeenNs && last?.runId !== place.runId;
    if (isHere && run.isWanted) {
      if (items.length === limit) return { items, cursor: cursorAfter(last), isCut: false };
      items.push(run.item);
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
  of: { places: string; filter: RunFilter; before: RunPlace },
): Generator<RunPlace> {
  const values = [of.filter.seenFromNs ?? 0n, of.before.lastSeenNs, of.before.runId] as const;
  for (const row of reader.prepare(of.places).iterate(...values)) {
    yield { lastSeenNs: row.last_seen as bigint, runId: String(row.run_id) };
  }
}

function comparePlaces(a: RunPlace, b: RunPlace): number {
  if (a.lastSeenNs !== b.lastSeenNs) return a.lastSeenNs < b.lastSeenNs ? -1 : 1;
  if (a.runId === b.runId) return 0;
  return a.runId < b.runId ? -1 : 1;
}
