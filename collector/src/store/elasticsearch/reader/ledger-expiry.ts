/**
 * What retention took of the numbers of runs. It deletes whole backing indices, the oldest first,
 * and leaves no word of what was in them. Records are received in nearly the order of their numbers
 * and are written soon after: so those around the oldest that is kept may have been deleted, and
 * all before.
 */
import { FIELD } from "../document-fields.ts";
import { isAnyOf, isWithin } from "./record-clauses.ts";
import type { SearchClient } from "./search-client.ts";
import { recordsIndex, type StoreStreams } from "./store-streams.ts";
import { type Buckets, docValues, timeOf } from "./top-hit.ts";

/** A run reports every few seconds, so one that was there is seen again so soon. */
const SEEN_AGAIN_NS = 60_000_000_000n;
const FIRST_GENERATION = 1;
const GENERATION = /-(\d+)$/;

interface Parts {
  readonly client: SearchClient;
  readonly streams: StoreStreams;
}

/** Up to which numbers runs may have been among what is gone. */
export interface Expiry {
  /** Records received before may have been deleted; 0 where nothing was. */
  readonly untilNs: bigint;
  /** By run id, the highest number of what is left of that time. */
  readonly log: ReadonlyMap<string, number>;
  readonly span: ReadonlyMap<string, number>;
}

interface RunBucket {
  readonly key: string;
  readonly highest: { readonly value: number | null };
}

const NONE: Expiry = { untilNs: 0n, log: new Map(), span: new Map() };

/** Undefined where the time limit ended it. */
export async function readExpiry(
  { client, streams }: Parts,
  runIds: readonly string[],
): Promise<Expiry | undefined> {
  const { hits, isCut } = await client.search({
    index: recordsIndex(streams),
    body: {
      ...{ size: 1, _source: false, docvalue_fields: docValues([FIELD.received]) },
      sort: [{ [FIELD.received]: { order: "asc", unmapped_type: "date_nanos" } }],
    },
  });
  if (isCut) return undefined;
  const [oldest] = hits;
  if (oldest === undefined || generationOf(oldest.index) <= FIRST_GENERATION) return NONE;
  const untilNs = timeOf(oldest.fields, FIELD.received) + SEEN_AGAIN_NS;
  const isThen = [isAnyOf(FIELD.runId, runIds), ...isWithin(FIELD.received, { toNs: untilNs })];
  const runs = { terms: { field: FIELD.runId, size: runIds.length }, aggs: HIGHEST };
  const found = await client.searchEach<never, { readonly runs: Buckets<RunBucket> }>(
    [streams.logs, streams.traces].map((index) => ({
      index,
      body: { size: 0, query: { bool: { filter: isThen } }, aggs: { runs } },
    })),
  );
  if (found.some((part) => part.isCut)) return undefined;
  const [log = new Map(), span = new Map()] = found.map(({ aggregates }) => {
    const buckets = aggregates?.runs.buckets ?? [];
    return new Map(buckets.map(({ key, highest }) => [key, highest.value ?? 0]));
  });
  return { untilNs, log, span };
}

const HIGHEST = { highest: { max: { field: FIELD.sequence } } };

/** Backing indices are numbered from 1 on (`.ds-<stream>-<date>-000001`). */
function generationOf(index: string): number {
  return Number(GENERATION.exec(index)?.[1] ?? FIRST_GENERATION);
}
