import { expect, test } from "vitest";
import { type Judgement, RULES, type Rule } from "../src/query/verdict/judge.ts";
import { findGaps } from "../src/query/verdict/rules/find-gaps.ts";
import { findMissingAnswers } from "../src/query/verdict/rules/find-missing-answers.ts";
import { findMissingCallers } from "../src/query/verdict/rules/find-missing-callers.ts";
import { findMissingLogs } from "../src/query/verdict/rules/find-missing-logs.ts";
import { findMissingParents } from "../src/query/verdict/rules/find-missing-parents.ts";
import { findOpenEnds } from "../src/query/verdict/rules/find-open-ends.ts";
import { findUnconsumedMessages } from "../src/query/verdict/rules/find-unconsumed-messages.ts";
import { DELETIONS, tracesOf } from "./verdict-deletions.ts";
import { StoredWorld } from "./verdict-ledger.ts";
import { type PlayedWorld, playWorld } from "./verdict-samples.ts";
import { type MadeRecord, seeded } from "./verdict-world.ts";

const WORLDS = 25;
const WORLD_TRANSACTIONS = 150;
const TIMES_EACH = 8;
/** Whatever a run may have had in its spool has come. */
const LATER_MS = 700_000;
const TEST_MS = 120_000;

interface Loss {
  readonly kind: string;
  readonly seed: number;
  readonly transactionId: string;
  readonly traces: ReturnType<typeof tracesOf>;
  readonly judgement: Judgement;
}

/** Each way of losing records, in each world, some times; every transaction that lost something. */
function* losses(
  rules: readonly Rule[],
  seeds: readonly number[],
  kinds = Object.keys(DELETIONS),
): Generator<Loss> {
  for (const seed of seeds) {
    const world = playWorld({ seed, transactions: WORLD_TRANSACTIONS, laterMs: LATER_MS });
    const random = seeded(seed);
    for (const kind of kinds) {
      for (let i = 0; i < TIMES_EACH; i++) {
        const gone = DELETIONS[kind]?.(world.records, random) ?? new Set();
        for (const loss of judgeAfter(world, gone, rules)) yield { kind, seed, ...loss };
      }
    }
  }
}

function* judgeAfter(world: PlayedWorld, gone: Set<MadeRecord>, rules: readonly Rule[]) {
  const records = world.records.filter((record) => !gone.has(record));
  const stored = new StoredWorld(records, world.nowMs);
  const byRun = Map.groupBy(records, ({ run }) => run.runId);
  const byTransaction = Map.groupBy(records, ({ transactionId }) => transactionId);
  const lostBy = Map.groupBy(gone, ({ transactionId }) => transactionId);
  for (const [transactionId, lost] of lostBy) {
    const judgement = transactionId === "" ? undefined : stored.judge(transactionId, rules);
    if (judgement === undefined) continue;
    const kept = byTransaction.get(transactionId) ?? [];
    yield { transactionId, traces: tracesOf({ lost, kept, byRun }), judgement };
  }
}

/** Whether the verdict says less than what survives tells. */
function isOverlooked({ traces, judgement }: Loss): boolean {
  if (traces === "certain") return judgement.verdict !== "incomplete";
  return traces === "possible" && judgement.verdict === "complete";
}

const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

test("every loss is noticed of which anything that survives tells", { timeout: TEST_MS }, () => {
  const overlooked: unknown[] = [];
  const traces = { certain: 0, possible: 0, none: 0 };
  for (const loss of losses(RULES, range(1, WORLDS))) {
    traces[loss.traces]++;
    if (!isOverlooked(loss) || overlooked.length >= 5) continue;
    const { judgement, ...where } = loss;
    overlooked.push({ ...where, verdict: judgement.verdict, reason: judgement.reason });
  }
  expect(overlooked).toEqual([]);
  expect(traces.certain).toBeGreaterThan(3000);
  expect(traces.possible).toBeGreaterThan(200);
  expect(traces.none).toBeLessThan(traces.certain / 20);
});

/** What each rule is there for; those that are not listed have tests of their own beside them. */
const NEEDED_FOR: readonly (readonly [Rule, kind: string])[] = [
  [findMissingLogs, "one log record"],
  [findMissingParents, "one span"],
  [findMissingAnswers, "all that one run made of a transaction"],
  [findMissingCallers, "a whole instance"],
  [findUnconsumedMessages, "all that one run made of a transaction"],
  [findGaps, "a log record that no span counts"],
  [findOpenEnds, "the end of a run"],
];

test.each(NEEDED_FOR.map(([rule, kind]) => [rule.name, kind, rule] as const))(
  "without %s it is overlooked that %s is gone",
  { timeout: TEST_MS },
  (_name, kind, left) => {
    const rules = RULES.filter((rule) => rule !== left);
    expect(rules).toHaveLength(RULES.length - 1);
    expect(overlooks(rules, kind)).toBe(true);
  },
);

/** Ends with the first loss of that kind which these rules overlook. */
function overlooks(rules: readonly Rule[], kind: string): boolean {
  for (const loss of losses(rules, range(1, WORLDS), [kind])) if (isOverlooked(loss)) return true;
  return false;
}
