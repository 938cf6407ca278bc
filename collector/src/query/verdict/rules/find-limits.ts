import { clockOf } from "../describe-place.ts";
import type { Evidence } from "../evidence.ts";
import { finding, type LeveledFinding } from "../finding.ts";
import { BUS_NEAR_NS, SETTLE_NS } from "../settle-times.ts";

/** What keeps a verdict open beside single records: the transaction's own state, and ours. */
export function findLimits(evidence: Evidence): LeveledFinding[] {
  return [...findCut(evidence), ...findRunning(evidence), ...findInBus(evidence)];
}

/** What was looked at must be all that the store says there is, or nothing adds up to anything. */
function findCut({ input, spans }: Evidence): LeveledFinding[] {
  const { summary, spanLogs } = input;
  const logs = spanLogs.reduce((sum, counted) => sum + counted.logs + counted.lateLogs, 0);
  if (!input.isCut && spans.length >= summary.spans && logs >= summary.logs) return [];
  const text = "it has more records than were looked at for a verdict";
  return [finding({ level: "doubt", what: "transaction", text })];
}

/**
 * A deadline in the future says that something is still to be done. Without one a transaction runs
 * as long as its entry span is open, which its logs and inner spans tell; where it has neither,
 * only that something happened a moment ago.
 */
function findRunning(evidence: Evidence): LeveledFinding[] {
  const { summary, nowNs } = evidence.input;
  if (summary.status !== "running") return [];
  const { deadlineNs, startedNs: sinceNs } = summary;
  const found = (text: string) => [
    finding({ level: "waiting", what: "transaction", text, sinceNs }),
  ];
  if (deadlineNs !== null && deadlineNs > nowNs) {
    return found(`it is running, and has time until ${clockOf(deadlineNs)}`);
  }
  return evidence.mayStillCome(evidence.lastReceivedNs) ? found("it is running") : [];
}

/** Something of it was received a moment before the oldest message that is not indexed yet. */
function findInBus({ indexedUntilNs, lastReceivedNs, input }: Evidence): LeveledFinding[] {
  const { busLag, nowNs } = input;
  if (busLag === null) {
    if (lastReceivedNs + SETTLE_NS < nowNs) return [];
    const text = "the bus cannot be asked whether it holds more of it";
    return [finding({ level: "doubt", what: "bus", text })];
  }
  if (busLag.messages === 0 && busLag.records === 0) return [];
  if (lastReceivedNs + BUS_NEAR_NS < indexedUntilNs) return [];
  const text = `records received since ${clockOf(indexedUntilNs)} are not indexed yet`;
  const count = busLag.records;
  return [finding({ level: "waiting", what: "bus", text, count, sinceNs: indexedUntilNs })];
}
