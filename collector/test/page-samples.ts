/** Transactions that tests of the page look at. */
import { ATTRIBUTE, EVENT, SEMANTIC } from "@clew/instrumentation/names";
import type { CollectorProcess } from "./page-harness.ts";

const RECORDS = 8;

/** An order over three services: a declined charge, a warning, and a message that had to wait. */
export async function sendOrder(collector: CollectorProcess, id: string): Promise<void> {
  // Whole microseconds, so that offsets are exact.
  const atMs = Date.now() - 5000;
  const spanId = (n: number) => String(n).padStart(16, "0");
  const orders = { id, service: "orders" } as const;
  await collector.sendSpans([
    { ...orders, atMs, durationMs: 1200, name: "POST /orders", kind: 2, spanId: spanId(1) },
    { ...orders, ...at(10, 40), name: "POST", kind: 3, spanId: spanId(2), parentSpanId: spanId(1) },
    {
      ...{ id, service: "payments", ...at(12, 35), name: "POST /charges", kind: 2 },
      ...{ spanId: spanId(3), parentSpanId: spanId(2), error: "card declined" },
    },
    {
      ...{ ...orders, ...at(60, 5), name: "send labels", kind: 4 },
      ...{ spanId: spanId(4), parentSpanId: spanId(1) },
    },
    {
      ...{ id, service: "shipping", ...at(900, 100), name: "process labels", kind: 5 },
      ...{ spanId: spanId(5), parentSpanId: spanId(4) },
    },
  ]);
  await collector.sendLogs([
    { ...orders, atMs: atMs + 5, text: "order received", spanId: spanId(1) },
    {
      ...{ id, service: "payments", atMs: atMs + 20, text: "issuer said no", spanId: spanId(3) },
      ...{ severity: "ERROR", attributes: { "card.number": "**** 4242" } },
    },
    { ...orders, atMs: atMs + 30, text: "will try again", severity: "WARN", spanId: spanId(1) },
  ]);
  await collector.waitForRecords(id, RECORDS);

  function at(offsetMs: number, durationMs: number) {
    return { atMs: atMs + offsetMs, durationMs };
  }
}

const SAGA_RECORDS = 12;

/**
 * A saga that ran out of time: stock was reserved and given back, the card was declined, the mail's
 * undoing failed, and shipping died over booking a courier.
 */
export async function sendSaga(collector: CollectorProcess, id: string): Promise<void> {
  const atMs = Date.now() - 60_000;
  const told = (offsetMs: number, service: string, of: Readonly<Record<string, string>>) => {
    const { step = "", progress = "", error = "", text = step, ...attributes } = of;
    return {
      ...{ id, service, atMs: atMs + offsetMs, text, spanId: spanOf(`${service} ${step}`) },
      ...(error ? { severity: "ERROR" as const } : {}),
      attributes: {
        ...attributes,
        ...(step ? { [ATTRIBUTE.transactionStep]: step } : {}),
        ...(progress ? { [ATTRIBUTE.transactionStepStatus]: progress } : {}),
        ...(error ? { [SEMANTIC.exceptionMessage]: error } : {}),
      },
    };
  };
  const step = { [ATTRIBUTE.eventName]: EVENT.transactionStep };
  const undo = { [ATTRIBUTE.eventName]: EVENT.transactionCompensation };
  const deadline = {
    [ATTRIBUTE.eventName]: EVENT.transactionDeadline,
    [ATTRIBUTE.transactionDeadlineMs]: String(atMs + 30_000),
  };
  await collector.sendSpans([
    {
      ...{ id, service: "orders", atMs, durationMs: 50, name: "POST /orders", kind: 2 },
      spanId: spanOf("entry"),
    },
  ]);
  await collector.sendLogs([
    told(1, "orders", { ...deadline, text: "transaction must be over in 30 s" }),
    told(10, "stock", { ...step, step: "reserve-stock", progress: "running" }),
    told(85, "stock", { ...step, step: "reserve-stock", progress: "done" }),
    told(90, "orders", { ...step, step: "send-mail", progress: "done" }),
    told(100, "payments", { ...step, step: "charge-card", progress: "running" }),
    told(400, "payments", {
      ...step,
      ...{ step: "charge-card", progress: "failed" },
      error: "card declined",
    }),
    told(500, "orders", { ...undo, step: "reserve-stock", progress: "running" }),
    told(550, "orders", { ...undo, step: "reserve-stock", progress: "done" }),
    told(600, "orders", { ...undo, step: "send-mail", progress: "running" }),
    told(640, "orders", {
      ...undo,
      ...{ step: "send-mail", progress: "failed" },
      error: "mail is out",
    }),
    told(700, "shipping", { ...step, step: "book-courier", progress: "running" }),
  ]);
  await collector.waitForRecords(id, SAGA_RECORDS);
}

function spanOf(name: string): string {
  return Buffer.from(name.padStart(8).slice(-8)).toString("hex");
}
