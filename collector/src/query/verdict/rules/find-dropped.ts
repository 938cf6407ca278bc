import { REPORT } from "@clew/instrumentation/names";
import type { RunLedger } from "../../../store/ledger.ts";
import { placeOf } from "../describe-place.ts";
import type { Evidence } from "../evidence.ts";
import { finding, type LeveledFinding } from "../finding.ts";

/**
 * What runs say themselves that they had to drop (their spool was full, the collector refused it).
 * They name the transactions it concerned: those miss records for certain. Where there were more
 * than they can name, each of theirs may be one.
 */
export function findDropped(evidence: Evidence): LeveledFinding[] {
  const { transactionId } = evidence.input.summary;
  return evidence.input.ledgers.flatMap((ledger) => {
    const { report, runId, service } = ledger;
    if (report === null) return [];
    const named = report.figures[REPORT.droppedTransactions];
    const at = { what: "dropped", service, runId, sinceNs: report.lastSeenNs } as const;
    if (Array.isArray(named) && named.includes(transactionId)) {
      const text = `${placeOf(service, runId)} had to drop records of this transaction`;
      return [finding({ ...at, level: "missing", text })];
    }
    if (report.figures[REPORT.droppedTransactionsCut] !== true) return [];
    const text = `${placeOf(service, runId)} dropped records of more transactions than it can name`;
    return [finding({ ...at, level: "doubt", text, count: droppedBy(ledger) })];
  });
}

function droppedBy({ logs, spans }: RunLedger): number {
  return logs.dropped + spans.dropped;
}
