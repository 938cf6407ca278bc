import { expect, test } from "vitest";
import { RemoteSpan } from "../correlation/remote-span.ts";
import { setTracer } from "../tracing/tracer-holder.ts";
import { TransactionTracer } from "../tracing/transaction-tracer.ts";
import { TransactionContext } from "../transaction/transaction-context.ts";
import type { IncomingMessage, KafkaHeaders } from "./kafka-shapes.ts";
import { readHeaders } from "./kafka-shapes.ts";
import { copyMessages } from "./outgoing-messages.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const span = { traceId: TRACE, spanId: "00f067aa0ba902b7", traceFlags: 1 };
const transaction = { id: "T-1", isStart: false, callerId: undefined };
const context = new TransactionContext({
  transaction,
  span: new RemoteSpan(span),
});
const OURS = {
  "x-transaction-id": "T-1",
  baggage: "clew.transaction.id=T-1",
  traceparent: `00-${TRACE}-00f067aa0ba902b7-01`,
};
const RUN = "0123456789abcdef".repeat(2);
const SENT_BY = `00-${"1".repeat(32)}-${"2".repeat(16)}-01`;

/** The headers of one message, sent inside of a handler where one was consumed. */
function headersOf(own: KafkaHeaders | undefined, consumed?: IncomingMessage, topic = "next") {
  const delivery =
    consumed === undefined
      ? undefined
      : { message: consumed, topic: "jobs", headers: readHeaders(consumed.headers), transaction };
  const message = { value: "v", ...(own === undefined ? {} : { headers: own }) };
  const copied = copyMessages(
    { topic, messages: [message] },
    { context, delivery, sources: undefined },
  );
  return copied.messages[0]?.headers;
}

test.each<[string, KafkaHeaders | undefined, KafkaHeaders]>([
  ["none", undefined, OURS],
  [
    "its own",
    { tenant: "a", raw: Buffer.from("b"), many: ["c", "d"], gone: undefined },
    {
      ...{ tenant: "a", raw: Buffer.from("b"), many: ["c", "d"], gone: undefined },
      ...OURS,
    },
  ],
  [
    "an ID of its own, in any case",
    { "X-Transaction-Id": Buffer.from("mine") },
    {
      "X-Transaction-Id": Buffer.from("mine"),
      baggage: "clew.transaction.id=mine",
      traceparent: OURS.traceparent,
    },
  ],
  [
    "a trace of its own",
    { traceparent: SENT_BY, tracestate: "a=1" },
    {
      ...OURS,
      traceparent: SENT_BY,
      tracestate: "a=1",
    },
  ],
])("a message with %s", (_name, own, want) => {
  expect(headersOf(own)).toEqual(want);
});

test("headers copied from the handled message: its sender's trace gives way to ours", () => {
  const headers = { ...OURS, TraceParent: Buffer.from(SENT_BY), tracestate: "a=1", tenant: "a" };
  const { traceparent: _, ...copied } = headers;
  expect(headersOf(copied, { headers: copied })).toEqual({ ...OURS, tenant: "a" });
});

test("an attempt is counted once, however its header was copied", () => {
  const consumed = { headers: { "Clew-Delivery-Attempt": Buffer.from("2") } };
  const attempt = (own: KafkaHeaders | undefined, topic: string) =>
    readHeaders(headersOf(own, consumed, topic))["clew-delivery-attempt"];
  expect(attempt(undefined, "jobs.retry")).toBe("3");
  expect(attempt(consumed.headers, "jobs.retry")).toBe("3");
  expect(attempt(consumed.headers, "invoices")).toBeUndefined();
  expect(attempt({ "clew-delivery-attempt": "7" }, "jobs.retry")).toBe("7");
});

test("a repeat keeps naming what the handled message was made from", () => {
  const consumed = { headers: { "clew-transaction-sources": "T-8,T-9" } };
  const sources = (topic: string) =>
    readHeaders(headersOf(undefined, consumed, topic))["clew-transaction-sources"];
  expect(sources("jobs.dlq")).toBe("T-8,T-9");
  expect(sources("invoices")).toBeUndefined();
});

test("a message names the run whose span sent it, where that run makes spans", () => {
  const tracer = new TransactionTracer({
    scope: { name: "t", version: "1" },
    sampler: () => true,
    limits: {
      ...{ attributes: 9, events: 9, links: 9 },
      ...{ eventAttributes: 9, linkAttributes: 9, valueLength: 99 },
    },
    onEnd: () => undefined,
  });
  setTracer(tracer, RUN);
  try {
    expect(headersOf(undefined)).toEqual({ ...OURS, "clew-run": RUN });
    // Who names a span or a transaction of its own does not name ours.
    expect(headersOf({ traceparent: SENT_BY })).not.toHaveProperty("clew-run");
    expect(headersOf({ "x-transaction-id": "mine" })).not.toHaveProperty("clew-run");
    // What a handler copies from its message was true of who sent that one.
    const headers = { ...OURS, traceparent: SENT_BY, "clew-run": "of another run" };
    const consumed: IncomingMessage = { headers, value: Buffer.from("v") };
    expect(headersOf(headers, consumed)).toMatchObject({ ...OURS, "clew-run": RUN });
  } finally {
    setTracer(tracer, undefined);
  }
  expect(headersOf(undefined)).toEqual(OURS);
});
