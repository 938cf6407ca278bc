/** How a run's latest report lies in a row of `runs`, and which of two is the latest. */
import { REPORT } from "@clew/instrumentation/names";
import type { Attributes, RunReport } from "../../record.ts";

/** Times as decimal strings: JSON has no 64-bit integers. */
interface RunReportRow extends Omit<RunReport, "firstSeenNs" | "lastSeenNs" | "figures"> {
  readonly firstSeenNs: string;
  readonly lastSeenNs: string;
  readonly figures: Attributes;
}

export function formatRunReport(report: RunReport): string {
  const row: RunReportRow = {
    ...report,
    firstSeenNs: String(report.firstSeenNs),
    lastSeenNs: String(report.lastSeenNs),
  };
  return JSON.stringify(row);
}

export function parseRunReport(text: string): RunReport {
  const row = JSON.parse(text) as RunReportRow;
  return {
    ...row,
    firstSeenNs: BigInt(row.firstSeenNs),
    lastSeenNs: BigInt(row.lastSeenNs),
  };
}

/**
 * Two reports of one run as one: what the later says, first seen when either was. Commutative and
 * associative, so that reports may come in any order, twice, and on any day.
 */
export function mergeRunReports(a: RunReport, b: RunReport): RunReport {
  const latest = isLater(a, b) ? a : b;
  const firstSeenNs = a.firstSeenNs < b.firstSeenNs ? a.firstSeenNs : b.firstSeenNs;
  return { ...latest, firstSeenNs };
}

/**
 * A report is a record of its run, so that each has made more than the one before: unlike a clock
 * that never goes back. A final one need not be the last, where a process survives its SIGTERM.
 */
function isLater(a: RunReport, b: RunReport): boolean {
  const more = madeBy(a) - madeBy(b);
  if (more !== 0) return more > 0;
  if (a.isFinal !== b.isFinal) return a.isFinal;
  if (a.lastSeenNs !== b.lastSeenNs) return a.lastSeenNs > b.lastSeenNs;
  return JSON.stringify(a.figures) > JSON.stringify(b.figures);
}

function madeBy({ figures }: RunReport): number {
  const made = figures[REPORT.logsEmitted];
  return typeof made === "number" && Number.isFinite(made) ? made : 0;
}
