import { expect, test } from "vitest";
import { timeScale } from "./time-scale.ts";

const HOUR = 3_600_000;

test("no interval, or one without length, still is a scale", () => {
  expect(timeScale([]).position(5)).toBe(0);
  const point = timeScale([{ startMs: 7, endMs: 7 }]);
  expect(point.position(7)).toBe(0);
  expect(point.ticks).toEqual([{ at: 0, offsetMs: 0 }]);
});

test("times that are none are left out", () => {
  const scale = timeScale([
    { startMs: Number.NaN, endMs: 4 },
    { startMs: 10, endMs: 20 },
  ]);
  expect(scale.startMs).toBe(10);
  expect(scale.position(15)).toBe(0.5);
});

test("an end before its start counts as none", () => {
  const scale = timeScale([{ startMs: 10, endMs: 5 }]);
  expect([scale.startMs, scale.endMs]).toEqual([10, 10]);
});

test("positions are linear, and at the edge outside", () => {
  const scale = timeScale([{ startMs: 100, endMs: 300 }]);
  expect([50, 100, 200, 300, 900].map(scale.position)).toEqual([0, 0, 0.5, 1, 1]);
  expect(scale.breaks).toEqual([]);
});

test("ticks are round and at most eight", () => {
  for (const totalMs of [0.05, 3, 47, 380, 12_345, 95_000, 26 * HOUR, 400 * HOUR]) {
    const { ticks } = timeScale([{ startMs: 1000, endMs: 1000 + totalMs }]);
    expect(ticks.length).toBeGreaterThan(2);
    expect(ticks.length).toBeLessThanOrEqual(8);
    for (const { at } of ticks) expect(at).toBeLessThanOrEqual(1 + 1e-9);
  }
  const { ticks } = timeScale([{ startMs: 0, endMs: 95 }]);
  expect(ticks.map(({ offsetMs }) => offsetMs)).toEqual([0, 20, 40, 60, 80]);
});

test("hours of waiting between milliseconds of work are squeezed and marked", () => {
  const scale = timeScale([
    { startMs: 0, endMs: 100 },
    { startMs: 3 * HOUR, endMs: 3 * HOUR + 100 },
  ]);
  expect(scale.breaks).toHaveLength(1);
  expect(scale.breaks[0]?.ms).toBe(3 * HOUR - 100);
  expect(scale.position(100)).toBeCloseTo(0.47);
  expect(scale.position(3 * HOUR)).toBeCloseTo(0.53);
  expect(scale.position(3 * HOUR + 100)).toBeCloseTo(1);
  expect(scale.ticks.map(({ offsetMs }) => offsetMs)).toEqual([0, 3 * HOUR]);
});

test("days do not hide that hours were squeezed too", () => {
  const starts = [0, 3 * HOUR, 100 * HOUR];
  const scale = timeScale(starts.map((startMs) => ({ startMs, endMs: startMs + 1000 })));
  expect(scale.breaks).toHaveLength(2);
});

test("a wait beside as much work stays to scale", () => {
  const scale = timeScale([
    { startMs: 0, endMs: 50 },
    { startMs: 90, endMs: 140 },
  ]);
  expect(scale.breaks).toEqual([]);
  expect(scale.position(70)).toBe(0.5);
});

test("positions never go backwards", () => {
  const scale = timeScale(
    [0, 40, 5000, 90_000, 90_500].map((startMs) => ({ startMs, endMs: startMs + 30 })),
  );
  let last = -1;
  for (let ms = 0; ms <= 90_530; ms += 10) {
    const at = scale.position(ms);
    expect(at).toBeGreaterThanOrEqual(last);
    last = at;
  }
  expect(last).toBeCloseTo(1);
});
