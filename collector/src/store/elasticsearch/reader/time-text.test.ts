import { expect, test } from "vitest";
import { formatTime, MAX_NS, msToNs, parseTime } from "./time-text.ts";

test("reads times with up to nine digits of fraction, and writes all nine", () => {
  const check = (text: string, want: bigint, written = text) => {
    expect(parseTime(text), text).toBe(want);
    expect(formatTime(want)).toBe(written);
  };
  check("1970-01-01T00:00:00.000000000Z", 0n);
  check("1970-01-01T00:00:00Z", 0n, "1970-01-01T00:00:00.000000000Z");
  check("1970-01-01T00:00:00.5Z", 500_000_000n, "1970-01-01T00:00:00.500000000Z");
  check("2026-03-01T12:00:00.123456789Z", 1_772_366_400_123_456_789n);
  check("2262-04-11T23:47:16.854775807Z", MAX_NS);
});

test("refuses what is no time of Elasticsearch's", () => {
  for (const text of ["", "now", "2026-03-01", "2026-03-01T12:00:00+01:00", "1".repeat(9999)]) {
    expect(() => parseTime(text), text).toThrow(RangeError);
  }
});

test("takes milliseconds with a fraction, as an average has it, for the whole ones", () => {
  expect(msToNs(1_772_366_400_123)).toBe(1_772_366_400_123_000_000n);
  expect(msToNs(1.9)).toBe(1_000_000n);
});
