import { expect, test } from "vitest";
import { StoredWorld } from "./verdict-ledger.ts";
import { playWorld } from "./verdict-samples.ts";

const TRANSACTIONS = 100_000;
const WORLD_TRANSACTIONS = 2000;
const TEST_MS = 120_000;

test("no false alarm: 100 000 healthy transactions are complete", { timeout: TEST_MS }, () => {
  let judged = 0;
  const alarms: unknown[] = [];
  for (let seed = 1; judged < TRANSACTIONS; seed++) {
    const { ids, records, nowMs } = playWorld({ seed, transactions: WORLD_TRANSACTIONS });
    const stored = new StoredWorld(records, nowMs);
    for (const id of ids) {
      const { verdict, reason } = stored.judge(id) ?? { verdict: "unknown", reason: "not there" };
      judged++;
      if (verdict !== "complete" && alarms.length < 5) alarms.push({ seed, id, verdict, reason });
    }
  }
  expect(alarms).toEqual([]);
  expect(judged).toBeGreaterThanOrEqual(TRANSACTIONS);
});
