import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { IncomingRecord } from "../../record.ts";
import { IdBytes } from "./id-bytes.ts";

/**
 * Which transactions a trace belongs to: one row for each, where an index over the trace ids of
 * all spans would take an insertion at a random place for each of them. Only spans without a
 * transaction have such an index.
 */
export const TRACE_TABLES = `
  CREATE TABLE traces (
    trace_id BLOB NOT NULL,
    transaction_key INTEGER NOT NULL,
    PRIMARY KEY (trace_id, transaction_key)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX spans_alone ON records (trace_id, time)
    WHERE transaction_key IS NULL AND trace_id IS NOT NULL AND flags & 1 = 1;
`;

/** For a day written without them. */
export const TRACES_FROM_RECORDS = `
  ${TRACE_TABLES}
  INSERT INTO traces SELECT DISTINCT trace_id, transaction_key FROM records
    WHERE trace_id IS NOT NULL AND transaction_key IS NOT NULL AND flags & 1 = 1;
`;

const REMEMBERED_MAX = 8192;

/** Notes the traces of a day; void once a write of the day has failed. */
export class TraceTable {
  private readonly insert: StatementSync;
  private readonly bytes = new IdBytes(16);
  /** Spans of a trace come close together: which transaction a trace was last seen in. */
  private readonly remembered = new Map<string, number>();

  constructor(db: DatabaseSync) {
    this.insert = db.prepare("INSERT OR IGNORE INTO traces VALUES (?, ?)");
  }

  add({ kind, traceId }: IncomingRecord, transactionKey: number): void {
    if (kind !== "span" || traceId === "" || this.remembered.get(traceId) === transactionKey)
      return;
    const bytes = this.bytes.of(traceId);
    if (bytes === null) return;
    this.insert.run(bytes, transactionKey);
    if (this.remembered.size >= REMEMBERED_MAX) this.remembered.clear();
    this.remembered.set(traceId, transactionKey);
  }
}
