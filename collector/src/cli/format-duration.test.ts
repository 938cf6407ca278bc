import { expect, test } from "vitest";
import { findRfc3339 } from "../query/rfc3339.ts";
import { formatDuration, formatOffset } from "./format-duration.ts";

test.each([
  [0, "0 ms"],
  [0.04, "0 ms"],
  [1.26, "1.3 ms"],
  [812.4, "812 ms"],
  [999.6, "1.00 s"],
  [1234, "1.23 s"],
  [59_960, "1 min 0 s"],
  [61_000, "1 min 1 s"],
  [3_599_900, "1 h 0 min"],
  [12_000_000, "3 h 20 min"],
  [260_000_000, "3 d 0 h"],
])("%d ms reads %s", (ms, want) => {
  expect(formatDuration(ms)).toBe(want);
});

test.each([
  ["2026-01-31T12:00:01.5Z", "+1.50 s"],
  ["2026-01-31T11:59:59Z", "-1.00 s"],
  ["soon", "?"],
  [null, "?"],
])("%s is %s after noon", (time, want) => {
  expect(formatOffset(time, findRfc3339("2026-01-31T12:00:00Z"))).toBe(want);
  expect(formatOffset(time, undefined)).toBe("?");
});
