import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findFiles, folderOf } from "./find-files.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "clew-find-files-"));
  mkdirSync(join(folder, "deep"));
  for (const name of ["a.log", "b.log", "b.log.gz", "odd[1].log", "deep/c.log"]) {
    writeFileSync(join(folder, name), "x");
  }
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test.each<[string, string[], string[]]>([
  ["a name", ["a.log"], ["a.log"]],
  ["a pattern", ["*.log"], ["a.log", "b.log", "odd[1].log"]],
  ["a pattern through folders", ["**/*.log"], ["a.log", "b.log", "deep/c.log", "odd[1].log"]],
  ["a choice", ["{a,b}.log"], ["a.log", "b.log"]],
  ["a name that looks like a pattern", ["odd[1].log"], ["odd[1].log"]],
  ["two patterns with a file in common", ["a*", "*.log"], ["a.log", "b.log", "odd[1].log"]],
])("%s", async (_, patterns, want) => {
  const found = await findFiles({
    patterns: patterns.map((pattern) => join(folder, pattern)),
    exclude: [],
  });
  expect(found.paths.map((path) => relative(folder, path)).toSorted()).toEqual(want);
  expect(found.unmatched).toEqual([]);
});

test("excludes by the last part, and by the whole path", async () => {
  const patterns = [join(folder, "**/*.log*")];
  const byName = await findFiles({ patterns, exclude: ["*.gz", "odd*"] });
  expect(byName.paths.map((path) => relative(folder, path)).toSorted()).toEqual([
    "a.log",
    "b.log",
    "deep/c.log",
  ]);
  const byPath = await findFiles({ patterns, exclude: [join(folder, "deep/**")] });
  expect(byPath.paths).not.toContain(join(folder, "deep/c.log"));
  expect(byPath.paths).toContain(join(folder, "a.log"));
});

test("tells which patterns match nothing; what is excluded was matched", async () => {
  const [none, excluded] = [join(folder, "none*"), join(folder, "a.log")];
  const { paths, unmatched } = await findFiles({
    patterns: [none, excluded, "/no/such/file"],
    exclude: ["a.log"],
  });
  expect(paths).toEqual([]);
  expect(unmatched).toEqual([none, "/no/such/file"]);
});

test.each([
  ["/var/log/app.log", "/var/log"],
  ["/var/log/app*.log", "/var/log"],
  ["/var/log/*/app.log", "/var/log"],
  ["/*.log", "/"],
])("the folder to watch for %s is %s", (pattern, want) => {
  expect(folderOf(pattern)).toBe(want);
});
