/** Transactions that tests of the page look at. */
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
