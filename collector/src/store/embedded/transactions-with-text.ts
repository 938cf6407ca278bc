/** The transactions of which some record matches a query, those written to last first. */
import type { DayReader } from "./day-reader.ts";
import { RecordCheck } from "./record-check.ts";
import type { Deadline } from "./record-page.ts";
import { RowConditions } from "./row-conditions.ts";
import type { SearchPlan } from "./search-plan.ts";

/** More are not looked for; the list then says that it was cut. */
const TRANSACTIONS_MAX = 2000;
const ROWS_PER_CLOCK_CHECK = 64;
const ID_OF_ROW = "CROSS JOIN transactions ON transactions.key = records.transaction_key";

export interface FoundIds {
  readonly ids: ReadonlySet<string>;
  readonly isCut: boolean;
}

export function transactionsWithText(
  readers: readonly DayReader[],
  { plan, deadline }: { readonly plan: SearchPlan; readonly deadline: Deadline },
): FoundIds {
  const check = plan.rest === undefined ? undefined : new RecordCheck(plan.rest);
  const ids = new Set<string>();
  let looked = 0;
  for (const reader of readers.toReversed()) {
    for (const { id, seq } of rowsOf(reader, plan)) {
      if (++looked % ROWS_PER_CLOCK_CHECK === 0 && deadline.isOver()) return { ids, isCut: true };
      if (ids.has(id) || check?.passes(reader, seq) === false) continue;
      ids.add(id);
      if (ids.size >= TRANSACTIONS_MAX) return { ids, isCut: true };
    }
  }
  return { ids, isCut: false };
}

function* rowsOf(reader: DayReader, plan: SearchPlan): Generator<{ id: string; seq: number }> {
  // Spans count here as well, and have no severity of their own: all rows, but for their columns.
  const conditions = RowConditions.of(reader, { withSpans: true }, plan);
  if (conditions === undefined) return;
  const { sql, values } = conditions;
  const rows =
    plan.expression === undefined
      ? reader
          .prepare(
            `SELECT transactions.id, seq FROM records ${ID_OF_ROW}
             WHERE transaction_key IS NOT NULL AND ${sql} ORDER BY seq DESC`,
          )
          .iterate(...values)
      : reader
          .prepare(
            `SELECT transactions.id, seq FROM words
             CROSS JOIN records ON records.seq = words.rowid ${ID_OF_ROW}
             WHERE words MATCH ? AND ${sql} ORDER BY words.rowid DESC`,
          )
          .iterate(plan.expression, ...values);
  for (const { id, seq } of rows) yield { id: String(id), seq: Number(seq) };
}
