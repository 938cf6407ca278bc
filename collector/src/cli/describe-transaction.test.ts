import { expect, test } from "vitest";
import type { Hop } from "../query/hop.ts";
import type { TransactionDetail } from "../query/transaction-view.ts";
import type { StoredRecord } from "../record.ts";
import { describeTransaction } from "./describe-transaction.ts";
import { coloured, plain } from "./terminal.ts";

const DETAIL: TransactionDetail = {
  firstFailingHop: "2",
  timing: {
    criticalPath: [],
    pathMs: { work: 0, network: 0, queue: 0, wait: 0 },
    clocks: [],
    isCut: false,
  },
  transactionId: "order-1",
  operation: "POST /orders",
  status: "failed",
  verdict: "unknown",
  verdictReason: "mail does not say how many records it makes",
  ...{ missing: [], doubts: [], waiting: [] },
  startedAt: "2026-01-31T12:00:00.000000000Z",
  endedAt: "2026-01-31T12:00:00.412000000Z",
  durationMs: 412,
  deadlineAt: null,
  isLate: false,
  steps: [],
  services: ["orders", "payments"],
  traceIds: [],
  deadLetters: [],
  counts: { logs: 2, spans: 3, errors: 1, deadLetters: 1 },
  hops: [
    hop({ id: "1", to: "orders", operation: "POST /orders", durationMs: 412 }),
    hop({ id: "3", parentId: "1", from: "orders", to: "mail", answered: false, at: 300 }),
    hop({ id: "2", parentId: "1", from: "orders", to: "payments", at: 12, error: "card declined" }),
  ],
  isCut: true,
};

function hop(sample: Partial<Hop> & { id: string; at?: number }): Hop {
  const { at = 0, ...rest } = sample;
  return {
    parentId: null,
    from: null,
    to: null,
    kind: "http",
    operation: "POST /x",
    startedAt: new Date(Date.UTC(2026, 0, 31, 12) + at).toISOString(),
    durationMs: 5,
    status: sample.error ? "error" : "ok",
    error: null,
    answered: true,
    traceId: null,
    spanId: null,
    ...rest,
  };
}

function log(sample: Partial<StoredRecord>): StoredRecord {
  return {
    id: "1",
    kind: "log",
    time: "2026-01-31T12:00:00.003Z",
    receivedAt: "2026-01-31T12:00:00.003Z",
    transactionId: "order-1",
    traceId: null,
    spanId: null,
    parentSpanId: null,
    service: "orders",
    severityText: "INFO",
    severityNumber: 9,
    message: "order taken",
    body: "order taken",
    isError: false,
    attributes: {},
    resource: {},
    scope: "",
    span: null,
    ...sample,
  };
}

const ERROR_LOG = log({
  time: "2026-01-31T12:00:00.201Z",
  service: "payments",
  severityNumber: 17,
  isError: true,
  message: "card declined\u001b[2J",
  attributes: { "exception.stacktrace": "Error: card declined\n    at charge (pay.ts:1:1)" },
});

const FOUND = { detail: DETAIL, records: [log({}), ERROR_LOG], hasMore: true };

test("reads from top to bottom: how it ended, its hops as a tree, its logs in order", () => {
  expect(describeTransaction(FOUND, { columns: 100, colour: plain })).toBe(
    [
      "Transaction order-1",
      "  operation POST /orders",
      "  status    failed",
      "  verdict   unknown: mail does not say how many records it makes",
      "  started   2026-01-31 12:00:00.000 UTC",
      "  duration  412 ms",
      "  services  orders, payments",
      "  records   2 logs, 3 spans, 1 error, 1 dead letter",
      "            1 dead letter: refused for good, kept with the reason: clew dead-letters",
      "",
      "Hops",
      "     +0 ms  → orders  POST /orders  412 ms",
      "   +300 ms    orders → mail  POST /x  5 ms (no span of the called side)",
      "    +12 ms    ✗ orders → payments  POST /x  5 ms  ← it failed here first",
      "                  card declined",
      "  … cut here: it has more spans than are looked at",
      "",
      "Logs",
      "     +3 ms  orders    INFO  order taken",
      "   +201 ms  payments ✗ERROR card declined\\x1b[2J",
      "                            Error: card declined",
      "                                at charge (pay.ts:1:1)",
      "  … cut here: 2 of 2 logs are shown; see --limit",
    ].join("\n"),
  );
});

test("errors are red, and never only red", () => {
  const text = describeTransaction(FOUND, { columns: 100, colour: coloured });
  expect(text).toContain("\u001b[31m✗ orders → payments");
  expect(text).toContain("\u001b[31m✗ERROR");
  expect(text).not.toContain("\u001b[2J");
});

test("fits a narrow terminal, and puts messages below their heads", () => {
  const message = "a message that does not fit into a terminal of forty columns";
  const found = { ...FOUND, records: [log({ message, service: "a-service-with-a-long-name" })] };
  const text = describeTransaction(found, { columns: 40, colour: plain });
  for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(40);
  expect(text).toContain("    a message that does not fit into a\n    terminal of forty columns");
});

test("says what is not there", () => {
  const detail = { ...DETAIL, operation: "", hops: [], services: [], isCut: false };
  const text = describeTransaction(
    { detail, records: [], hasMore: false },
    { columns: 80, colour: plain },
  );
  expect(text).toContain("(no entry span is known)");
  expect(text).toContain("no span of it is known");
  expect(text).not.toContain("cut here");
});

test("hops that are each other's parents are shown all the same", () => {
  const hops = [hop({ id: "1", parentId: "2", to: "a" }), hop({ id: "2", parentId: "1", to: "b" })];
  const found = { detail: { ...DETAIL, hops }, records: [], hasMore: false };
  const text = describeTransaction(found, { columns: 80, colour: plain });
  expect(text.match(/→ [ab] /g)).toEqual(["→ a ", "→ b "]);
});

test("says where one message went to several, or several came to one", () => {
  const hops = [hop({ id: "1", to: "mail", fanOut: 3 }), hop({ id: "2", to: "bill", fanIn: 2 })];
  const joined = hop({ id: "3", to: "ship", sources: ["order-7", "order\u001b8"] });
  const detail = { ...DETAIL, hops: [...hops, joined], firstFailingHop: null, isCut: false };
  const text = describeTransaction({ ...FOUND, detail }, { columns: 100, colour: plain });
  expect(text).toContain("→ mail  POST /x  5 ms, one of 3 that took it\n");
  expect(text).toContain("→ bill  POST /x  5 ms, one of 2 taken at once\n");
  expect(text).toContain("→ ship  POST /x  5 ms, made from order-7, order\\x1b8\n");
});
