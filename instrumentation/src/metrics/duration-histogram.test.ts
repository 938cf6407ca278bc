import { expect, test } from "vitest";
import { DurationHistogram, REQUEST_BUCKETS } from "./duration-histogram.ts";

test("a value counts in its bucket and in all above; a bound belongs to its bucket", () => {
  const histogram = new DurationHistogram([0.1, 1, 5]);
  for (const seconds of [0.05, 0.1, 0.5, 1, 7]) histogram.observe(seconds);
  expect(
    histogram.samples({ a: "b" }).map(({ suffix, labels, value }) => [suffix, labels.le, value]),
  ).toEqual([
    ["_bucket", "0.1", 2],
    ["_bucket", "1.0", 4],
    ["_bucket", "5.0", 4],
    ["_bucket", "+Inf", 5],
    ["_sum", undefined, 8.65],
    ["_count", undefined, 5],
  ]);
});

test("each bucket shows its last example, with at most 128 characters of labels", () => {
  const histogram = new DurationHistogram();
  const transactionId = "x".repeat(64);
  histogram.observe(0.001, { id: "1".repeat(32), transactionId });
  histogram.observe(0.002, { id: "2".repeat(32), transactionId });
  histogram.observe(99, { id: "3".repeat(32), transactionId: undefined });
  const samples = histogram.samples({});
  const first = samples[0]?.exemplar;
  expect(first).toMatchObject({ labels: { trace_id: "2".repeat(32) }, value: 0.002 });
  const characters = Object.entries(first?.labels ?? {})
    .flat()
    .join("").length;
  expect([characters > 100, characters <= 128]).toEqual([true, true]);
  expect(samples[REQUEST_BUCKETS.length]).toMatchObject({
    labels: { le: "+Inf" },
    exemplar: { labels: { trace_id: "3".repeat(32) } },
  });
  expect(samples.filter((sample) => sample.exemplar !== undefined)).toHaveLength(2);
});
