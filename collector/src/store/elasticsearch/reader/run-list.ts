/**
 * Runs, those that were seen last first. All runs of the time asked for are found in one search,
 * with when each was seen last to the millisecond; of those that can be on the page it is then
 * read exactly.
 */
import type { RunReport } from "../../../record.ts";
import { decodeRunPlace, encodeRunPlace, type RunPlace } from "../../embedded/page-cursor.ts";
import type { Page, RunFilter } from "../../store.ts";
import { FIELD } from "../document-fields.ts";
import { hasField, isTerm, isWithin } from "./record-clauses.ts";
import { pageSize } from "./record-page.ts";
import { readRunReports } from "./run-reports.ts";
import { readRunSights } from "./run-sights.ts";
import type { QueryClause, SearchClient } from "./search-client.ts";
import { recordsIndex, type StoreStreams } from "./store-streams.ts";
import { MAX_NS, msToNs } from "./time-text.ts";
import type { Buckets } from "./top-hit.ts";

/** Runs of the time asked for: of more, those seen last are listed, and the list says so. */
const RUNS_MAX = 10_000;
/** Runs that are read exactly in one search. */
const RUNS_PER_SEARCH = 100;
const NS_PER_MS = 1_000_000n;
/** Sorts behind every run. */
const END: RunPlace = { lastSeenNs: MAX_NS, runId: "\u{10ffff}" };

export interface RunListParts {
  readonly client: SearchClient;
  readonly streams: StoreStreams;
}

export async function listRuns(parts: RunListParts, filter: RunFilter): Promise<Page<RunReport>> {
  const { seenFromNs, service } = filter;
  const candidates = {
    index: parts.streams.logs,
    field: FIELD.runLastSeen,
    clauses: [isTerm(FIELD.report, true), ...seenFrom(FIELD.runLastSeen, filter)],
  };
  const read = async (runIds: readonly string[]) => {
    const reports = await readRunReports(parts, runIds);
    return reports && [...reports.values()].map((item) => ({ place: item, item }));
  };
  const isWanted = (report: RunReport) =>
    (service === undefined || report.service === service) &&
    (seenFromNs === undefined || report.lastSeenNs >= seenFromNs);
  return new RunListing({ parts, filter, read, isWanted }).page(candidates);
}

/** Runs with any record in the window, as far as their first and last ones tell. */
export async function listRunIds(
  parts: RunListParts,
  filter: RunFilter & { readonly toNs?: bigint },
): Promise<Page<string>> {
  const { service, toNs } = filter;
  const candidates = {
    index: recordsIndex(parts.streams),
    field: FIELD.numbered,
    clauses: [hasField(FIELD.runId), ...seenFrom(FIELD.numbered, filter)],
  };
  const read = async (runIds: readonly string[]) => {
    const sights = await readRunSights(parts, runIds, service);
    return (
      sights &&
      [...sights].map(([runId, sight]) => ({
        place: { runId, lastSeenNs: sight.lastSeenNs },
        item: { runId, ...sight },
      }))
    );
  };
  const isWanted = (run: { isOfService: boolean; firstSeenNs: bigint }) =>
    run.isOfService && (toNs === undefined || run.firstSeenNs < toNs);
  const listing = new RunListing({ parts, filter, read, isWanted });
  const { items, ...page } = await listing.page(candidates);
  return { ...page, items: items.map(({ runId }) => runId) };
}

interface Listed<T> {
  readonly parts: RunListParts;
  readonly filter: RunFilter;
  /** Undefined where the time limit ended it. */
  readonly read: (runIds: readonly string[]) => Promise<readonly Placed<T>[] | undefined>;
  readonly isWanted: (item: T) => boolean;
}

interface Placed<T> {
  readonly place: RunPlace;
  readonly item: T;
}

interface CandidateSearch {
  readonly index: string;
  readonly field: string;
  readonly clauses: readonly QueryClause[];
}

/** A run, and the end of the millisecond in which it was seen last. */
interface Candidate {
  readonly runId: string;
  readonly untilNs: bigint;
}

class RunListing<T> {
  readonly #of: Listed<T>;
  readonly #before: RunPlace;
  readonly #limit: number;

  constructor(of: Listed<T>) {
    this.#of = of;
    const { cursor, limit } = of.filter;
    this.#before = cursor === undefined ? END : decodeRunPlace(cursor);
    this.#limit = pageSize(limit);
  }

  async page(search: CandidateSearch): Promise<Page<T>> {
    const { parts, read, isWanted } = this.#of;
    const found = await this.#candidates(search);
    if (found === undefined) return { items: [], cursor: null, isCut: true };
    const placed: Placed<T>[] = [];
    for (let at = 0; at < found.runs.length; at += RUNS_PER_SEARCH) {
      const some = found.runs.slice(at, at + RUNS_PER_SEARCH);
      if (this.#isFull(placed, some[0])) break;
      const more = parts.client.isOver() ? undefined : await read(some.map(({ runId }) => runId));
      if (more === undefined) return this.#toPage(final(placed, some[0]), { isCut: true });
      const wanted = more.filter(
        ({ item, place }) => isWanted(item) && isAfter(place, this.#before),
      );
      placed.push(...wanted);
      placed.sort((a, b) => comparePlaces(b.place, a.place));
    }
    return this.#toPage(placed, { isCut: found.isCut });
  }

  /** Those seen last first. */
  async #candidates({ index, field, clauses }: CandidateSearch) {
    const { client } = this.#of.parts;
    const last = { max: { field } };
    const terms = { field: FIELD.runId, size: RUNS_MAX, order: { last: "desc" } };
    const { aggregates, isCut } = await client.search<never, { readonly runs: RunBuckets }>({
      index,
      body: {
        size: 0,
        query: { bool: { filter: [...clauses] } },
        aggs: { runs: { terms, aggs: { last } } },
      },
    });
    if (isCut) return undefined;
    const runs = (aggregates?.runs.buckets ?? []).map(({ key, last: { value } }): Candidate => {
      return { runId: key, untilNs: msToNs(value ?? 0) + NS_PER_MS };
    });
    return { runs, isCut: (aggregates?.runs.sum_other_doc_count ?? 0) > 0 };
  }

  /** Whether no run from here on can come before the last one of a full page. */
  #isFull(placed: readonly Placed<T>[], next: Candidate | undefined): boolean {
    const last = placed[this.#limit];
    return last !== undefined && next !== undefined && last.place.lastSeenNs >= next.untilNs;
  }

  #toPage(placed: readonly Placed<T>[], { isCut }: { isCut: boolean }): Page<T> {
    const shown = placed.slice(0, this.#limit);
    const last = shown.at(-1);
    const hasMore = isCut || placed.length > shown.length;
    return {
      items: shown.map(({ item }) => item),
      cursor: hasMore && last !== undefined ? encodeRunPlace(last.place) : null,
      isCut,
    };
  }
}

interface RunBuckets
  extends Buckets<{ readonly key: string; readonly last: { readonly value: number | null } }> {
  readonly sum_other_doc_count: number;
}

/** Of what was read so far, what no run that was not read can come before. */
function final<T>(placed: readonly Placed<T>[], next: Candidate | undefined): readonly Placed<T>[] {
  return placed.filter(({ place }) => next === undefined || place.lastSeenNs >= next.untilNs);
}

function seenFrom(field: string, { seenFromNs }: RunFilter): QueryClause[] {
  return seenFromNs === undefined ? [] : isWithin(field, { fromNs: seenFromNs });
}

function isAfter(place: RunPlace, before: RunPlace): boolean {
  return comparePlaces(place, before) < 0;
}

function comparePlaces(a: RunPlace, b: RunPlace): number {
  if (a.lastSeenNs !== b.lastSeenNs) return a.lastSeenNs < b.lastSeenNs ? -1 : 1;
  if (a.runId === b.runId) return 0;
  return a.runId < b.runId ? -1 : 1;
}
