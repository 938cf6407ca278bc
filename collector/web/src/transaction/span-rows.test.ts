import { ATTRIBUTE } from "@clew/instrumentation/names";
import { expect, test } from "vitest";
import { sampleLog, sampleSpan } from "../record/record-samples.ts";
import { type SpanRow, spanRows } from "./span-rows.ts";

const outline = (rows: readonly SpanRow[]) =>
  rows.map(({ record, depth }) => `${"  ".repeat(depth)}${record.spanId}`);

test("nothing, logs, and spans without a time make no rows", () => {
  expect(spanRows([])).toEqual([]);
  expect(spanRows([sampleLog(), { ...sampleSpan({ startMs: 1 }), time: "?" }])).toEqual([]);
});

test("children stand under their parent, by start, in whatever order they came", () => {
  const rows = spanRows([
    sampleSpan({ spanId: "c", parentSpanId: "a", startMs: 30 }),
    sampleSpan({ spanId: "d", parentSpanId: "b", startMs: 25 }),
    sampleSpan({ spanId: "b", parentSpanId: "a", startMs: 20 }),
    sampleSpan({ spanId: "a", startMs: 10 }),
  ]);
  expect(outline(rows)).toEqual(["a", "  b", "    d", "  c"]);
});

test("a span whose parent is not here is a root and says so", () => {
  const rows = spanRows([
    sampleSpan({ spanId: "b", parentSpanId: "lost", startMs: 20 }),
    sampleSpan({ spanId: "a", startMs: 10 }),
  ]);
  expect(outline(rows)).toEqual(["a", "b"]);
  expect(rows.map(({ isParentMissing }) => isParentMissing)).toEqual([false, true]);
});

test("cycles, a span that is its own parent, and equal ids lose no span", () => {
  const rows = spanRows([
    sampleSpan({ spanId: "a", parentSpanId: "b", startMs: 10 }),
    sampleSpan({ spanId: "b", parentSpanId: "a", startMs: 20 }),
    sampleSpan({ spanId: "self", parentSpanId: "self", startMs: 30 }),
    sampleSpan({ spanId: "twice", startMs: 40 }),
    sampleSpan({ spanId: "twice", startMs: 50, service: "payments" }),
  ]);
  expect(rows).toHaveLength(5);
  expect(new Set(rows.map(({ record }) => record)).size).toBe(5);
});

test("a deep chain neither overflows the stack nor leaves the page", () => {
  const chain = Array.from({ length: 20_000 }, (_, i) =>
    sampleSpan({ spanId: `s${i}`, parentSpanId: i === 0 ? null : `s${i - 1}`, startMs: i }),
  );
  const rows = spanRows(chain);
  expect(rows).toHaveLength(chain.length);
  expect(Math.max(...rows.map(({ depth }) => depth))).toBeLessThan(20);
});

test("the wait of a message is from the end of its producer to the start of its consumer", () => {
  const producer = sampleSpan({
    spanId: "p",
    startMs: 10,
    of: { kind: "producer", durationMs: 5 },
  });
  const consumer = { service: "shipping", startMs: 1000, of: { kind: "consumer" } } as const;
  const [, byParent] = spanRows([
    producer,
    sampleSpan({ ...consumer, spanId: "c", parentSpanId: "p" }),
  ]);
  expect(byParent).toMatchObject({ waitedFromMs: 15, isHop: true, depth: 1 });
  const link = { traceId: producer.traceId ?? "", spanId: "p", attributes: {} };
  const [, byLink] = spanRows([
    producer,
    sampleSpan({
      ...consumer,
      spanId: "c",
      traceId: "1".repeat(32),
      of: { kind: "consumer", links: [link] },
    }),
  ]);
  expect(byLink).toMatchObject({ waitedFromMs: 15, isHop: true, depth: 1 });
});

test("a wait that the consumer measured itself counts before the clocks of two machines", () => {
  const attributes = { [ATTRIBUTE.queueWaitMs]: 400 };
  const [row] = spanRows([
    sampleSpan({ spanId: "c", startMs: 1000, attributes, of: { kind: "consumer" } }),
  ]);
  expect(row?.waitedFromMs).toBe(600);
});

test("a consumer that began before its producer ended waited for nothing", () => {
  const rows = spanRows([
    sampleSpan({ spanId: "p", startMs: 10, of: { kind: "producer", durationMs: 50 } }),
    sampleSpan({ spanId: "c", parentSpanId: "p", startMs: 20, of: { kind: "consumer" } }),
  ]);
  expect(rows[1]?.waitedFromMs).toBeNull();
  expect(rows[1]?.isHop).toBe(false);
});
