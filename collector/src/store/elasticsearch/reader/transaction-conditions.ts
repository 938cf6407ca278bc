/** Which transactions can be meant: those with some record that holds, for each condition. */
import type { TransactionStatus } from "../../../record.ts";
import type { TransactionFilter } from "../../store.ts";
import { FIELD } from "../document-fields.ts";
import { hasField, isAnyOf, isTerm } from "./record-clauses.ts";
import type { QueryClause, SearchClient } from "./search-client.ts";
import { allStreams, recordsIndex, type StoreStreams } from "./store-streams.ts";
import { readTextQuery } from "./text-query.ts";
import type { Buckets } from "./top-hit.ts";

/** So few are added up, sorted and shown at once; more are looked for window by window. */
const FEW_IDS_MAX = 2000;

interface Parts {
  readonly client: SearchClient;
  readonly streams: StoreStreams;
}

/** What some record of the transaction must be, or some record or dead letter. */
export interface Condition {
  readonly clause: QueryClause;
  readonly withLetters: boolean;
}

interface IdBuckets extends Buckets<{ readonly key: string }> {
  readonly sum_other_doc_count: number;
}

/** "nothing" where no text at all can match. */
export function conditionsOf(filter: TransactionFilter): readonly Condition[] | "nothing" {
  const { service, operation, status, query } = filter;
  const text = readTextQuery(query);
  if (text === undefined) return "nothing";
  return [
    ...(service === undefined ? [] : [some(isTerm(FIELD.service, service), true)]),
    ...(operation === undefined ? [] : [some(isEntryOf(operation))]),
    ...(status === undefined ? [] : statusConditions(status)),
    ...text.clauses.map((clause) => some(clause)),
  ];
}

/** The transactions that can match, where they are few; undefined where there are more. */
export async function findFewIds(
  { client, streams }: Parts,
  conditions: readonly Condition[],
): Promise<readonly string[] | undefined> {
  const found = await client.searchEach<never, { readonly ids: IdBuckets }>(
    conditions.map(({ clause, withLetters }) => ({
      index: withLetters ? allStreams(streams) : recordsIndex(streams),
      body: {
        size: 0,
        query: { bool: { filter: [clause, hasField(FIELD.transactionId)] } },
        aggs: { ids: { terms: { field: FIELD.transactionId, size: FEW_IDS_MAX } } },
      },
    })),
  );
  const few = found
    .filter(({ aggregates, isCut }) => !isCut && (aggregates?.ids.sum_other_doc_count ?? 0) === 0)
    .map(({ aggregates }) => aggregates?.ids.buckets.map(({ key }) => key) ?? [])
    .toSorted((a, b) => a.length - b.length);
  const [fewest] = few;
  if (fewest === undefined) return undefined;
  const others = few.slice(1).map((ids) => new Set(ids));
  return fewest.filter((id) => others.every((ids) => ids.has(id)));
}

/** Of the IDs those that have a record for each condition; undefined where it took too long. */
export async function idsWithAll(
  { client, streams }: Parts,
  { conditions, ids }: { conditions: readonly Condition[]; ids: readonly string[] },
): Promise<readonly string[] | undefined> {
  if (ids.length === 0) return ids;
  const found = await client.searchEach<never, { readonly ids: IdBuckets }>(
    conditions.map(({ clause, withLetters }) => ({
      index: withLetters ? allStreams(streams) : recordsIndex(streams),
      body: {
        size: 0,
        query: { bool: { filter: [isAnyOf(FIELD.transactionId, ids), clause] } },
        aggs: { ids: { terms: { field: FIELD.transactionId, size: ids.length } } },
      },
    })),
  );
  if (found.some(({ isCut }) => isCut)) return undefined;
  const sets = found.map(
    ({ aggregates }) => new Set(aggregates?.ids.buckets.map(({ key }) => key)),
  );
  return ids.filter((id) => sets.every((set) => set.has(id)));
}

function some(clause: QueryClause, withLetters = false): Condition {
  return { clause, withLetters };
}

/**
 * Without which no transaction has that status: somebody stated it, or it follows from an entry or
 * a deadline. A running one may have neither, so that nothing can be said.
 */
function statusConditions(status: TransactionStatus): readonly Condition[] {
  if (status === "running") return [];
  const others: Record<Exclude<TransactionStatus, "running">, readonly QueryClause[]> = {
    completed: [isTerm(FIELD.entry, true)],
    failed: [{ bool: { filter: [isTerm(FIELD.entry, true), isTerm(FIELD.error, true)] } }],
    compensated: [],
    "timed-out": [hasField(FIELD.deadline)],
  };
  const should = [isTerm(FIELD.status, status), ...others[status]];
  return [some({ bool: { should, minimum_should_match: 1 } })];
}

/** Its first entry gives a transaction its operation; which one that is the sum will tell. */
function isEntryOf(operation: string): QueryClause {
  return { bool: { filter: [isTerm(FIELD.operation, operation), isTerm(FIELD.entry, true)] } };
}
