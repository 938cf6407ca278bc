import { expect, test } from "vitest";
import { type RowLayout, rowTopPx, rowWindow } from "./row-window.ts";

const layout = (count: number, extras: readonly [number, number][] = []): RowLayout => ({
  count,
  rowPx: 10,
  extrasPx: new Map(extras),
});

test("an empty list has no rows and no height", () => {
  expect(rowWindow(layout(0), { fromPx: 0, toPx: 500 })).toEqual({
    first: 0,
    end: 0,
    topPx: 0,
    totalPx: 0,
  });
});

test("a view beyond either end stays within the list", () => {
  expect(rowWindow(layout(5), { fromPx: -900, toPx: -800 })).toMatchObject({ first: 0, end: 1 });
  expect(rowWindow(layout(5), { fromPx: 900, toPx: 1000 })).toMatchObject({ first: 4, end: 5 });
});

test("a row opened and then filtered away does no harm", () => {
  expect(rowWindow(layout(3, [[7, 100]]), { fromPx: 0, toPx: 500 })).toMatchObject({
    first: 0,
    end: 3,
    totalPx: 30,
  });
});

test("agrees with counting row by row, whichever rows are open", () => {
  const shape = layout(60, [
    [40, 35],
    [0, 120],
    [7, 3],
    [8, 500],
  ]);
  const heights = Array.from({ length: 60 }, (_, row) => 10 + (shape.extrasPx.get(row) ?? 0));
  const tops = heights.map((_, row) => heights.slice(0, row).reduce((sum, px) => sum + px, 0));
  for (let fromPx = 0; fromPx < 1250; fromPx += 7) {
    const toPx = fromPx + 95;
    const last = tops.findLastIndex((px) => px <= toPx);
    const first = tops.findLastIndex((px) => px <= fromPx);
    const window = rowWindow(shape, { fromPx, toPx });
    expect([fromPx, window.first, window.end]).toEqual([fromPx, first, last + 1]);
    expect(window.topPx).toBe(tops[first]);
    expect(window.totalPx).toBe(600 + 658);
  }
  expect(rowTopPx(shape, 9)).toBe(tops[9]);
});
