import { expect, test } from "vitest";
import { findRfc3339, formatRfc3339 } from "./rfc3339.ts";

test.each([
  ["2026-01-31T12:00:00Z", 1_769_860_800_000_000_000n],
  ["2026-01-31T12:00:00.5Z", 1_769_860_800_500_000_000n],
  ["2026-01-31t12:00:00.123456789z", 1_769_860_800_123_456_789n],
  ["2026-01-31 14:00:00+02:00", 1_769_860_800_000_000_000n],
  ["1970-01-01T00:00:00Z", 0n],
  ["1969-12-31T23:59:59.999999999Z", -1n],
])("reads %s", (text, want) => {
  expect(findRfc3339(text)).toBe(want);
});

test.each([
  "",
  "now",
  "15m",
  "2026-01-31",
  "2026-01-31T12:00:00",
  "2026-02-30T12:00:00Z",
  "2026-01-31T25:00:00Z",
  "2026-01-31T12:00:00.1234567890Z",
  "2026-01-31T12:00:00+2",
  "99999-01-31T12:00:00Z",
  `2026-01-31T12:00:00Z${" ".repeat(100)}`,
])("does not take %j for a time", (text) => {
  expect(findRfc3339(text)).toBeUndefined();
});

test.each([0n, 1n, -1n, 999_999n, 1_769_860_800_123_456_789n, -1_000_001n])(
  "gives %s back as it was",
  (ns) => {
    expect(findRfc3339(formatRfc3339(ns))).toBe(ns);
  },
);

test("has a time even for what no calendar has", () => {
  expect(formatRfc3339(2n ** 80n)).toBe("1970-01-01T00:00:00.000Z");
});
