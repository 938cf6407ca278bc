import { expect, it } from "vitest";
import {
  againstBudget,
  formatNumber,
  formatTable,
  quantile,
  ratioCells,
  rowCells,
  rowOf,
} from "./bench-report.ts";

const speed = { name: "speed", subject: "ours", unit: "logs/s" };

it("refuses to report what was not measured", () => {
  expect(() => rowOf({ ...speed, values: [] })).toThrow("nothing was measured");
  expect(() => quantile([], 0.5)).toThrow("nothing was measured");
});

it("gives the middle one of the runs, and the range", () => {
  expect(rowOf({ ...speed, values: [3, 1, 10] })).toEqual({
    ...speed,
    value: 3,
    min: 1,
    max: 10,
    runs: 3,
  });
});

it.for<[number, number]>([
  [0, 1],
  [0.5, 51],
  [0.99, 100],
  [1, 100],
])("quantile %d of 1 to 100 is %d", ([q, want]) => {
  const values = Array.from({ length: 100 }, (_, at) => at + 1);
  expect(quantile(values, q)).toBe(want);
});

it("compares with a limit from above or from below", () => {
  const memory = { name: "memory", ours: 150, budget: 300, unit: "MiB" };
  expect(againstBudget(memory)).toEqual({
    name: "memory",
    ours: 150,
    peer: 300,
    value: 0.5,
    budget: "≤ 300 MiB",
    met: true,
  });
  expect(againstBudget({ ...memory, ours: 301 }).met).toBe(false);
  expect(againstBudget({ ...memory, isMinimum: true })).toMatchObject({
    budget: "≥ 300 MiB",
    met: false,
  });
});

it("prints aligned columns", () => {
  const row = rowOf({ ...speed, values: [61234.5] });
  expect(formatTable(rowCells([row])).split("\n")).toEqual([
    "what   subject  value   min     max     unit    runs",
    "speed  ours     61,235  61,235  61,235  logs/s  1",
  ]);
  const ratio = againstBudget({ name: "speed", ours: 25, budget: 50, unit: "x", isMinimum: true });
  expect(ratioCells([ratio])[1]).toEqual(["speed", "≥ 50 x", "25", "0.5", "no"]);
});

it.for<[number, string]>([
  [0, "0"],
  [0.012345, "0.0123"],
  [12.345, "12.3"],
  [999.9, "1000"],
  [1234567.8, "1,234,568"],
])("formats %d as %s", ([value, text]) => {
  expect(formatNumber(value)).toBe(text);
});
