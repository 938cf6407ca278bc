/**
 * Transactions, newest start first. Their starts are stored nowhere, so the list goes over windows
 * of time from the newest: of the transactions that have a record in the window, those that have
 * none before it began there. Where few transactions can match at all, those are looked at instead.
 */
import {
  decodeTransactionPlace,
  encodeTransactionPlace,
  type TransactionPlace,
} from "../../embedded/page-cursor.ts";
import { toSummary } from "../../embedded/transaction-state.ts";
import type { Page, TransactionFilter, TransactionSummary } from "../../store.ts";
import { passesFilter } from "../../transaction-filter.ts";
import { pageSize } from "./record-page.ts";
import type { SearchClient } from "./search-client.ts";
import type { StoreStreams } from "./store-streams.ts";
import { MAX_NS } from "./time-text.ts";
import { type Condition, conditionsOf, findFewIds, idsWithAll } from "./transaction-conditions.ts";
import { readTransactionStates } from "./transaction-states.ts";
import { TransactionWindows, type WindowIds } from "./transaction-windows.ts";

/** Transactions that are added up in one search; each takes about 0.1 ms. */
const STATES_PER_SEARCH = 200;
/** Sorts behind every transaction; IDs are ASCII. */
const AFTER_ALL_IDS = "\u{10ffff}";

export interface ListParts {
  readonly client: SearchClient;
  readonly streams: StoreStreams;
  readonly nowNs: bigint;
}

export async function listTransactions(
  parts: ListParts,
  filter: TransactionFilter,
): Promise<Page<TransactionSummary>> {
  const conditions = conditionsOf(filter);
  const before = placeBefore(filter);
  if (conditions === "nothing") return { items: [], cursor: null, isCut: false };
  const listing = new TransactionListing(parts, { filter, conditions, before });
  const few = await findFewIds(parts, conditions);
  return few === undefined ? listing.byWindows() : listing.among(few);
}

interface Asked {
  readonly filter: TransactionFilter;
  /** Each must hold for some record of the transaction. */
  readonly conditions: readonly Condition[];
  readonly before: TransactionPlace;
}

class TransactionListing {
  readonly #parts: ListParts;
  readonly #asked: Asked;
  readonly #limit: number;
  readonly #items: TransactionSummary[] = [];

  constructor(parts: ListParts, asked: Asked) {
    this.#parts = parts;
    this.#asked = asked;
    this.#limit = pageSize(asked.filter.limit);
  }

  async among(ids: readonly string[]): Promise<Page<TransactionSummary>> {
    const found = await this.#summaries(ids, { mayEnd: false });
    // Without some of their records others would look like the newest.
    if (found === undefined) return { items: [], cursor: null, isCut: true };
    for (const summary of found) this.#items.push(summary);
    return this.#page();
  }

  async byWindows(): Promise<Page<TransactionSummary>> {
    const { before, conditions, filter } = this.#asked;
    const { client } = this.#parts;
    const windows = new TransactionWindows(this.#parts, { before, fromNs: filter.fromNs ?? 0n });
    let place: TransactionPlace | undefined;
    for (;;) {
      const window = await windows.next();
      if (window === "end") return this.#page();
      if (window === "cut") return this.#cutPage(place);
      const ids = await idsWithAll(this.#parts, { conditions, ids: window.ids });
      // The first window is gone through in any case, so that the list gets on.
      const mayEnd = place !== undefined;
      const found = ids === undefined ? undefined : await this.#summaries(ids, { mayEnd });
      if (found === undefined) return this.#cutPage(place);
      for (const summary of found) if (isWithin(summary, window)) this.#items.push(summary);
      if (this.#items.length > this.#limit) return this.#page();
      place = window.end;
      if (client.isOver()) return this.#cutPage(place);
    }
  }

  /** Those that pass, newest start first; undefined where the time limit ended it. */
  async #summaries(
    ids: readonly string[],
    { mayEnd }: { readonly mayEnd: boolean },
  ): Promise<readonly TransactionSummary[] | undefined> {
    const { client, streams, nowNs } = this.#parts;
    const { filter, before } = this.#asked;
    const summaries: TransactionSummary[] = [];
    for (let at = 0; at < ids.length; at += STATES_PER_SEARCH) {
      if (mayEnd && client.isOver()) return undefined;
      const some = ids.slice(at, at + STATES_PER_SEARCH);
      const { states, isCut } = await readTransactionStates(client, streams, some);
      if (isCut) return undefined;
      for (const [id, state] of states) summaries.push(toSummary(id, state, nowNs));
    }
    return summaries
      .filter((summary) => passesFilter(summary, filter) && compareStarts(summary, before) < 0)
      .toSorted((a, b) => compareStarts(b, a));
  }

  #page(): Page<TransactionSummary> {
    const items = this.#items.slice(0, this.#limit);
    const last = items.at(-1);
    const hasMore = this.#items.length > items.length && last !== undefined;
    return { items, cursor: hasMore ? encodeTransactionPlace(last) : null, isCut: false };
  }

  /** @param place up to where everything was looked at. */
  #cutPage(place: TransactionPlace | undefined): Page<TransactionSummary> {
    const cursor = place === undefined ? null : encodeTransactionPlace(place);
    return { items: this.#items, cursor, isCut: true };
  }
}

/** Where the list begins: behind the cursor, or behind all that can be asked for. */
function placeBefore({ cursor, toNs }: TransactionFilter): TransactionPlace {
  if (cursor !== undefined) return decodeTransactionPlace(cursor);
  const lastNs = toNs === undefined || toNs > MAX_NS ? MAX_NS : toNs - 1n;
  return { startedNs: lastNs < 0n ? 0n : lastNs, transactionId: AFTER_ALL_IDS };
}

/** A transaction is listed in the window in which it began. */
function isWithin({ startedNs }: TransactionSummary, { firstNs, lastNs }: WindowIds): boolean {
  return startedNs >= firstNs && startedNs <= lastNs;
}

function compareStarts(a: TransactionPlace, b: TransactionPlace): number {
  if (a.startedNs !== b.startedNs) return a.startedNs < b.startedNs ? -1 : 1;
  if (a.transactionId === b.transactionId) return 0;
  return a.transactionId < b.transactionId ? -1 : 1;
}
