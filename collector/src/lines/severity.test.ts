import { expect, test } from "vitest";
import { findSeverity } from "./severity.ts";

test.each<[unknown, number, string]>([
  [30, 9, "info"],
  [50, 17, "error"],
  [60, 21, "fatal"],
  [35, 9, "info"],
  [10, 1, "trace"],
  ["20", 5, "debug"],
  [3, 17, "error"],
  [0, 21, "fatal"],
  ["WARNING", 13, "WARNING"],
  ["Error", 17, "Error"],
  ["silly", 1, "silly"],
  ["critical", 18, "critical"],
])("%j is %i", (value, number, text) => {
  expect(findSeverity(value)).toEqual({ number, text });
});

test.each<unknown>([null, undefined, "", "loud", "constructor", -1, 70, 1e9, 4.5, {}, true])(
  "%j is none",
  (value) => {
    expect(findSeverity(value)).toBeUndefined();
  },
);
