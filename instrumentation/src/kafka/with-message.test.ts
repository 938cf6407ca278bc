import { afterEach, beforeEach, expect, test } from "vitest";
import type { RecordedSpan } from "../tracing/recorded-span.ts";
import { setTracer } from "../tracing/tracer-holder.ts";
import { TransactionTracer } from "../tracing/transaction-tracer.ts";
import type { IncomingMessage, KafkaHeaders } from "./kafka-shapes.ts";
import { noteOrigin, withMessage } from "./with-message.ts";
import { withMessages } from "./with-messages.ts";

const RUN = "3".repeat(32);
const CALLER = "clew.caller.run.id";
const SENT_BY = `00-${"1".repeat(32)}-${"2".repeat(16)}-01`;
const ORIGIN = { topic: "jobs", partition: 3, group: "workers" };
const LIMITS = {
  ...{ attributes: 99, events: 9, links: 9 },
  ...{ eventAttributes: 9, linkAttributes: 9, valueLength: 999 },
};

const ended: RecordedSpan[] = [];

beforeEach(() => {
  ended.length = 0;
  const onEnd = (span: RecordedSpan) => ended.push(span);
  const scope = { name: "test", version: "" };
  setTracer(
    new TransactionTracer({ scope, sampler: () => true, limits: LIMITS, onEnd }),
    undefined,
  );
});
afterEach(() => setTracer(new TransactionTracer(NOTHING), undefined));

const NOTHING = {
  ...{ scope: { name: "", version: "" }, sampler: () => false, limits: LIMITS },
  onEnd: () => undefined,
};

function messageOf(headers: KafkaHeaders): IncomingMessage {
  const message = { headers, offset: "7", value: Buffer.from("v") };
  noteOrigin([message], ORIGIN);
  return message;
}

function attributesOf(span: RecordedSpan | undefined): Record<string, unknown> {
  const list = span?.attributes ?? [];
  const pairs = list.flatMap((key, i) => (i % 2 === 0 ? [[key, list[i + 1]]] : []));
  return Object.fromEntries(pairs);
}

const WHOLE = { "x-transaction-id": "T-1", traceparent: SENT_BY, "clew-run": RUN };

test("a consumer span says where from, for which group, and which run sent it", () => {
  withMessage(messageOf(WHOLE), () => undefined);
  expect(ended[0]).toMatchObject({ parent: { spanId: "2".repeat(16) }, kind: 4 });
  expect(attributesOf(ended[0])).toMatchObject({
    [CALLER]: RUN,
    "messaging.destination.name": "jobs",
    "messaging.consumer.group.name": "workers",
  });
});

test.each<[string, KafkaHeaders]>([
  ["no run", { ...WHOLE, "clew-run": undefined }],
  ["no span", { ...WHOLE, traceparent: "nonsense" }],
  ["no transaction", { ...WHOLE, "x-transaction-id": undefined }],
  ["a transaction that is not taken", { ...WHOLE, "x-transaction-id": "a b" }],
  ["what is no run", { ...WHOLE, "clew-run": "two runs" }],
])("a message with %s names no run that sent it", (_, headers) => {
  withMessage(messageOf(headers), () => undefined);
  expect(ended).toHaveLength(1);
  expect(attributesOf(ended[0])).not.toHaveProperty([CALLER]);
});

test("work on several messages links to their spans, with the runs they are of", () => {
  const other = { ...WHOLE, traceparent: SENT_BY.replaceAll("2", "4"), "clew-run": undefined };
  withMessages([messageOf(WHOLE), messageOf(WHOLE), messageOf(other)], () => undefined);
  expect(ended[0]?.parent).toBeUndefined();
  expect(ended[0]?.links).toEqual([
    {
      context: expect.objectContaining({ spanId: "2".repeat(16) }),
      attributes: { [CALLER]: RUN },
    },
    { context: expect.objectContaining({ spanId: "4".repeat(16) }) },
  ]);
});
