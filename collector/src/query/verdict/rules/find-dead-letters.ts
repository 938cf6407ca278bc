import type { StoredDeadLetter } from "../../../store/dead-letter.ts";
import type { Evidence } from "../evidence.ts";
import { amount, type FoundAt, finding, type LeveledFinding } from "../finding.ts";

/**
 * Records of the transaction that the store refused. `open`: it is missing. `discarded`: somebody
 * decided that it stays so. `replayed` or `edited`: it was sent again, and is stored once its
 * number is no gap any more; what cannot be told so was stored or refused again, because nothing
 * older is left in the bus.
 */
export function findDeadLetters(evidence: Evidence): LeveledFinding[] {
  const { deadLetters, summary } = evidence.input;
  const findings = deadLetters.flatMap((letter) => judgeLetter(letter, evidence));
  if (deadLetters.length === 0 && summary.deadLetters > 0) {
    const text = `the store refused ${amount(summary.deadLetters, "record")}`;
    const count = summary.deadLetters;
    findings.push(finding({ level: "missing", what: "dead-letter", text, count }));
  }
  return findings;
}

function judgeLetter(letter: StoredDeadLetter, evidence: Evidence): LeveledFinding[] {
  const { service, runId, refusedNs: sinceNs } = letter;
  const found = (level: FoundAt["level"], text: string) => [
    finding({ level, what: "dead-letter", text, service, runId, count: 1, sinceNs }),
  ];
  const record = `a record of ${service || "an unknown service"} that the store refused`;
  const last = letter.acts.at(-1);
  const why = letter.detail || letter.reason;
  if (letter.state === "open" || last === undefined) {
    return found("missing", `${record}: ${why}`);
  }
  if (letter.state === "discarded") {
    const because = last.reason === "" ? "" : `: ${last.reason}`;
    return found("missing", `${record} (${why}) was discarded by ${last.actor}${because}`);
  }
  if (evidence.mayStillCome(last.atNs)) {
    return found("waiting", `${record} was sent again by ${last.actor}, and is on its way`);
  }
  if (!isInGap(letter, evidence)) return [];
  return found("missing", `${record} was sent again by ${last.actor}, and is not stored`);
}

/** Its number has no record; a letter may be of a log record or of a span, by its topic. */
function isInGap({ runId, sequence, topic }: StoredDeadLetter, evidence: Evidence): boolean {
  const ledger = runId === "" || sequence === 0 ? undefined : evidence.ledger(runId);
  const signal = topic === "traces" ? ledger?.spans : ledger?.logs;
  return signal?.gaps.some(({ first, last }) => first <= sequence && sequence <= last) ?? false;
}
