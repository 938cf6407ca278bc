import { expect, test } from "vitest";
import { formatDayTime, formatNearTime, formatTime, timeMs } from "./format-time.ts";

test.each<[text: string, want: number]>([
  ["", Number.NaN],
  ["yesterday", Number.NaN],
  ["2026-11-21T03:04:05", Number.NaN],
  ["1970-01-01T00:00:00Z", 0],
  ["1970-01-01T00:00:01.5Z", 1500],
  ["1970-01-01T00:00:01.000250000Z", 1000.25],
  ["1970-01-01T01:00:00+01:00", 0],
])("timeMs(%s) is %d", (text, want) => expect(timeMs(text)).toBe(want));

test("nanoseconds survive well enough to tell 1 µs apart", () => {
  const a = timeMs("2026-11-21T03:04:05.123456000Z");
  const b = timeMs("2026-11-21T03:04:05.123457000Z");
  expect(b - a).toBeCloseTo(0.001, 3);
});

test("times are on the reader's clock", () => {
  const ms = new Date(2026, 10, 21, 3, 4, 5, 67).getTime();
  expect(formatTime(ms)).toBe("03:04:05.067");
  expect(formatDayTime(ms)).toBe("2026-11-21 03:04:05");
  expect(formatNearTime(ms, ms + 1)).toBe("03:04:05.067");
  expect(formatNearTime(ms, ms + 48 * 3_600_000)).toBe("11-21 03:04:05");
  expect(formatTime(Number.NaN)).toBe("–");
  expect(formatDayTime(Number.NaN)).toBe("–");
  expect(formatNearTime(Number.NaN, ms)).toBe("–");
});
