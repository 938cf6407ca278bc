/** What one request tells of the numbers of many runs: how many there are, and between which. */
import { FIELD } from "../document-fields.ts";
import type { CountedStretch, NumberTotals } from "./number-scan.ts";
import { isAnyOf } from "./record-clauses.ts";
import type { Aggregation, Search, SearchClient } from "./search-client.ts";
import type { StoreStreams } from "./store-streams.ts";
import { msToNs } from "./time-text.ts";
import type { Buckets, Counted } from "./top-hit.ts";

export type Kind = "log" | "span";
export const KINDS: readonly Kind[] = ["log", "span"];

export interface RunSums {
  /** To the millisecond, rounded down, as Elasticsearch adds times up. */
  readonly firstSeenNs: bigint;
  readonly lastSeenNs: bigint;
  /** That most of its records are of. */
  readonly service: string;
  readonly log: NumberSums;
  readonly span: NumberSums;
}

/** Zeros where nothing is numbered. */
export interface NumberSums extends CountedStretch {
  readonly totals: NumberTotals;
}

interface Stats {
  readonly count: number;
  /** Null where there are none, as the next. */
  readonly min: number | null;
  readonly max: number | null;
}

interface RunBucket extends Counted {
  readonly key: string;
  readonly numbers: Stats & NumberTotals;
  readonly seen: Stats;
  readonly service: Buckets<{ readonly key: string }>;
}

const NOTHING = { sum: 0, sum_of_squares: 0 };
export const NO_NUMBERS: NumberSums = { records: 0, first: 0, last: 0, totals: NOTHING };
/** Counting is all it takes, no sorting: 10 ms for each 100 000 records of the runs. */
const SUMS: Record<string, Aggregation> = {
  numbers: { extended_stats: { field: FIELD.sequence } },
  seen: { stats: { field: FIELD.numbered } },
  service: { terms: { field: FIELD.service, size: 1 } },
};

/** By run id, of those that records are stored of; undefined where the time limit ended it. */
export async function readRunSums(
  { client, streams }: { readonly client: SearchClient; readonly streams: StoreStreams },
  runIds: readonly string[],
): Promise<ReadonlyMap<string, RunSums> | undefined> {
  const searches = [streams.logs, streams.traces].map((index) => sumsIn(index, runIds));
  const found = await client.searchEach<never, { readonly runs: Buckets<RunBucket> }>(searches);
  if (found.some(({ isCut }) => isCut)) return undefined;
  const [logs, spans] = found.map(({ aggregates }) => {
    return new Map((aggregates?.runs.buckets ?? []).map((bucket) => [bucket.key, bucket]));
  });
  const known = runIds.filter((runId) => logs?.has(runId) || spans?.has(runId));
  return new Map(known.map((runId) => [runId, toSums(logs?.get(runId), spans?.get(runId))]));
}

function sumsIn(index: string, runIds: readonly string[]): Search {
  const runs = { terms: { field: FIELD.runId, size: runIds.length }, aggs: SUMS };
  const query = { bool: { filter: [isAnyOf(FIELD.runId, runIds)] } };
  return { index, body: { size: 0, query, aggs: { runs } } };
}

function toSums(logs: RunBucket | undefined, spans: RunBucket | undefined): RunSums {
  const parts = [logs, spans].filter((part) => part !== undefined);
  const most = parts.toSorted((a, b) => b.doc_count - a.doc_count)[0];
  return {
    firstSeenNs: msToNs(Math.min(...parts.map(({ seen }) => seen.min ?? Infinity))),
    lastSeenNs: msToNs(Math.max(...parts.map(({ seen }) => seen.max ?? 0))),
    service: most?.service.buckets[0]?.key ?? "",
    log: toNumberSums(logs),
    span: toNumberSums(spans),
  };
}

function toNumberSums(bucket: RunBucket | undefined): NumberSums {
  if (bucket === undefined || bucket.numbers.count === 0) return NO_NUMBERS;
  const { count, min, max, sum, sum_of_squares } = bucket.numbers;
  return { records: count, first: min ?? 0, last: max ?? 0, totals: { sum, sum_of_squares } };
}
