/**
 * What is kept of a run's numbers when the day that held them is deleted: up to which one they may
 * have been there, so that they count as expired and not as missing. It is kept for runs alone of
 * which a later day knows, in the earliest of those.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";

/** Of both lists of a signal, and of what earlier days left. */
const KNOWN = `
  SELECT run_id, signal, max(until) AS until FROM (
    SELECT run_id, list % 2 AS signal, last AS until
    FROM run_numbers JOIN run_seen ON run_seen.key = run_numbers.run
    UNION ALL
    SELECT run_id, signal, until FROM run_expired
  )
  GROUP BY run_id, signal`;

export interface ExpiredNumbers {
  readonly runId: string;
  /** 0 logs, 1 spans. */
  readonly signal: number;
  readonly until: number;
}

/** What a part of a batch brings of days that are about to be deleted. */
export interface Inheritance {
  readonly expired?: readonly ExpiredNumbers[];
  /** See `unnumbered` in ledger-schema.ts; 0 where there is nothing to say. */
  readonly unnumberedUntilNs?: bigint;
}

/** One day file's, for its one writer. */
export class LedgerExpiry {
  private readonly db: DatabaseSync;
  private readonly selectRun: StatementSync;
  private readonly selectUnnumbered: StatementSync;
  private readonly upsert: StatementSync;
  private readonly insertUnnumbered: StatementSync;

  constructor(db: DatabaseSync) {
    this.db = db;
    this.selectRun = db.prepare("SELECT 1 FROM run_seen WHERE run_id = ?");
    this.selectUnnumbered = db.prepare("SELECT max(until_time) AS until FROM unnumbered");
    this.selectUnnumbered.setReadBigInts(true);
    this.upsert = db.prepare(`
      INSERT INTO run_expired VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET
        until = max(until, excluded.until)`);
    this.insertUnnumbered = db.prepare(`
      INSERT INTO unnumbered SELECT ?1 WHERE NOT EXISTS (
        SELECT 1 FROM unnumbered WHERE until_time >= ?1)`);
  }

  hasRun(runId: string): boolean {
    return this.selectRun.get(runId) !== undefined;
  }

  /** What there would be to say of this day's runs, were it deleted. */
  numbers(): ExpiredNumbers[] {
    const rows = this.db.prepare(KNOWN).all();
    return rows.map(({ run_id, signal, until }) => {
      return { runId: String(run_id), signal: Number(signal), until: Number(until) };
    });
  }

  unnumberedUntilNs(): bigint {
    const until = this.selectUnnumbered.get()?.until;
    return typeof until === "bigint" ? until : 0n;
  }

  /** Within a database transaction of the writer; told again, it changes nothing. */
  keep({ expired = [], unnumberedUntilNs = 0n }: Inheritance): void {
    for (const { runId, signal, until } of expired) this.upsert.run(runId, signal, until);
    if (unnumberedUntilNs > 0n) this.insertUnnumbered.run(unnumberedUntilNs);
  }
}
