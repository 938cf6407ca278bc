/** Rows whose text matches an expression of text-expression.ts. */
import type { DayReader } from "./day-reader.ts";
import type { Hit } from "./record-page.ts";
import type { RowColumns } from "./row-conditions.ts";

export interface MatchRow extends Hit, RowColumns {}

const COLUMNS = "records.seq, time, flags, severity, service";
const JOINED = "words CROSS JOIN records ON records.seq = words.rowid";
const DESCENDING = `
  SELECT ${COLUMNS} FROM ${JOINED}
  WHERE words MATCH ? AND words.rowid <= ? ORDER BY words.rowid DESC`;
const ASCENDING = `
  SELECT ${COLUMNS} FROM ${JOINED}
  WHERE words MATCH ? AND words.rowid > ? ORDER BY words.rowid`;
const LATEST = `
  SELECT ${COLUMNS} FROM ${JOINED}
  WHERE words MATCH ? AND words.rowid > ? AND words.rowid <= ? ORDER BY words.rowid DESC`;
/** So many rows are passed over rather than sought anew, which costs some 50 ns per row above. */
const ROWS_PASSED_MAX = 65_536;
/** A tail that is no further behind is read from the end, where a search begins at once. */
const LATEST_ROWS_MAX = 16_384;

/**
 * The matches of one day, range by range. Ranges that go downwards, as they mostly do, are one
 * pass over the index; any other costs a new search.
 */
export class DescendingMatches {
  private readonly reader: DayReader;
  private readonly expression: string;
  private rows: Generator<MatchRow> | undefined;
  private next: MatchRow | undefined;
  /** Rows from here on were passed. */
  private passedSeq = 0;

  constructor(reader: DayReader, expression: string) {
    this.reader = reader;
    this.expression = expression;
  }

  /** Newest written first, both ends inside. */
  rowsBetween(firstSeq: number, lastSeq: number): MatchRow[] {
    if (!this.isAbove(firstSeq, lastSeq)) this.restart(lastSeq);
    const rows: MatchRow[] = [];
    while (this.next !== undefined && this.next.seq >= firstSeq) {
      if (this.next.seq <= lastSeq) rows.push(this.next);
      this.advance();
    }
    this.passedSeq = firstSeq;
    return rows;
  }

  close(): void {
    this.rows?.return(undefined);
    this.rows = undefined;
  }

  /** Whether the pass under way comes by the range soon, or is known to find nothing there. */
  private isAbove(firstSeq: number, lastSeq: number): boolean {
    if (this.rows === undefined || lastSeq >= this.passedSeq) return false;
    if (this.next === undefined || this.next.seq < firstSeq) return true;
    return this.next.seq - lastSeq <= ROWS_PASSED_MAX;
  }

  private restart(lastSeq: number): void {
    this.close();
    const statement = this.reader.prepare(DESCENDING);
    this.rows = toMatches(this.reader, statement.iterate(this.expression, lastSeq));
    this.advance();
  }

  private advance(): void {
    const step = this.rows?.next();
    this.next = step === undefined || step.done ? undefined : step.value;
  }
}

/** The matches written after `afterSeq`, in order of writing. */
export function matchesAfter(
  reader: DayReader,
  { expression, afterSeq, lastSeq }: { expression: string; afterSeq: number; lastSeq: number },
): Iterable<MatchRow> {
  if (lastSeq - afterSeq > LATEST_ROWS_MAX) {
    return toMatches(reader, reader.prepare(ASCENDING).iterate(expression, afterSeq));
  }
  const rows = reader.prepare(LATEST).all(expression, afterSeq, lastSeq);
  return [...toMatches(reader, rows)].toReversed();
}

function* toMatches(
  reader: DayReader,
  rows: Iterable<Record<string, unknown>>,
): Generator<MatchRow> {
  for (const row of rows) {
    yield {
      timeNs: row.time as bigint,
      reader,
      seq: Number(row.seq),
      flags: Number(row.flags),
      severity: Number(row.severity),
      service: Number(row.service),
    };
  }
}
