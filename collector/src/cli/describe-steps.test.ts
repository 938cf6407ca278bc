import { expect, test } from "vitest";
import type { Compensation, Step } from "../query/derive-steps.ts";
import type { TransactionDetail } from "../query/transaction-view.ts";
import { describeSteps } from "./describe-steps.ts";
import { describeTransaction } from "./describe-transaction.ts";
import { coloured, plain } from "./terminal.ts";

const DETAIL_START = "2026-01-31T12:00:00.005000000Z";

const DETAIL: TransactionDetail = {
  firstFailingHop: null,
  timing: {
    criticalPath: [],
    pathMs: { work: 0, network: 0, queue: 0, wait: 0 },
    clocks: [],
    isCut: false,
  },
  ...{ transactionId: "order-1", operation: "POST /orders", status: "failed", verdict: "unknown" },
  ...{ verdictReason: "nobody counts", missing: [], doubts: [], waiting: [], isCut: false },
  startedAt: "2026-01-31T12:00:00.000000000Z",
  endedAt: "2026-01-31T12:00:10.000000000Z",
  ...{ durationMs: 10_000, deadlineAt: null, isLate: false, services: ["orders"], traceIds: [] },
  deadLetters: [],
  ...{ counts: { logs: 2, spans: 3, errors: 1, deadLetters: 0 }, hops: [] },
  steps: [
    step({ name: "reserve", compensation: work({ service: "stock" }) }),
    step({ name: "charge", service: "payments", status: "failed", error: "card declined" }),
    step({ name: "mail", compensation: work({ status: "failed", error: "mail is out" }) }),
    step({ name: "ship", status: "running", endedAt: null, durationMs: null }),
    step({ name: "pack", compensation: work({ status: "running", durationMs: null }) }),
  ],
};

function work(given: Partial<Compensation>): Compensation {
  const times = { startedAt: DETAIL_START, endedAt: DETAIL_START, durationMs: 12 };
  return { service: "orders", status: "done", error: null, ...times, ...given };
}

function step(given: Partial<Step> & { name: string }): Step {
  const { compensation = null, ...rest } = given;
  const status = compensation?.status === "done" ? "compensated" : "done";
  return { ...work({}), status, ...rest, compensation };
}

test("each step with what became of it, and of its undoing", () => {
  expect(describeSteps(DETAIL, { columns: 100, colour: plain })).toEqual([
    "Steps",
    "     +5 ms  ↺ orders  reserve  done in 12 ms; compensated by stock",
    "     +5 ms  ✗ payments  charge  failed after 12 ms",
    "                card declined",
    "     +5 ms  ✓ orders  mail  done in 12 ms; compensation failed",
    "                mail is out",
    "     +5 ms  … orders  ship  never ended",
    "     +5 ms  ✓ orders  pack  done in 12 ms; compensation never ended",
    "",
  ]);
});

test("while the transaction goes on, what has no end runs", () => {
  const running = { ...DETAIL, status: "running" } as const;
  const text = describeSteps(running, { columns: 100, colour: plain }).join("\n");
  expect(text).toContain("… orders  ship  running");
  expect(text).toContain("pack  done in 12 ms; compensation running");
  expect(text).not.toContain("never ended");
});

test("nothing where nobody told of steps", () => {
  expect(describeSteps({ ...DETAIL, steps: [] }, { columns: 80, colour: plain })).toEqual([]);
});

test("what went wrong is red, and names run no terminal commands", () => {
  const name = "ship\u001b[2J";
  const detail = { ...DETAIL, steps: [step({ name, status: "failed", error: "x\u001b[2J" })] };
  const text = describeSteps(detail, { columns: 100, colour: coloured }).join("\n");
  expect(text).toContain("\u001b[31m✗ orders");
  expect(text).not.toContain("\u001b[2J");
});

test.each([
  ["timed-out", false, "2026-01-31 12:00:05.000 UTC, and nobody has said how it ended"],
  ["completed", true, "2026-01-31 12:00:05.000 UTC, and the end came after it"],
  ["running", false, "2026-01-31 12:00:05.000 UTC"],
] as const)("the head of a %s transaction names its deadline", (status, isLate, want) => {
  const deadlineAt = "2026-01-31T12:00:05.000000000Z";
  const detail = { ...DETAIL, status, isLate, deadlineAt };
  const found = { detail, records: [], hasMore: false };
  const text = describeTransaction(found, { columns: 100, colour: plain });
  expect(text).toContain(`  deadline  ${want}\n`);
  expect(text.indexOf("Steps")).toBeLessThan(text.indexOf("Hops"));
});
