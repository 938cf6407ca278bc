import { expect, test } from "vitest";
import { findLegacyTime } from "./legacy-time.ts";

/** Half a year from any New Year's Eve. */
const SUMMER_MS = new Date(2026, 6, 1).getTime();

function local(...date: [number, number, number, number?, number?, number?]): bigint {
  return BigInt(new Date(...date).getTime()) * 1_000_000n;
}

function utc(...date: [number, number, number, number?, number?, number?]): bigint {
  return BigInt(Date.UTC(...date)) * 1_000_000n;
}

test.each<[string, bigint, string]>([
  ["Oct 11 22:14:15 host", local(2026, 9, 11, 22, 14, 15), " host"],
  ["Oct  1 22:14:15 host", local(2026, 9, 1, 22, 14, 15), " host"],
  ["Oct 1 22:14:15", local(2026, 9, 1, 22, 14, 15), ""],
  ["Oct 11 22:14:15.123456789: x", local(2026, 9, 11, 22, 14, 15) + 123_456_789n, ": x"],
  ["*Oct 11 22:14:15,5 x", local(2026, 9, 11, 22, 14, 15) + 500_000_000n, " x"],
  ["Oct 11 2019 22:14:15: x", local(2019, 9, 11, 22, 14, 15), ": x"],
  ["2019 Oct 11 22:14:15 x", local(2019, 9, 11, 22, 14, 15), " x"],
  ["Oct 11 22:14:15 2019 x", local(2019, 9, 11, 22, 14, 15), " x"],
  ["Oct 11 22:14:15 UTC 2019 x", utc(2019, 9, 11, 22, 14, 15), " x"],
  ["Oct 11 22:14:15 CEST x", local(2026, 9, 11, 22, 14, 15), " CEST x"],
  ["Oct 11 22:14:15 +0530 x", utc(2026, 9, 11, 16, 44, 15), " x"],
  ["Oct 11 22:14:15 -05:00: x", utc(2026, 9, 12, 3, 14, 15), ": x"],
  ["Oct 11 22:14:15 EST x", utc(2026, 9, 12, 3, 14, 15), " x"],
  ["2019-10-11T22:14:15Z x", utc(2019, 9, 11, 22, 14, 15), " x"],
  ["2019-10-11T22:14:15.5+02:00: x", utc(2019, 9, 11, 20, 14, 15) + 500_000_000n, ": x"],
])("%j", (text, want, rest) => {
  const found = findLegacyTime(text, SUMMER_MS);
  expect(found?.timeNs).toBe(want);
  expect(text.slice(found?.length)).toBe(rest);
});

test("without a year it is the one that makes it nearest", () => {
  const at = (text: string, now: Date) => findLegacyTime(text, now.getTime())?.timeNs;
  expect(at("Dec 31 23:59:59", new Date(2027, 0, 1))).toBe(local(2026, 11, 31, 23, 59, 59));
  expect(at("Jan  1 00:00:01", new Date(2026, 11, 31))).toBe(local(2027, 0, 1, 0, 0, 1));
  expect(at("Feb 29 12:00:00", new Date(2025, 0, 10))).toBe(local(2024, 1, 29, 12));
  expect(at("Feb 29 12:00:00", new Date(2026, 1, 28))).toBeUndefined();
});

test.each([
  "",
  "Okt 11 22:14:15",
  "oct 11 22:14:15",
  "Oct   1 22:14:15",
  "Oct 0 22:14:15",
  "Feb 30 22:14:15",
  "Oct 11 24:00:00",
  "Oct 11 22:60:00",
  "Oct 11 22:14:60",
  "Oct 11 22:14",
  "1900 Oct 11 22:14:15",
  "2019-13-11T22:14:15Z",
  "2019-10-11",
])("%j is none", (text) => {
  expect(findLegacyTime(text, SUMMER_MS)).toBeUndefined();
});
