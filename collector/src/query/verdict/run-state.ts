import type { RunLedger, SequenceGap, SignalLedger } from "../../store/ledger.ts";
import type { Evidence } from "./evidence.ts";
import { ALIVE_NS, CLOCK_SKEW_NS, HELD_NS, UNSENT_NS } from "./settle-times.ts";

/**
 * `unknown`: nothing is stored of it, or no report. `alive`: it reported lately, and will again.
 * `ended`: it told its last numbers. `silent`: it did not, and does not report any more.
 */
export type RunState = "unknown" | "alive" | "ended" | "silent";

export function stateOf(ledger: RunLedger | undefined, nowNs: bigint): RunState {
  if (ledger === undefined || ledger.report === null) return "unknown";
  if (ledger.report.isFinal) return "ended";
  return ledger.report.lastSeenNs + ALIVE_NS >= nowNs ? "alive" : "silent";
}

/** Numbers of a gap that are not among the dead letters, which are told apart. */
export function lostIn(gap: SequenceGap): number {
  return Math.max(0, gap.last - gap.first + 1 - gap.deadLettered);
}

/** Gaps that may hold a record made at this time or later, by the run's clock or nearly. */
function gapsSince({ gaps }: SignalLedger, fromNs: bigint): readonly SequenceGap[] {
  const sinceNs = fromNs - HELD_NS - CLOCK_SKEW_NS;
  return gaps.filter((gap) => lostIn(gap) > 0 && gap.toNs >= sinceNs);
}

/** A gap that ends just now: what it lacks may lie in the spool of its run. */
export function isYoung(gap: SequenceGap, evidence: Evidence): boolean {
  const waitsUntilNs = evidence.lastReceivedNs + UNSENT_NS;
  return evidence.mayStillCome(gap.toNs) && waitsUntilNs >= evidence.indexedUntilNs;
}

export interface NamedRecord {
  readonly runId: string;
  readonly signal: "logs" | "spans";
  /** Made then or later, by the clock of its run or nearly. */
  readonly fromNs: bigint;
  /** When the record that tells of it was received. */
  readonly toldNs: bigint;
}

/**
 * `open`: all that its run made is stored, so that it was not made yet. `never-made`: its run ended
 * and made none of its kind, because the service does not send them.
 */
export type Whereabouts = "missing" | "waiting" | "open" | "never-made";

/** Where a record is that another one tells of, and that is not stored. */
export function whereIs(named: NamedRecord, evidence: Evidence): Whereabouts {
  const { runId, signal, fromNs, toldNs } = named;
  const ledger = evidence.ledger(runId);
  const numbers = ledger?.[signal];
  if (ledger === undefined || numbers === undefined) return evidence.missingSince(toldNs);
  if (evidence.mayStillCome(toldNs)) return "waiting";
  const state = stateOf(ledger, evidence.input.nowNs);
  if (state === "ended" && numbers.emitted === 0) return "never-made";
  if (state !== "alive") return "missing";
  const gaps = gapsSince(numbers, fromNs);
  if (gaps.length === 0) return numbers.isCut ? "missing" : "open";
  return gaps.every((gap) => isYoung(gap, evidence)) ? "waiting" : "missing";
}
