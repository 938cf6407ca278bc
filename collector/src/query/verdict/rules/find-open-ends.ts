import { REPORT } from "@clew/instrumentation/names";
import type { RunLedger } from "../../../store/ledger.ts";
import { clockOf, placeOf } from "../describe-place.ts";
import type { Evidence } from "../evidence.ts";
import { finding, type LeveledFinding } from "../finding.ts";
import type { Participant } from "../participant.ts";
import { stateOf } from "../run-state.ts";
import { ALIVE_NS, CLOCK_SKEW_NS, HELD_NS, REPORT_WAIT_NS } from "../settle-times.ts";
import { numberOf } from "../span-fact.ts";

/**
 * How far each run that took part has told how much it made. One that is alive will tell soon, and
 * is waited for; one that ended said all. One that went silent may have made more of the
 * transaction than anybody knows, unless it reported after the transaction was over.
 */
export function findOpenEnds(evidence: Evidence): LeveledFinding[] {
  const findings = [...evidence.participants.values()].flatMap((participant) =>
    judgeRun(participant, evidence),
  );
  for (const service of evidence.uncounted) {
    const text = `${service} does not say how many records it makes`;
    findings.push(finding({ level: "doubt", what: "participant", text, service }));
  }
  return findings;
}

function judgeRun(participant: Participant, evidence: Evidence): LeveledFinding[] {
  const { nowNs } = evidence.input;
  const { runId, service } = participant;
  const lastNs = participant.lastNs - participant.aheadNs;
  const ledger = evidence.ledger(runId);
  const at = { what: "run", service, runId } as const;
  const place = placeOf(service, runId);
  const state = stateOf(ledger, nowNs);
  if (state === "ended") return [];
  if (ledger === undefined || ledger.report === null) {
    const isNew = lastNs + ALIVE_NS >= nowNs;
    const why = isNew ? "has not reported yet" : "never reported how many records it made";
    const level = isNew ? "waiting" : "doubt";
    return [finding({ ...at, level, text: `${place} ${why}`, sinceNs: lastNs })];
  }
  const { lastSeenNs: toldNs } = ledger.report;
  if (state === "alive") {
    if (hasTold(participant, ledger, evidence)) return [];
    const text = `the next report of ${place}, which tells what it made since ${clockOf(toldNs)}`;
    return [finding({ ...at, level: "waiting", text, sinceNs: toldNs })];
  }
  if (toldNs > lastNs && toldNs > evidence.endedNs + CLOCK_SKEW_NS) return [];
  const text = `${place} went silent after ${clockOf(toldNs)} and may have made more of it`;
  return [finding({ ...at, level: "doubt", text, sinceNs: toldNs })];
}

/**
 * Whether the latest report came after all that the run is known to have done for the transaction:
 * by numbers where there are some, since a clock may be wrong; then by its own time. What others
 * did later is waited for as well, but not for long, because their clocks are others.
 */
function hasTold(of: Participant, { report }: RunLedger, evidence: Evidence): boolean {
  if (report === null) return false;
  const { nowNs } = evidence.input;
  if (of.lastSpan > numberOf(report.figures[REPORT.spansEmitted])) return false;
  if (report.lastSeenNs < of.lastLogNs - of.aheadNs) return false;
  const heldNs = of.holdsSpans ? HELD_NS : 0n;
  const isOver = report.lastSeenNs >= evidence.endedNs + heldNs;
  return isOver || nowNs - evidence.lastReceivedNs > REPORT_WAIT_NS + heldNs;
}
