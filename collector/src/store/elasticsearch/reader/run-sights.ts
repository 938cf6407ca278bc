/** When runs were seen first and last, by the records that are stored of them. */
import { FIELD } from "../document-fields.ts";
import { isAnyOf, isTerm, isWithin } from "./record-clauses.ts";
import type { Aggregation, QueryClause, SearchClient } from "./search-client.ts";
import { recordsIndex, type StoreStreams } from "./store-streams.ts";
import { type Buckets, type Counted, fieldsOf, type TopHits, timeOf, topHit } from "./top-hit.ts";

export interface Sight {
  readonly firstSeenNs: bigint;
  readonly lastSeenNs: bigint;
}

export interface RunSight extends Sight {
  /** Whether some record is of the service that was asked for. */
  readonly isOfService: boolean;
}

interface RunBucket {
  readonly key: string;
  readonly first: TopHits;
  readonly last: TopHits;
  readonly ofService?: Counted;
}

interface Parts {
  readonly client: SearchClient;
  readonly streams: StoreStreams;
}

const NS_PER_MS = 1_000_000n;
const TIMES: Record<string, Aggregation> = {
  first: topHit([FIELD.numbered], [FIELD.numbered]),
  last: topHit([`-${FIELD.numbered}`], [FIELD.numbered]),
};

/** By run id, of those of which anything is stored; undefined where the time limit ended it. */
export async function readRunSights(
  parts: Parts,
  runIds: readonly string[],
  service?: string,
): Promise<ReadonlyMap<string, RunSight> | undefined> {
  const ofService = service !== undefined && {
    ofService: { filter: isTerm(FIELD.service, service) },
  };
  const found = await searchRuns(parts, [isAnyOf(FIELD.runId, runIds)], {
    runs: runIds.length,
    aggs: { ...TIMES, ...ofService },
  });
  return found && new Map(found.flatMap(toSight));
}

/** @param rough to the millisecond, rounded down; so that few records must be looked at. */
export async function readExactSights(
  parts: Parts,
  rough: ReadonlyMap<string, Sight>,
): Promise<ReadonlyMap<string, Sight> | undefined> {
  const clauses = [...rough].map(([runId, { firstSeenNs, lastSeenNs }]): QueryClause => {
    const ends = [
      ...isWithin(FIELD.numbered, { toNs: firstSeenNs + NS_PER_MS }),
      ...isWithin(FIELD.numbered, { fromNs: lastSeenNs }),
    ];
    const isAtAnEnd = ends.length < 2 ? {} : { should: ends, minimum_should_match: 1 };
    return { bool: { filter: [isTerm(FIELD.runId, runId)], ...isAtAnEnd } };
  });
  const query = { bool: { should: clauses, minimum_should_match: 1 } };
  const found = await searchRuns(parts, [query], { runs: rough.size, aggs: TIMES });
  return found && new Map(found.flatMap(toSight));
}

async function searchRuns(
  { client, streams }: Parts,
  filter: readonly QueryClause[],
  { runs, aggs }: { readonly runs: number; readonly aggs: Record<string, Aggregation> },
): Promise<readonly RunBucket[] | undefined> {
  if (runs === 0) return [];
  const { aggregates, isCut } = await client.search<never, { readonly runs: Buckets<RunBucket> }>({
    index: recordsIndex(streams),
    body: {
      size: 0,
      query: { bool: { filter: [...filter] } },
      aggs: { runs: { terms: { field: FIELD.runId, size: runs }, aggs } },
    },
  });
  return isCut ? undefined : (aggregates?.runs.buckets ?? []);
}

function toSight({ key, first, last, ofService }: RunBucket): [string, RunSight][] {
  const [firstFields, lastFields] = [fieldsOf(first), fieldsOf(last)];
  if (firstFields === undefined || lastFields === undefined) return [];
  const firstSeenNs = timeOf(firstFields, FIELD.numbered);
  const lastSeenNs = timeOf(lastFields, FIELD.numbered);
  const isOfService = ofService === undefined || ofService.doc_count > 0;
  return [[key, { firstSeenNs, lastSeenNs, isOfService }]];
}
