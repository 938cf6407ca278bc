import { afterEach, beforeEach, expect, test } from "vitest";
import { ATTRIBUTE, EVENT, SEMANTIC } from "../src/wire-names.ts";
import { runApp } from "./app-process.ts";
import { OtlpSink, type ReceivedLog } from "./otlp-sink.ts";

let sink: OtlpSink;
let endpoint: string;

beforeEach(async () => {
  sink = new OtlpSink();
  endpoint = await sink.start();
});
afterEach(() => sink.stop());

const SAGA = `
  import { instrumentationStats, markExpected, transaction } from "@clew/instrumentation";
  const attempt = (name, error) =>
    transaction.step(name, async () => { throw error; }).catch(() => undefined);
  await transaction.run("order-1", async () => {
    transaction.deadline(60_000);
    transaction.step("order-accepted");
    await transaction.step("reserve-stock", async () => console.log("reserving"));
    await attempt("charge-card", new RangeError("card declined"));
    await attempt("check-voucher", markExpected(new Error("voucher is over")));
    await transaction.compensate("reserve-stock", async () => undefined);
    try { transaction.compensate("send-mail", () => { throw new Error("mail is out"); }); } catch {}
    transaction.compensated("order-accepted");
    transaction.fail(new RangeError("card declined"));
    transaction.compensated();
  });
  await transaction.run("order-2", () => transaction.fail(markExpected(new Error("no stock"))));
  await transaction.run("order-3", () => transaction.complete());
  console.log(JSON.stringify(instrumentationStats().faults));
`;

/** Event name, step, its status, the transaction's status, severity, body. */
function told(log: ReceivedLog): unknown[] {
  const { attributes, severity, body } = log;
  return [
    attributes[ATTRIBUTE.eventName],
    attributes[ATTRIBUTE.transactionStep] ?? "",
    attributes[ATTRIBUTE.transactionStepStatus] ?? attributes[ATTRIBUTE.transactionStatus] ?? "",
    severity,
    body,
  ];
}

async function runSaga(env: Record<string, string> = {}): Promise<readonly ReceivedLog[]> {
  const end = await runApp({ code: SAGA, endpoint, env });
  expect(end).toMatchObject({ code: 0, stderr: "" });
  expect(end.stdout.trim().split("\n").at(-1)).toBe("{}");
  return sink.logs.filter((log) =>
    String(log.attributes[ATTRIBUTE.eventName]).startsWith("clew.transaction"),
  );
}

test("scenario 19: each step, compensation, deadline and end is a log record", async () => {
  const events = await runSaga();
  const { transactionStep: step, transactionCompensation: undo, transactionEnd: end } = EVENT;
  expect(events.map(told)).toEqual([
    [EVENT.transactionDeadline, "", "", 9, expect.stringMatching(/^transaction must be over/)],
    [step, "order-accepted", "done", 9, "step order-accepted is done"],
    [step, "reserve-stock", "running", 9, "step reserve-stock begins"],
    [step, "reserve-stock", "done", 9, "step reserve-stock is done"],
    [step, "charge-card", "running", 9, "step charge-card begins"],
    [step, "charge-card", "failed", 17, "step charge-card failed: card declined"],
    [step, "check-voucher", "running", 9, "step check-voucher begins"],
    [step, "check-voucher", "failed", 9, "step check-voucher failed: voucher is over"],
    [undo, "reserve-stock", "running", 9, "step reserve-stock is being compensated"],
    [undo, "reserve-stock", "done", 9, "step reserve-stock is compensated"],
    [undo, "send-mail", "running", 9, "step send-mail is being compensated"],
    [undo, "send-mail", "failed", 17, "step send-mail could not be compensated: mail is out"],
    [undo, "order-accepted", "done", 9, "step order-accepted is compensated"],
    [end, "", "failed", 17, "transaction failed: card declined"],
    [end, "", "compensated", 9, "transaction compensated"],
    [end, "", "failed", 9, "transaction failed: no stock"],
    [end, "", "completed", 9, "transaction completed"],
  ]);
  const ids = events.map(({ attributes }) => attributes[ATTRIBUTE.transactionId]);
  expect(ids).toEqual([...Array(15).fill("order-1"), "order-2", "order-3"]);
  const uids = events.map(({ attributes }) => attributes[ATTRIBUTE.recordUid]);
  expect(new Set(uids).size).toBe(events.length);
  const deadlineMs = Number(events[0]?.attributes[ATTRIBUTE.transactionDeadlineMs]);
  const fromSetting = deadlineMs - Number(events[0]?.timeNs ?? 0n) / 1e6;
  expect(fromSetting).toBeGreaterThan(59_000);
  expect(fromSetting).toBeLessThan(61_000);
  const failed = events[5]?.attributes ?? {};
  expect(failed[SEMANTIC.exceptionType]).toBe("RangeError");
  expect(failed[SEMANTIC.exceptionStacktrace]).toContain("card declined");
  expect(events[7]?.attributes[ATTRIBUTE.errorExpected]).toBe(true);
  expect(events[15]?.attributes[ATTRIBUTE.errorExpected]).toBe(true);
});

test("a step has a span around it, with its error and its records", async () => {
  const events = await runSaga();
  const spans = new Map(sink.spans.map((span) => [span.name, span]));
  expect([...spans.keys()].toSorted()).toEqual([
    ...["compensate reserve-stock", "compensate send-mail"],
    ...["step charge-card", "step check-voucher", "step reserve-stock"],
  ]);
  const charge = spans.get("step charge-card");
  expect(charge).toMatchObject({ status: 2, statusMessage: "card declined" });
  expect(charge?.attributes[ATTRIBUTE.transactionStep]).toBe("charge-card");
  expect(charge?.attributes[SEMANTIC.errorType]).toBe("RangeError");
  expect(charge?.events.map(({ name }) => name)).toContain("exception");
  expect(spans.get("step check-voucher")).toMatchObject({ status: 0 });
  const reserve = spans.get("step reserve-stock");
  expect(reserve).toMatchObject({ status: 0 });
  const under = sink.logs.filter(({ spanId }) => spanId === reserve?.spanId);
  expect(under.map(({ body }) => body)).toEqual([
    ...["step reserve-stock begins", "reserving", "step reserve-stock is done"],
  ]);
  expect(events[4]?.spanId).toBe(charge?.spanId);
  expect(events[5]?.spanId).toBe(charge?.spanId);
});

test("the events are there whatever is sampled", async () => {
  const events = await runSaga({ OTEL_TRACES_SAMPLER: "always_off" });
  expect(events).toHaveLength(17);
});
