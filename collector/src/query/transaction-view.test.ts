import { expect, test } from "vitest";
import type { StoredRecord } from "../record.ts";
import type { TransactionSummary } from "../store/store.ts";
import { VIEW_SPANS_MAX, viewTransaction, viewTransactionDetail } from "./transaction-view.ts";
import type { Judgement } from "./verdict/judge.ts";

const SUMMARY: TransactionSummary = {
  transactionId: "order-1",
  startedNs: 1_769_860_800_000_000_000n,
  endedNs: 1_769_860_801_234_567_891n,
  operation: "POST /orders",
  status: "failed",
  services: ["orders", "payments"],
  logs: 3,
  spans: 2,
  errors: 1,
  deadLetters: 1,
  events: 0,
  statedNs: null,
  deadlineNs: null,
};

const JUDGEMENT: Judgement = {
  ...{ verdict: "unknown", reason: "mail does not say how many records it makes" },
  ...{ missing: [], doubts: [], waiting: [] },
};

const JUDGED = { deadLetters: [], summary: SUMMARY, judgement: JUDGEMENT };

function spanRecord(number: number): StoredRecord {
  const id = number.toString(16).padStart(16, "0");
  return {
    id,
    kind: "span",
    time: "2026-01-31T12:00:00.000000000Z",
    receivedAt: "2026-01-31T12:00:00.000000000Z",
    transactionId: "order-1",
    traceId: number.toString(16).padStart(32, "0"),
    spanId: id,
    parentSpanId: null,
    service: "orders",
    severityText: "",
    severityNumber: 0,
    message: "work",
    body: "work",
    isError: false,
    attributes: {},
    resource: {},
    scope: "",
    span: { kind: "server", durationMs: 1, status: "ok", statusMessage: "", events: [], links: [] },
  };
}

test("a transaction in a list", () => {
  expect(viewTransaction(SUMMARY, JUDGEMENT)).toEqual({
    transactionId: "order-1",
    operation: "POST /orders",
    status: "failed",
    verdict: "unknown",
    verdictReason: "mail does not say how many records it makes",
    missing: [],
    doubts: [],
    waiting: [],
    startedAt: "2026-01-31T12:00:00.000000000Z",
    endedAt: "2026-01-31T12:00:01.234567891Z",
    durationMs: 1234.567891,
    deadlineAt: null,
    isLate: false,
    services: ["orders", "payments"],
    counts: { logs: 3, spans: 2, errors: 1, deadLetters: 1 },
  });
});

test("an end before the start is no negative duration", () => {
  expect(viewTransaction({ ...SUMMARY, endedNs: 0n }, JUDGEMENT).durationMs).toBe(0);
});

test("an end that was stated after the deadline is late, one before it is not", () => {
  const deadlineNs = SUMMARY.startedNs + 1_000_000_000n;
  const view = (statedNs: bigint | null) =>
    viewTransaction({ ...SUMMARY, deadlineNs, statedNs }, JUDGEMENT);
  expect(view(null)).toMatchObject({ deadlineAt: "2026-01-31T12:00:01.000000000Z", isLate: false });
  expect(view(deadlineNs).isLate).toBe(false);
  expect(view(deadlineNs + 1n).isLate).toBe(true);
});

test("its traces and hops, and that nothing was cut", () => {
  const records = [spanRecord(1), spanRecord(2), { ...spanRecord(3), traceId: null }];
  const detail = viewTransactionDetail({ ...JUDGED, records, events: [], isCut: false });
  expect(detail.traceIds).toEqual([records[0]?.traceId, records[1]?.traceId]);
  expect(detail.hops).toHaveLength(3);
  expect(detail.isCut).toBe(false);
});

test("of logs alone the traces are known, and no hops", () => {
  const records = [{ ...spanRecord(1), kind: "log" as const, span: null }];
  const detail = viewTransactionDetail({ ...JUDGED, records, events: [], isCut: false });
  expect(detail.traceIds).toHaveLength(1);
  expect(detail.hops).toEqual([]);
});

test("says where it was cut: by the store, by spans", () => {
  expect(viewTransactionDetail({ ...JUDGED, records: [], events: [], isCut: true }).isCut).toBe(
    true,
  );
  const records = Array.from({ length: VIEW_SPANS_MAX + 1 }, (_, i) => spanRecord(i + 1));
  const detail = viewTransactionDetail({ ...JUDGED, records, events: [], isCut: false });
  expect(detail.hops).toHaveLength(VIEW_SPANS_MAX);
  expect(detail.isCut).toBe(true);
});
