import type { Verdict } from "../../record.ts";
import { Evidence } from "./evidence.ts";
import { amount, type Finding, type FindingLevel, type LeveledFinding } from "./finding.ts";
import { findDeadLetters } from "./rules/find-dead-letters.ts";
import { findDropped } from "./rules/find-dropped.ts";
import { findGaps } from "./rules/find-gaps.ts";
import { findLimits } from "./rules/find-limits.ts";
import { findMissingAnswers } from "./rules/find-missing-answers.ts";
import { findMissingCallers } from "./rules/find-missing-callers.ts";
import { findMissingLogs } from "./rules/find-missing-logs.ts";
import { findMissingParents } from "./rules/find-missing-parents.ts";
import { findOpenEnds } from "./rules/find-open-ends.ts";
import { findUnconsumedMessages } from "./rules/find-unconsumed-messages.ts";
import type { VerdictInput } from "./verdict-input.ts";

/** What is known about a transaction's records, and why (docs/verdict.md). */
export interface Judgement {
  readonly verdict: Verdict;
  /** In a sentence. */
  readonly reason: string;
  /** Certain: what is missing, where, since when. At most `FINDINGS_MAX` of each. */
  readonly missing: readonly Finding[];
  /** Possible: what may be missing, and what nobody can know. */
  readonly doubts: readonly Finding[];
  /** What may still come. */
  readonly waiting: readonly Finding[];
}

/** More than this of a kind nobody reads; the reason says how many there are. */
export const FINDINGS_MAX = 100;

export type Rule = (evidence: Evidence) => readonly LeveledFinding[];

/** Each finds what is wrong in one way; none knows of the others. */
export const RULES: readonly Rule[] = [
  findDeadLetters,
  findDropped,
  findMissingLogs,
  findMissingParents,
  findMissingAnswers,
  findMissingCallers,
  findUnconsumedMessages,
  findGaps,
  findOpenEnds,
  findLimits,
];

/**
 * The verdict over one transaction. What is certainly missing comes first, since nothing that may
 * still come can mend it: whatever can is not called missing. Then what is waited for, then what
 * is in doubt. `complete` is what is left: all that is known of adds up, and nothing is open.
 */
export function judge(input: VerdictInput, rules: readonly Rule[] = RULES): Judgement {
  const evidence = new Evidence(input);
  const found = rules.flatMap((rule) => rule(evidence));
  const missing = found.filter(({ level }) => level === "missing");
  const waiting = found.filter(({ level }) => level === "waiting");
  const doubts = found.filter(({ level }) => level === "doubt");
  const verdict = verdictOf({ missing, waiting, doubts });
  const shown = { incomplete: missing, "in-flight": waiting, unknown: doubts, complete: [] };
  return {
    verdict,
    reason: verdict === "complete" ? describeWhole(evidence) : reasonOf(verdict, shown[verdict]),
    missing: listed(missing),
    doubts: listed(doubts),
    waiting: listed(waiting),
  };
}

function verdictOf(of: Record<"missing" | "waiting" | "doubts", readonly unknown[]>): Verdict {
  if (of.missing.length > 0) return "incomplete";
  if (of.waiting.length > 0) return "in-flight";
  return of.doubts.length > 0 ? "unknown" : "complete";
}

const LEAD: Readonly<Record<Exclude<Verdict, "complete">, string>> = {
  incomplete: "",
  "in-flight": "waiting: ",
  unknown: "",
};

function reasonOf(
  verdict: Exclude<Verdict, "complete">,
  findings: readonly LeveledFinding[],
): string {
  const [first] = findings;
  const others = findings.length - 1;
  const more = others > 0 ? `; and ${others} more` : "";
  return `${LEAD[verdict]}${first?.text ?? ""}${more}`;
}

function describeWhole({ input, participants }: Evidence): string {
  const { logs, spans } = input.summary;
  const what = `${amount(logs, "log record")} and ${amount(spans, "span")}`;
  return `all that is known of is stored: ${what} of ${amount(participants.size, "run")}`;
}

function listed(findings: readonly LeveledFinding[]): Finding[] {
  return findings.slice(0, FINDINGS_MAX).map(withoutLevel);
}

function withoutLevel({ level: _, ...told }: LeveledFinding & { level: FindingLevel }): Finding {
  return told;
}
