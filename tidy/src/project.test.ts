import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { formatFinding, projectOf, readProject, SourceFile } from "./project.ts";

it("reads what git knows or would add, not what it ignores or what is deleted", () => {
  const root = mkdtempSync(join(tmpdir(), "tidy-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  execFileSync("git", ["init", "-q", root]);
  mkdirSync(join(root, "src"));
  for (const path of ["added.ts", "gone.ts", "src/ünknown.ts", "ignored.ts", "picture.png"]) {
    writeFileSync(join(root, path), "");
  }
  writeFileSync(join(root, ".gitignore"), "ignored.ts\n");
  execFileSync("git", ["add", "added.ts", "gone.ts"], { cwd: root });
  rmSync(join(root, "gone.ts"));
  expect(
    readProject(root)
      .files.map((file) => file.path)
      .toSorted(),
  ).toEqual(["added.ts", "src/ünknown.ts"]);
});

it("tells source, tests and tool configuration apart", () => {
  const project = projectOf({
    "a/src/x.ts": "",
    "a/src/x.test.ts": "",
    "a/src/x.contract.ts": "",
    "a/test/fixtures.ts": "",
    "vite.config.ts": "",
    "a/readme.md": "",
  });
  expect(project.source.map((file) => file.path)).toEqual(["a/src/x.ts"]);
  expect(project.tests).toHaveLength(3);
  expect(project.code).toHaveLength(5);
});

it("knows lines and names", () => {
  const file = new SourceFile("a/src/kafka-bus.contract.ts", "a\nbc\nd\n");
  expect([file.folder, file.fileName, file.baseName]).toEqual([
    "a/src",
    "kafka-bus.contract.ts",
    "kafka-bus",
  ]);
  expect(file.lines).toEqual(["a", "bc", "d"]);
  expect([0, 1, 2, 4, 5].map((offset) => file.lineAt(offset))).toEqual([1, 1, 2, 2, 3]);
});

it("formats a finding as path, line, rule and what to do", () => {
  const finding = { path: "a.ts", line: 3, rule: "no `any`", instead: "give the type" };
  expect(formatFinding(finding)).toBe("a.ts:3: no `any`; give the type");
});
