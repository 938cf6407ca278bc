import { expect, test } from "vitest";
import { formatAge, formatDuration, formatExactOffset, formatOffset } from "./format-duration.ts";

test.each<[ms: number, want: string]>([
  [Number.NaN, "–"],
  [Number.POSITIVE_INFINITY, "–"],
  [-2, "−2.00 ms"],
  [0, "0 ms"],
  [0.000_1, "1 µs"],
  [0.42, "420 µs"],
  [0.999_9, "1.00 ms"],
  [9.994, "9.99 ms"],
  [9.996, "10.0 ms"],
  [99.96, "100 ms"],
  [999.4, "999 ms"],
  [999.6, "1.00 s"],
  [1240, "1.24 s"],
  [59_990, "60.0 s"],
  [59_999, "1 m 00 s"],
  [3_599_400, "59 m 59 s"],
  [3_599_600, "1 h 00 m"],
  [7_500_000, "2 h 05 m"],
  [86_399_000, "1 d 0 h"],
  [273_600_000, "3 d 4 h"],
])("formatDuration(%d) is %s", (ms, want) => expect(formatDuration(ms)).toBe(want));

test.each<[ms: number, want: string]>([
  [0, "+0 ms"],
  [12.34, "+12.3 ms"],
  [-1, "−1.00 ms"],
])("formatOffset(%d) is %s", (ms, want) => expect(formatOffset(ms)).toBe(want));

test.each<[ms: number, want: string]>([
  [Number.NaN, "+–"],
  [-1500, "−1.500 s"],
  [0, "+0 ms"],
  [12.34, "+12.3 ms"],
  [999.9, "+1.000 s"],
  [28_785.4, "+28.785 s"],
  [59_999.9, "+1:00.000"],
  [63_456, "+1:03.456"],
  [3_723_456, "+1:02:03.456"],
  [3 * 86_400_000 + 63_456, "+3 d 0:01:03.456"],
])("formatExactOffset(%d) is %s", (ms, want) => expect(formatExactOffset(ms)).toBe(want));

test.each<[ms: number, want: string]>([
  [-5000, "now"],
  [4000, "now"],
  [59_000, "59 s ago"],
  [61_000, "1 min ago"],
  [7_200_000, "2 h ago"],
  [200_000_000, "2 d ago"],
])("formatAge(%d) is %s", (ms, want) => expect(formatAge(ms)).toBe(want));
