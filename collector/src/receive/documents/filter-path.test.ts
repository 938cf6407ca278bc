import { expect, test } from "vitest";
import { FilterPath } from "./filter-path.ts";

test.each<[string | null, string, boolean]>([
  [null, "took", true],
  ["", "took", true],
  ["took", "took", true],
  ["took", "errors", false],
  ["items", "items.create.error.type", true],
  ["items.*.error", "items.create.error.type", true],
  ["items.*.error", "items.create.status", false],
  ["items.*.error.type", "items.create.error", false],
  ["**.status", "items.create.status", true],
  ["**.status", "items.create._id", false],
  ["it*s.c*te.st*s", "items.create.status", true],
  ["it*s", "its", true],
  ["it*ts", "its", false],
  ["*", "took", true],
  [" errors , took ", "took", true],
  ["-took", "took", false],
  ["-took", "errors", true],
  ["items,-items.*.error", "items.create.error.type", false],
  ["items,-items.*.error", "items.create.status", true],
])("%j leaves %s: %j", (text, path, want) => {
  expect(new FilterPath(text).has(path)).toBe(want);
});

test("a hostile pattern costs little", () => {
  for (const pattern of [`${"*a".repeat(5000)}b`, `${"**.".repeat(5000)}x`, "**.*.".repeat(3000)]) {
    expect(new FilterPath(pattern).has("items.create.error.reason")).toBe(false);
  }
});
