/** Holds rows against what neither their words nor their columns tell. */
import { matches } from "../query-language/matches.ts";
import type { Condition } from "../query-language/query.ts";
import { CheckedRow } from "./checked-row.ts";
import type { DayReader } from "./day-reader.ts";
import { needlesOf } from "./payload-needles.ts";

const ROW = `
  SELECT payload, received, flags, severity, service, resource, transaction_key, trace_id, span_id
  FROM records WHERE seq = ?`;

export class RecordCheck {
  readonly #condition: Condition;
  /** What the payload of a record that passes holds: rows without need not be read. */
  readonly needles: readonly Buffer[];

  constructor(condition: Condition) {
    this.#condition = condition;
    this.needles = needlesOf(condition);
  }

  passes(reader: DayReader, seq: number): boolean {
    const columns = reader.prepare(ROW).get(seq);
    if (columns === undefined) return false;
    const row = new CheckedRow(reader, columns);
    if (!this.needles.every((needle) => row.payload.includes(needle))) return false;
    return matches(this.#condition, row, { text: () => row.indexedText });
  }
}
