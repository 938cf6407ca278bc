/**
 * Transactions, newest start first. A transaction has a row in every day it has records of: it is
 * listed at the row that starts first, with the sum of all.
 */
import type { Page, TransactionFilter, TransactionSummary } from "../store.ts";
import { passesFilter } from "../transaction-filter.ts";
import type { DayReader } from "./day-reader.ts";
import { mergeDescending } from "./merge-descending.ts";
import {
  decodeTransactionPlace,
  encodeTransactionPlace,
  type TransactionPlace,
} from "./page-cursor.ts";
import { type Deadline, emptyPage, pageSize, toWindow } from "./record-page.ts";
import { planSearch, type SearchPlan } from "./search-plan.ts";
import { emptyTransaction, mergeTransactions, toSummary } from "./transaction-state.ts";
import { transactionsWithText } from "./transactions-with-text.ts";

const ROWS = `
  SELECT started, id FROM transactions
  WHERE (started, id) < (?, ?) ORDER BY started DESC, id DESC`;
const ROWS_PER_CLOCK_CHECK = 64;

export function findTransaction(
  readers: readonly DayReader[],
  { transactionId, nowNs }: { transactionId: string; nowNs: bigint },
): TransactionSummary | undefined {
  const sum = emptyTransaction();
  let isKnown = false;
  for (const reader of readers) {
    const found = reader.findTransaction(transactionId);
    if (found === undefined) continue;
    isKnown = true;
    mergeTransactions(sum, found.state);
  }
  return isKnown ? toSummary(transactionId, sum, nowNs) : undefined;
}

export function listTransactions(
  readers: readonly DayReader[],
  filter: TransactionFilter,
  { deadline, nowNs }: { readonly deadline: Deadline; readonly nowNs: bigint },
): Page<TransactionSummary> {
  const plan = planSearch(filter.query);
  const before = filter.cursor === undefined ? undefined : decodeTransactionPlace(filter.cursor);
  if (plan === "nothing") return emptyPage();
  if (isForAll(plan)) {
    const sources = readers.map((reader) => placesOf(reader, before ?? endOf(filter)));
    const places = mergeDescending(sources, compareStarts);
    return toPage({ places, readers, filter, deadline, nowNs, isCut: false });
  }
  const { ids, isCut } = transactionsWithText(readers, { plan, deadline });
  const places = [...ids]
    .map((transactionId) => findTransaction(readers, { transactionId, nowNs }))
    .filter((summary) => summary !== undefined)
    .filter((summary) => before === undefined || compareStarts(summary, before) < 0)
    .toSorted((a, b) => compareStarts(b, a));
  return toPage({ places, readers, filter, deadline, nowNs, isCut });
}

interface Listing {
  /** Newest first; a transaction may come more than once, its first start counts. */
  readonly places: Iterable<TransactionPlace>;
  readonly readers: readonly DayReader[];
  readonly filter: TransactionFilter;
  readonly deadline: Deadline;
  readonly nowNs: bigint;
  readonly isCut: boolean;
}

function toPage(listing: Listing): Page<TransactionSummary> {
  const { places, readers, filter, deadline, nowNs, isCut } = listing;
  const limit = pageSize(filter.limit);
  const { firstNs } = toWindow(filter);
  const items: TransactionSummary[] = [];
  let rows = 0;
  for (const place of places) {
    if (place.startedNs < firstNs) break;
    const { transactionId } = place;
    const summary = findTransaction(readers, { transactionId, nowNs });
    const isHere = summary !== undefined && summary.startedNs === place.startedNs;
    if (isHere && passesFilter(summary, filter)) {
      const last = items.at(-1);
      // Days that both hold the start of a transaction name it one after the other.
      if (last?.transactionId === summary.transactionId) continue;
      if (items.length === limit) return { items, cursor: cursorAfter(last), isCut };
      items.push(summary);
    }
    if (++rows % ROWS_PER_CLOCK_CHECK === 0 && deadline.isOver()) {
      return { items, cursor: encodeTransactionPlace(place), isCut: true };
    }
  }
  return { items, cursor: null, isCut };
}

function cursorAfter(last: TransactionSummary | undefined): string | null {
  return last === undefined ? null : encodeTransactionPlace(last);
}

/** Sorts behind every transaction of the window; IDs are ASCII. */
function endOf(filter: TransactionFilter): TransactionPlace {
  return { startedNs: toWindow(filter).lastNs, transactionId: "\u{10ffff}" };
}

function* placesOf(reader: DayReader, before: TransactionPlace): Generator<TransactionPlace> {
  const statement = reader.prepare(ROWS);
  for (const row of statement.iterate(before.startedNs, before.transactionId)) {
    yield { startedNs: row.started as bigint, transactionId: String(row.id) };
  }
}

function isForAll({ expression, columns, severities, rest }: SearchPlan): boolean {
  const isOpen = expression === undefined && rest === undefined;
  return isOpen && columns.size === 0 && severities.length === 0;
}

function compareStarts(a: TransactionPlace, b: TransactionPlace): number {
  if (a.startedNs !== b.startedNs) return a.startedNs < b.startedNs ? -1 : 1;
  if (a.transactionId === b.transactionId) return 0;
  return a.transactionId < b.transactionId ? -1 : 1;
}
