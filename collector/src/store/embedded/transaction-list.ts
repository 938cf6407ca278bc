/**
 * Transactions, newest start first. A transaction has a row in every day it has records of: it is
 * listed at the row that starts first, with the sum of all.
 */
import type { Page, TransactionFilter, TransactionSummary } from "../store.ts";
import type { DayReader } from "./day-reader.ts";
import { mergeDescending } from "./merge-descending.ts";
import {
  decodeTransactionPlace,
  encodeTransactionPlace,
  type TransactionPlace,
} from "./page-cursor.ts";
import { type Deadline, emptyPage, pageSize, toWindow } from "./record-page.ts";
import { parseSearchText } from "./search-text.ts";
import { emptyTransaction, mergeTransactions, toSummary } from "./transaction-state.ts";

const ROWS = `
  SELECT started, id FROM transactions
  WHERE (started, id) < (?, ?) ORDER BY started DESC, id DESC`;
const ROWS_WITH_TEXT = `
  SELECT transactions.id FROM words
  CROSS JOIN records ON records.seq = words.rowid
  CROSS JOIN transactions ON transactions.key = records.transaction_key
  WHERE words MATCH ? ORDER BY words.rowid DESC`;
/** Of a search by text, the transactions written to last. */
const TEXT_TRANSACTIONS_MAX = 2000;
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
  const text = parseSearchText(filter.query ?? "");
  const before = filter.cursor === undefined ? undefined : decodeTransactionPlace(filter.cursor);
  if (text.matches === "nothing") return emptyPage();
  if (text.matches !== "some") {
    const sources = readers.map((reader) => placesOf(reader, before ?? endOf(filter)));
    const places = mergeDescending(sources, compareStarts);
    return toPage({ places, readers, filter, deadline, nowNs, isCut: false });
  }
  const { ids, isCut } = idsWithText(readers, { expression: text.expression, deadline });
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
    if (isHere && passes(summary, filter)) {
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

function passes(summary: TransactionSummary, filter: TransactionFilter): boolean {
  const { firstNs, lastNs } = toWindow(filter);
  const durationMs = Number(summary.endedNs - summary.startedNs) / 1e6;
  return (
    summary.startedNs >= firstNs &&
    summary.startedNs <= lastNs &&
    durationMs >= (filter.minDurationMs ?? 0) &&
    (filter.status === undefined || summary.status === filter.status) &&
    (filter.operation === undefined || summary.operation === filter.operation) &&
    (filter.service === undefined || summary.services.includes(filter.service))
  );
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

function idsWithText(
  readers: readonly DayReader[],
  { expression, deadline }: { expression: string; deadline: Deadline },
): { ids: ReadonlySet<string>; isCut: boolean } {
  const ids = new Set<string>();
  let rows = 0;
  for (const reader of readers.toReversed()) {
    for (const row of reader.prepare(ROWS_WITH_TEXT).iterate(expression)) {
      ids.add(String(row.id));
      if (ids.size >= TEXT_TRANSACTIONS_MAX) return { ids, isCut: true };
      if (++rows % ROWS_PER_CLOCK_CHECK === 0 && deadline.isOver()) return { ids, isCut: true };
    }
  }
  return { ids, isCut: false };
}

function compareStarts(a: TransactionPlace, b: TransactionPlace): number {
  if (a.startedNs !== b.startedNs) return a.startedNs < b.startedNs ? -1 : 1;
  if (a.transactionId === b.transactionId) return 0;
  return a.transactionId < b.transactionId ? -1 : 1;
}
