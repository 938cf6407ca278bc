import { expect, test } from "vitest";
import { readSince } from "./logs.ts";

const NOON_NS = 1_769_860_800_000_000_000n;

test.each([
  [undefined, undefined],
  ["15m", "2026-01-31T11:45:00.000000000Z"],
  ["2h", "2026-01-31T10:00:00.000000000Z"],
  ["1d", "2026-01-30T12:00:00.000000000Z"],
  ["30s", "2026-01-31T11:59:30.000000000Z"],
  ["999999999d", "1970-01-01T00:00:00.000000000Z"],
  ["2026-01-31T12:00:00+01:00", "2026-01-31T12:00:00+01:00"],
])("--since %s", (text, want) => {
  expect(readSince(text, NOON_NS)).toBe(want);
});

test.each(["", "15", "m", "-1h", "1w", "yesterday", "1h30m", "9999999999d"])(
  "refuses --since %j",
  (text) => {
    expect(() => readSince(text, NOON_NS)).toThrow("see clew logs --help");
  },
);
