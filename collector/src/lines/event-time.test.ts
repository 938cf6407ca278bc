import { expect, test } from "vitest";
import { findEventTime } from "./event-time.ts";

const NOON_MS = Date.UTC(2026, 0, 31, 12);
const NOON_NS = BigInt(NOON_MS) * 1_000_000n;

test.each<[unknown, bigint]>([
  [NOON_MS, NOON_NS],
  [NOON_MS / 1000, NOON_NS],
  [NOON_MS / 1000 + 0.25, NOON_NS + 250_000_000n],
  [NOON_MS + 0.5, NOON_NS + 500_000n],
  [NOON_MS * 1000, NOON_NS],
  [NOON_MS * 1e6, NOON_NS],
  [String(NOON_MS), NOON_NS],
  [`${NOON_MS}.123456`, NOON_NS + 123_456n],
  [NOON_NS + 1n, NOON_NS + 1n],
  [String(NOON_NS + 1n), NOON_NS + 1n],
  ["2026-01-31T12:00:00Z", NOON_NS],
  ["2026-01-31T12:00:00.123456789Z", NOON_NS + 123_456_789n],
  ["2026-01-31 12:00:00,5Z", NOON_NS + 500_000_000n],
  ["2026-01-31T13:00:00+0100", NOON_NS],
  ["2026-01-31T13:00:00+01:00", NOON_NS],
])("%s is a time", (value, want) => {
  expect(findEventTime(value)).toBe(want);
});

test("without a zone it is this machine's time", () => {
  const want = BigInt(new Date("2026-01-31T12:00:00").getTime()) * 1_000_000n;
  expect(findEventTime("2026-01-31 12:00:00")).toBe(want);
});

test.each<unknown>([
  null,
  undefined,
  "",
  "yesterday",
  "12",
  0,
  -1,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  -1n,
  10n ** 30n,
  1e30,
  "2026-13-31T12:00:00Z",
  "2026-01-31",
  true,
  {},
  ["2026-01-31T12:00:00Z"],
  "9999-01-01T00:00:00Z",
])("%s is none", (value) => {
  expect(findEventTime(value)).toBeUndefined();
});
