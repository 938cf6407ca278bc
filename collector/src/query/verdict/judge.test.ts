import { REPORT } from "@clew/instrumentation/names";
import { expect, test } from "vitest";
import {
  ENTRY,
  gapOf,
  inputOf,
  LATER_NS,
  ledgerOf,
  logsOf,
  reportOf,
  SECOND_NS,
  signalOf,
  spanOf,
  summaryOf,
  THEN_NS,
} from "../../../test/verdict-fixture.ts";
import { FINDINGS_MAX, judge } from "./judge.ts";
import type { VerdictInput } from "./verdict-input.ts";

test("complete, where all that is known of adds up", () => {
  const summary = summaryOf({ logs: 1, spans: 1 });
  expect(judge(inputOf({ summary }))).toEqual({
    verdict: "complete",
    reason: "all that is known of is stored: 1 log record and 1 span of 1 run",
    ...{ missing: [], doubts: [], waiting: [] },
  });
});

const LOST = { spanLogs: [] };
const OPEN = { summary: summaryOf({ status: "running", deadlineNs: LATER_NS + SECOND_NS }) };
const UNCOUNTED = { spans: [ENTRY, spanOf({ id: "x", service: "mail", runId: "" })] };

test.each([
  ["what is missing before what may come", { ...LOST, ...OPEN, ...UNCOUNTED }, "incomplete"],
  ["what may come before what is in doubt", { ...OPEN, ...UNCOUNTED }, "in-flight"],
  ["what is in doubt before nothing", UNCOUNTED, "unknown"],
])("%s", (_, given, verdict) => {
  const judgement = judge(inputOf(given));
  expect(judgement.verdict).toBe(verdict);
  expect(judgement.doubts).toMatchObject([{ what: "participant", service: "mail" }]);
});

test("names what, where and since when, in words and in fields", () => {
  const { verdict, reason, missing } = judge(inputOf(LOST));
  expect(verdict).toBe("incomplete");
  const text = "1 of 1 log record made under `POST /orders` in orders (run run-of-o) is not stored";
  expect(reason).toBe(text);
  expect(missing).toEqual([
    {
      ...{ what: "logs", text, service: "orders", runId: "run-of-orders", count: 1 },
      ...{ traceId: ENTRY.traceId, spanId: "e", until: null },
      since: "2026-03-01T12:00:01.000000000Z",
    },
  ]);
});

test("the reason names the first and says how many more there are; lists are bounded", () => {
  const gaps = Array.from({ length: 150 }, (_, i) => gapOf({ first: 3 * i, last: 3 * i }));
  const ledgers = [ledgerOf("orders", { logs: signalOf({ gaps }) })];
  const { reason, doubts } = judge(inputOf({ ledgers }));
  expect(reason).toMatch(/; and 149 more$/);
  expect(doubts).toHaveLength(FINDINGS_MAX);
});

test("nothing that is hidden from the judge is complete", () => {
  expect(judge(inputOf({ isCut: true })).verdict).toBe("unknown");
  expect(judge(inputOf({ summary: summaryOf({ spans: 2 }) })).verdict).toBe("unknown");
  expect(judge(inputOf({ summary: summaryOf({ logs: 2 }) })).verdict).toBe("unknown");
  const nothing = { spans: [], spanLogs: [], summary: summaryOf({ logs: 1 }), ledgers: [] };
  expect(judge(inputOf(nothing)).verdict).toBe("unknown");
});

test("transactions of logs only, once they are quiet", () => {
  const summary = summaryOf({ status: "running", logs: 1 });
  const spanLogs = [logsOf({ traceId: "", spanId: "" })];
  const input = inputOf({ summary, spans: [], spanLogs });
  expect(judge(input).verdict).toBe("complete");
  expect(judge({ ...input, nowNs: THEN_NS + 5n * SECOND_NS }).verdict).toBe("in-flight");
});

test("with several services whose clocks differ, nobody's time is taken for another's", () => {
  for (const skewNs of [-4n, 4n].map((seconds) => seconds * SECOND_NS)) {
    const call = spanOf({
      ...{ id: "c", parent: "e", kind: "client", attributes: { "clew.peer.run.id": "run-of-pay" } },
    });
    const served = spanOf({
      ...{ id: "s", parent: "c", kind: "server", service: "pay", startNs: THEN_NS + skewNs },
      attributes: { "clew.caller.run.id": "run-of-orders" },
      receivedNs: THEN_NS + SECOND_NS,
    });
    const spans = [ENTRY, call, served];
    const ledgers = [ledgerOf("orders"), ledgerOf("pay")];
    expect(judge(inputOf({ spans, ledgers }))).toMatchObject({ verdict: "complete" });
  }
});

test.each<[string, Partial<VerdictInput>, string]>([
  ["a dead letter", { summary: summaryOf({ deadLetters: 1 }) }, "incomplete"],
  ["records that its run dropped", { ledgers: [dropping()] }, "incomplete"],
  ["a gap", { ledgers: [ledgerOf("orders", { spans: signalOf({ gaps: [gapOf()] }) })] }, "unknown"],
  ["a run that nobody knows", { ledgers: [] }, "unknown"],
  ["a bus that is away", { busLag: null, nowNs: THEN_NS + 3n * SECOND_NS }, "unknown"],
])("%s is no part of what is complete", (_, given, verdict) => {
  expect(judge(inputOf(given)).verdict).toBe(verdict);
});

function dropping() {
  const figures = { [REPORT.droppedTransactions]: ["order-1"] };
  return ledgerOf("orders", { report: reportOf("orders", { figures }) });
}
