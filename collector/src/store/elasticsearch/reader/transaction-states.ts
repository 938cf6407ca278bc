/**
 * Transactions as their records add up to them. Nothing about a transaction is stored beside its
 * records, since Elasticsearch cannot change a document and tell in one act; it is added up when
 * somebody asks.
 */
import type { TransactionStatus } from "../../../record.ts";
import {
  addDeadLetter,
  addOpenDeadLetters,
  emptyTransaction,
  SERVICES_PER_TRANSACTION_MAX,
  type TransactionState,
} from "../../embedded/transaction-state.ts";
import { FIELD, LETTER_FIELD } from "../document-fields.ts";
import { readLetters } from "./letters.ts";
import { hasField, isAnyOf, isTerm } from "./record-clauses.ts";
import type { Aggregation, SearchBody, SearchClient } from "./search-client.ts";
import { recordsIndex, type StoreStreams } from "./store-streams.ts";
import {
  type Buckets,
  type Counted,
  fieldsOf,
  type TopHits,
  textOf,
  timeOf,
  topHit,
} from "./top-hit.ts";

export interface TransactionStates {
  /** Those of which anything is known. */
  readonly states: ReadonlyMap<string, TransactionState>;
  /** The time limit came first: what is here may lack records. */
  readonly isCut: boolean;
}

interface RecordsBucket {
  readonly key: string;
  readonly logs: Counted;
  readonly spans: Counted;
  readonly errors: Counted;
  readonly events: Counted;
  readonly services: Buckets<{ readonly key: string }>;
  readonly first: TopHits;
  readonly last: TopHits;
  readonly entry: { readonly hit: TopHits };
  readonly stated: { readonly hit: TopHits };
  readonly deadline: { readonly hit: TopHits };
}

const SERVICES: Aggregation = {
  terms: { field: FIELD.service, size: SERVICES_PER_TRANSACTION_MAX, order: { _key: "asc" } },
};

/** The first entry, and of two at the same time always the same one: as `transaction-state.ts`. */
/** Of one search; a transaction with more has so many open ones at least. */
const LETTERS_MAX = 2000;
const LETTERS: Aggregation = { terms: { field: LETTER_FIELD.letter, size: LETTERS_MAX } };

const OF_RECORDS: Record<string, Aggregation> = {
  logs: { filter: isTerm(FIELD.kind, "log") },
  spans: { filter: isTerm(FIELD.kind, "span") },
  errors: { filter: isTerm(FIELD.error, true) },
  events: { filter: isTerm(FIELD.event, true) },
  services: SERVICES,
  first: topHit([FIELD.time], [FIELD.time]),
  last: topHit([`-${FIELD.end}`], [FIELD.end]),
  entry: {
    filter: { bool: { filter: [isTerm(FIELD.kind, "span"), isTerm(FIELD.entry, true)] } },
    aggs: {
      hit: topHit(
        [FIELD.time, FIELD.operation, `-${FIELD.error}`],
        [FIELD.time, FIELD.operation, FIELD.error],
      ),
    },
  },
  stated: {
    filter: hasField(FIELD.status),
    aggs: { hit: topHit([`-${FIELD.end}`, `-${FIELD.status}`], [FIELD.end, FIELD.status]) },
  },
  deadline: {
    filter: hasField(FIELD.deadline),
    aggs: { hit: topHit([`-${FIELD.time}`, `-${FIELD.deadline}`], [FIELD.time, FIELD.deadline]) },
  },
};

/** @param ids not more than one search takes at once. */
export async function readTransactionStates(
  client: SearchClient,
  streams: StoreStreams,
  ids: readonly string[],
): Promise<TransactionStates> {
  const [ofRecords, ofLetters] = await client.searchEach<
    never,
    { readonly byId: Buckets<RecordsBucket>; readonly letters: Buckets<{ readonly key: string }> }
  >([
    {
      index: recordsIndex(streams),
      body: { ...withIds(ids), aggs: { byId: { terms: byId(ids), aggs: OF_RECORDS } } },
    },
    { index: streams.deadLetters, body: { ...withIds(ids), aggs: { letters: LETTERS } } },
  ]);
  const keys = (ofLetters?.aggregates?.letters.buckets ?? []).map(({ key }) => key);
  const letters = await readLetters(client, streams.deadLetters, keys);
  const states = new Map<string, TransactionState>();
  for (const bucket of ofRecords?.aggregates?.byId.buckets ?? []) {
    states.set(bucket.key, stateOfRecords(bucket));
  }
  for (const { letter } of letters?.values() ?? []) {
    if (!ids.includes(letter.transactionId)) continue;
    const state = states.get(letter.transactionId) ?? emptyTransaction();
    addDeadLetter(state, letter);
    if (letter.state !== "open") addOpenDeadLetters(state, -1);
    states.set(letter.transactionId, state);
  }
  const isCut = ofRecords?.isCut === true || ofLetters?.isCut === true || letters === undefined;
  return { states, isCut };
}

function withIds(ids: readonly string[]): SearchBody {
  return { size: 0, query: { bool: { filter: [isAnyOf(FIELD.transactionId, ids)] } } };
}

function byId(ids: readonly string[]) {
  return { field: FIELD.transactionId, size: ids.length };
}

function stateOfRecords(bucket: RecordsBucket): TransactionState {
  const state = emptyTransaction();
  const first = fieldsOf(bucket.first);
  const last = fieldsOf(bucket.last);
  const entry = fieldsOf(bucket.entry.hit);
  const stated = fieldsOf(bucket.stated.hit);
  const deadline = fieldsOf(bucket.deadline.hit);
  state.logs = bucket.logs.doc_count;
  state.spans = bucket.spans.doc_count;
  state.errors = bucket.errors.doc_count;
  state.events = bucket.events.doc_count;
  for (const { key } of bucket.services.buckets) state.services.add(key);
  if (first !== undefined) state.startedNs = timeOf(first, FIELD.time);
  if (last !== undefined) state.endedNs = timeOf(last, FIELD.end);
  if (entry !== undefined) {
    state.entryNs = timeOf(entry, FIELD.time);
    state.operation = textOf(entry, FIELD.operation);
    state.isEntryFailed = textOf(entry, FIELD.error) === "true";
  }
  if (stated !== undefined) {
    state.statusNs = timeOf(stated, FIELD.end);
    state.status = textOf(stated, FIELD.status) as TransactionStatus;
  }
  if (deadline !== undefined) {
    state.deadlineSetNs = timeOf(deadline, FIELD.time);
    state.deadlineNs = timeOf(deadline, FIELD.deadline);
  }
  return state;
}
