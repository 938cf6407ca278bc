import type { RunLedger, SequenceGap } from "../../../store/ledger.ts";
import { clockOf, placeOf } from "../describe-place.ts";
import type { Evidence } from "../evidence.ts";
import { amount, finding, type LeveledFinding } from "../finding.ts";
import { isYoung, lostIn } from "../run-state.ts";
import { CLOCK_SKEW_NS, HELD_NS, NEAR_NS } from "../settle-times.ts";

/**
 * Possible: numbers that a run gave out near the transaction's time, and of which nothing is
 * stored, may have been records of it. A gap that ends just now may lie in its run's spool. Runs
 * that its spans only name took part as well.
 */
export function findGaps(evidence: Evidence): LeveledFinding[] {
  return evidence.input.ledgers.flatMap((ledger) => [
    ...judgeSignal({ ledger, signal: "logs", noun: "log record" }, evidence),
    ...judgeSignal({ ledger, signal: "spans", noun: "span" }, evidence),
  ]);
}

interface JudgedSignal {
  readonly ledger: RunLedger;
  readonly signal: "logs" | "spans";
  readonly noun: string;
}

function judgeSignal(of: JudgedSignal, evidence: Evidence): LeveledFinding[] {
  const { ledger, signal, noun } = of;
  const { runId, service } = ledger;
  const numbers = ledger[signal];
  const window = windowOf(of, evidence);
  const near = numbers.gaps.filter((gap) => lostIn(gap) > 0 && touches(gap, window));
  const findings = near.map((gap) => {
    const count = lostIn(gap);
    const isOne = count === 1;
    return finding({
      level: isYoung(gap, evidence) ? "waiting" : "doubt",
      what: "gap",
      text: `${amount(count, noun)} of ${placeOf(service, runId)} ${
        isOne ? "is" : "are"
      } missing, made ${between(gap)}: ${isOne ? "it" : "some"} may belong to this transaction`,
      ...{ service, runId, count, sinceNs: gap.fromNs, untilNs: gap.toNs },
    });
  });
  const found = (text: string, count: number) =>
    findings.push(finding({ level: "doubt", what: "gap", text, service, runId, count }));
  const place = placeOf(service, runId);
  if (numbers.isCut) {
    found(`${place} has more gaps in its ${noun}s than were looked at`, numbers.missing);
  }
  if (numbers.expired > 0 && numbers.expiredToNs >= window.fromNs) {
    found(`${noun}s of ${place} from that time are older than what is kept`, numbers.expired);
  }
  return findings;
}

/**
 * By the run's own clock where it is known what it did, and by the others' with their skew. Nothing
 * was made before the request for which the ID was minted; an ID that came from outside, or of a
 * job, may have been at work before.
 */
function windowOf({ ledger, signal }: JudgedSignal, { input, participants, spans }: Evidence) {
  const { startedNs, endedNs } = input.summary;
  const own = participants.get(ledger.runId);
  // A span is numbered when it leaves memory, which may be long after the end by which gaps go.
  const heldNs = signal === "spans" ? HELD_NS : 0n;
  const beforeNs = spans.some(({ isFirst }) => isFirst) ? 0n : NEAR_NS;
  const from = smaller(own?.firstNs ?? startedNs, startedNs - CLOCK_SKEW_NS);
  const to = larger(own?.lastNs ?? endedNs, endedNs + CLOCK_SKEW_NS);
  return { fromNs: from - beforeNs - heldNs, toNs: to + NEAR_NS + heldNs };
}

function touches(gap: SequenceGap, window: { fromNs: bigint; toNs: bigint }): boolean {
  return gap.toNs >= window.fromNs && gap.fromNs <= window.toNs;
}

function between({ fromNs, toNs }: SequenceGap): string {
  return fromNs === 0n ? `before ${clockOf(toNs)}` : `from ${clockOf(fromNs)} to ${clockOf(toNs)}`;
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
