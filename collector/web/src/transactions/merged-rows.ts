import type { TransactionView } from "../../../src/query/transaction-view.ts";
import type { TransactionList } from "../api/fetch-answer.ts";

export interface ShownRows {
  readonly rows: readonly TransactionView[];
  readonly cursor: string | null;
  /** New ones that would move the rows, and wait until nobody points at them. */
  readonly waiting: number;
  readonly isCut: boolean;
}

/**
 * The list after a refresh. Held rows keep their places and are only brought up to date; else the
 * fresh page comes first and older rows that were loaded before follow it.
 */
export function mergedRows(
  shown: ShownRows,
  { fresh, isHeld }: { readonly fresh: TransactionList; readonly isHeld: boolean },
): ShownRows {
  const freshById = new Map(fresh.transactions.map((row) => [row.transactionId, row]));
  if (isHeld && shown.rows.length > 0) {
    const rows = shown.rows.map((row) => freshById.get(row.transactionId) ?? row);
    for (const { transactionId } of shown.rows) freshById.delete(transactionId);
    return { ...shown, rows, waiting: freshById.size };
  }
  const whole = shownRows(fresh);
  const oldest = fresh.transactions.at(-1);
  const overlaps = shown.rows.some((row) => freshById.has(row.transactionId));
  // Without an overlap there may be others in between: showing both would hide that.
  if (oldest === undefined || fresh.cursor === null || !overlaps) return whole;
  // A row that belongs among the fresh ones and is not there no longer passes the filter.
  const older = shown.rows.filter(
    (row) => !freshById.has(row.transactionId) && row.startedAt <= oldest.startedAt,
  );
  if (older.length === 0) return whole;
  return { ...whole, rows: [...fresh.transactions, ...older], cursor: shown.cursor };
}

export function shownRows({ transactions, cursor, isCut }: TransactionList): ShownRows {
  return { rows: transactions, cursor, waiting: 0, isCut };
}

/** The list with the next page at its end. */
export function appendedRows(shown: ShownRows, next: TransactionList): ShownRows {
  const known = new Set(shown.rows.map((row) => row.transactionId));
  const added = next.transactions.filter((row) => !known.has(row.transactionId));
  return { ...shown, rows: [...shown.rows, ...added], cursor: next.cursor, isCut: next.isCut };
}
