/**
 * The IDs of transactions by when they began: window after window of time from the newest on. A
 * window holds so many records, so that it is short where much happens and long where little does.
 */
import type { TransactionPlace } from "../../embedded/page-cursor.ts";
import { FIELD, LETTER_FIELD } from "../document-fields.ts";
import { hasField, isAnyOf, isTerm, isWithin } from "./record-clauses.ts";
import type { QueryClause, SearchBody, SearchClient } from "./search-client.ts";
import { recordsIndex, type StoreStreams } from "./store-streams.ts";
import { parseTime, TIME_FORMAT } from "./time-text.ts";
import type { Buckets } from "./top-hit.ts";

/** Records of the first window; each one after it has twice as many. */
const RECORDS_FIRST = 1000;
/** Elasticsearch gives a record's place in a list no further (`index.max_result_window`). */
const RECORDS_MAX = 10_000;
/** IDs of transactions that began in the very same nanosecond: so many at a time. */
const IDS_PER_INSTANT = 2000;

export interface WindowIds {
  readonly firstNs: bigint;
  readonly lastNs: bigint;
  /** Those that have a record, or a dead letter, within, and no record before. */
  readonly ids: readonly string[];
  /** Everything up to here was looked at once these were. */
  readonly end: TransactionPlace;
}

interface Window {
  readonly firstNs: bigint;
  readonly lastNs: bigint;
}

interface IdBuckets extends Buckets<{ readonly key: string }> {
  readonly sum_other_doc_count: number;
}

interface CompositeIds extends Buckets<{ readonly key: { readonly id: string } }> {
  readonly after_key?: { readonly id: string };
}

export class TransactionWindows {
  readonly #client: SearchClient;
  readonly #streams: StoreStreams;
  readonly #fromNs: bigint;
  #records = RECORDS_FIRST;
  /** The next window ends here. */
  #lastNs: bigint;
  /** Within an instant: the ID after which, from the last on, it goes on. */
  #afterId: string | undefined;
  #instantNs: bigint | undefined;

  constructor(
    { client, streams }: { readonly client: SearchClient; readonly streams: StoreStreams },
    { before, fromNs }: { readonly before: TransactionPlace; readonly fromNs: bigint },
  ) {
    this.#client = client;
    this.#streams = streams;
    this.#fromNs = fromNs < 0n ? 0n : fromNs;
    this.#lastNs = before.startedNs;
    this.#afterId = before.transactionId;
  }

  /** "cut" where the time limit ended it. */
  async next(): Promise<WindowIds | "end" | "cut"> {
    if (this.#instantNs !== undefined) return this.#nextOfInstant(this.#instantNs);
    if (this.#lastNs < this.#fromNs) return "end";
    const firstNs = await this.#findStart();
    return firstNs === "cut" ? "cut" : this.#from(firstNs);
  }

  async #from(firstNs: bigint): Promise<WindowIds | "cut"> {
    const lastNs = this.#lastNs;
    if (firstNs === lastNs) {
      this.#instantNs = firstNs;
      return this.#nextOfInstant(firstNs);
    }
    const ids = await this.#idsWithin({ firstNs, lastNs });
    if (ids === "cut") return "cut";
    // Of dead letters there may be any number: half of the time may be little enough.
    if (ids === "too many") return this.#from(lastNs - (lastNs - firstNs) / 2n);
    this.#records = Math.min(this.#records * 2, RECORDS_MAX);
    this.#endWindow(firstNs);
    return { firstNs, lastNs, ids, end: { startedNs: firstNs, transactionId: "" } };
  }

  #endWindow(firstNs: bigint): void {
    this.#instantNs = undefined;
    this.#afterId = undefined;
    this.#lastNs = firstNs - 1n;
  }

  /**
   * Where so many records end. All those of the earliest time may be more than that: they are the
   * next window's, unless they are all there are in this one.
   */
  async #findStart(): Promise<bigint | "cut"> {
    const within = isWithin(FIELD.time, { fromNs: this.#fromNs, toNs: this.#lastNs + 1n });
    const { hits, isCut } = await this.#client.search({
      index: recordsIndex(this.#streams),
      body: {
        ...{ from: this.#records - 1, size: 1, _source: false },
        query: { bool: { filter: [hasField(FIELD.transactionId), ...within] } },
        sort: [{ [FIELD.time]: { order: "desc", format: TIME_FORMAT } }],
      },
    });
    if (isCut) return "cut";
    const time = hits[0]?.sort[0];
    if (time === undefined) return this.#fromNs;
    const earliestNs = parseTime(String(time));
    return earliestNs === this.#lastNs ? earliestNs : earliestNs + 1n;
  }

  async #idsWithin(window: Window): Promise<readonly string[] | "cut" | "too many"> {
    const ids = { terms: { field: FIELD.transactionId, size: RECORDS_MAX } };
    const found = await this.#client.searchEach<never, { readonly ids: IdBuckets }>([
      { index: recordsIndex(this.#streams), body: { ...records(window), aggs: { ids } } },
      { index: this.#streams.deadLetters, body: { ...refusals(window), aggs: { ids } } },
    ]);
    const names = new Set<string>();
    for (const { aggregates, isCut } of found) {
      if (isCut) return "cut";
      if ((aggregates?.ids.sum_other_doc_count ?? 0) > 0) return "too many";
      for (const { key } of aggregates?.ids.buckets ?? []) names.add(key);
    }
    return this.#withoutEarlier([...names], window.firstNs);
  }

  /** Many transactions may begin in one instant: they come by their IDs, from the last on. */
  async #nextOfInstant(instantNs: bigint): Promise<WindowIds | "cut"> {
    const window = { firstNs: instantNs, lastNs: instantNs };
    const after = this.#afterId === undefined ? {} : { after: { id: this.#afterId } };
    const ids = {
      composite: {
        ...{ size: IDS_PER_INSTANT, ...after },
        sources: [{ id: { terms: { field: FIELD.transactionId, order: "desc" } } }],
      },
    };
    const index = `${recordsIndex(this.#streams)},${this.#streams.deadLetters}`;
    const query = { bool: { should: [...bothQueries(window)], minimum_should_match: 1 } };
    const { aggregates, isCut } = await this.#client.search<never, { readonly ids: CompositeIds }>({
      index,
      body: { size: 0, query, aggs: { ids } },
    });
    if (isCut) return "cut";
    const found = aggregates?.ids.buckets.map(({ key }) => key.id) ?? [];
    const last = found.at(-1) ?? "";
    const isLast = found.length < IDS_PER_INSTANT;
    const started = await this.#withoutEarlier(found, instantNs);
    if (started === "cut") return "cut";
    this.#afterId = last;
    if (isLast) this.#endWindow(instantNs);
    const end = { startedNs: instantNs, transactionId: isLast ? "" : last };
    return { ...window, ids: started, end };
  }

  async #withoutEarlier(
    ids: readonly string[],
    firstNs: bigint,
  ): Promise<readonly string[] | "cut"> {
    if (ids.length === 0) return ids;
    const earlier = isWithin(FIELD.time, { toNs: firstNs });
    const { aggregates, isCut } = await this.#client.search<never, { readonly ids: IdBuckets }>({
      index: recordsIndex(this.#streams),
      body: {
        size: 0,
        query: { bool: { filter: [isAnyOf(FIELD.transactionId, ids), ...earlier] } },
        aggs: { ids: { terms: { field: FIELD.transactionId, size: ids.length } } },
      },
    });
    if (isCut) return "cut";
    const begun = new Set(aggregates?.ids.buckets.map(({ key }) => key));
    return ids.filter((id) => !begun.has(id));
  }
}

function records(window: Window): SearchBody {
  return { size: 0, query: { bool: { filter: isRecordWithin(window) } } };
}

function refusals(window: Window): SearchBody {
  return { size: 0, query: { bool: { filter: isRefusalWithin(window) } } };
}

function bothQueries(window: Window): QueryClause[] {
  return [
    { bool: { filter: isRecordWithin(window) } },
    { bool: { filter: isRefusalWithin(window) } },
  ];
}

function isRecordWithin({ firstNs, lastNs }: Window): QueryClause[] {
  return [
    hasField(FIELD.kind),
    hasField(FIELD.transactionId),
    ...isWithin(FIELD.time, { fromNs: firstNs, toNs: lastNs + 1n }),
  ];
}

/** A letter counts by its receipt: of a transaction that has no record it is the start. */
function isRefusalWithin({ firstNs, lastNs }: Window): QueryClause[] {
  return [
    isTerm(LETTER_FIELD.kind, "refusal"),
    hasField(LETTER_FIELD.transactionId),
    ...isWithin(LETTER_FIELD.received, { fromNs: firstNs, toNs: lastNs + 1n }),
  ];
}
