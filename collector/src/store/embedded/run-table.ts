import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { RunReport } from "../../record.ts";
import { formatRunReport, mergeRunReports, parseRunReport } from "./run-report-row.ts";
import { storableNs } from "./transaction-state.ts";

/**
 * The runs that reported on the day of one file, for its one writer: of each the latest report, a
 * row that is rewritten every few seconds. After a failed batch it must be thrown away.
 */
export class RunTable {
  private readonly batch = new Map<string, RunReport>();
  private readonly select: StatementSync;
  private readonly replace: StatementSync;

  constructor(db: DatabaseSync) {
    this.select = db.prepare("SELECT report FROM runs WHERE run_id = ?");
    this.replace = db.prepare("INSERT OR REPLACE INTO runs VALUES (?, ?, ?)");
  }

  add(report: RunReport): void {
    const other = this.batch.get(report.runId) ?? this.load(report.runId);
    this.batch.set(report.runId, other === undefined ? report : mergeRunReports(other, report));
  }

  /** Writes what was added since the last time, within the batch's own database transaction. */
  save(): void {
    for (const report of this.batch.values()) {
      const lastSeenNs = storableNs(report.lastSeenNs);
      this.replace.run(report.runId, lastSeenNs, formatRunReport(report));
    }
    this.batch.clear();
  }

  private load(runId: string): RunReport | undefined {
    const report = this.select.get(runId)?.report;
    return report === undefined ? undefined : parseRunReport(String(report));
  }
}
