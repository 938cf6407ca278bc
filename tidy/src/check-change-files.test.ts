import { expect, it } from "vitest";
import { checkChangeFiles } from "./check-change-files.ts";
import { projectOf } from "./project.ts";

const run = (texts: Readonly<Record<string, string>>) => checkChangeFiles.run(projectOf(texts));

it.for([
  "changelog.d/Main.feature.md",
  "changelog.d/main.md",
  "changelog.d/main.change.md",
  "changelog.d/deep/main.fix.md",
])("finds %s", (path) => {
  expect(run({ [path]: "It works now." }).findings).toHaveLength(1);
});

it("finds one that says nothing", () => {
  const { findings } = run({ "changelog.d/a.fix.md": "\n" });
  expect(findings.map(({ rule }) => rule)).toEqual(["a change file says something"]);
});

it("passes the three kinds", () => {
  const text = "It works now.";
  const good = {
    "changelog.d/a-b.feature.md": text,
    "changelog.d/a.fix.md": text,
    "changelog.d/a.breaking.md": text,
  };
  expect(run(good)).toEqual({ findings: [], examined: 3 });
});
