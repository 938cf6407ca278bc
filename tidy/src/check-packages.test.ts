import { expect, it } from "vitest";
import { checkPackages, packageOf } from "./check-packages.ts";
import { projectOf } from "./project.ts";

const check = checkPackages({ source: { hono: "a/src/query" }, tests: { pino: ["a/test"] } });
const GOOD = {
  "a/src/query/app.ts": 'import { Hono } from "hono";',
  "a/test/x.test.ts": 'import { it } from "vitest"; import { pino } from "pino";',
};

function rulesFor(texts: Readonly<Record<string, string>>): readonly string[] {
  return check.run(projectOf(texts)).findings.map(({ path, rule }) => `${path}: ${rule}`);
}

it("passes each package in its folder, our own packages and the framework's types", () => {
  const more = {
    "a/src/b.ts": 'import type { Context } from "hono"; import { x } from "@clew/names";',
    "a/src/c.ts": 'import { trace } from "@opentelemetry/api"; import "node:fs"; import "./b.ts";',
    "a/vite.config.ts": 'import react from "@vitejs/plugin-react";',
  };
  expect(rulesFor({ ...GOOD, ...more })).toEqual([]);
});

it.for<[string, string, string]>([
  ["a/src/b.ts", 'import { Hono } from "hono";', "hono"],
  ["a/src/b.ts", 'await import("hono/tiny");', "hono"],
  ["a/src/b.ts", 'import { pino } from "pino";', "pino"],
  ["a/src/b.ts", 'import x from "@scope/new/deep";', "@scope/new"],
])("finds in %s: %s", ([path, text, name]) => {
  const rule = `the package ${name} is imported in one folder`;
  expect(rulesFor({ ...GOOD, [path]: text })).toEqual([`${path}: ${rule}`]);
});

it("finds entries that nothing uses", () => {
  expect(rulesFor({ "a/src/x.ts": "" })).toEqual([
    "tidy/src/package-folders.ts: hono is not imported in a/src/query",
    "tidy/src/package-folders.ts: pino is not imported in a/test",
  ]);
});

it("knows a package by its specifier", () => {
  expect(packageOf("hono/tiny")).toBe("hono");
  expect(packageOf("@scope/name/deep/er")).toBe("@scope/name");
});
