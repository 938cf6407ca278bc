import { expect, it } from "vitest";
import {
  addDuration,
  type DurationHistogram,
  decodeDurations,
  encodeDurations,
  mergeDurations,
  quantileMs,
} from "./duration-histogram.ts";

it("reads quantiles back within five per cent", () => {
  const check = (durationsNs: bigint[], quantile: number, wantMs: number) => {
    const histogram: DurationHistogram = new Map();
    for (const durationNs of durationsNs) addDuration(histogram, durationNs);
    const gotMs = quantileMs(decodeDurations(encodeDurations(histogram)), quantile);
    expect(Math.abs(gotMs - wantMs)).toBeLessThanOrEqual(wantMs * 0.05);
  };
  const thousand = Array.from({ length: 1000 }, (_, i) => BigInt(i + 1) * 1_000_000n);
  check([], 0.5, 0);
  check([5_000_000n], 0.99, 5);
  check(thousand, 0.5, 500);
  check(thousand, 0.99, 990);
  check(thousand, 1, 1000);
  check([3_600_000_000_000n], 0.5, 3_600_000);
});

it("takes any duration, and sums", () => {
  const histogram: DurationHistogram = new Map();
  for (const durationNs of [0n, 1n, 1000n, 2n ** 63n]) addDuration(histogram, durationNs);
  mergeDurations(histogram, new Map([[0, 2]]));
  expect([...histogram]).toEqual([
    [0, 5],
    [344, 1],
  ]);
});
