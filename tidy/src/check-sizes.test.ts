import { expect, it } from "vitest";
import { checkSizes } from "./check-sizes.ts";
import { projectOf } from "./project.ts";

function findingsFor(path: string, text: string): readonly string[] {
  const { findings } = checkSizes.run(projectOf({ [path]: text }));
  return findings.map(({ line, rule }) => `${line}: ${rule}`);
}

const lines = (count: number, text = "f();") => `${text}\n`.repeat(count);

it("counts the lines of source, tests and contracts", () => {
  expect(findingsFor("a/src/x.ts", lines(300))).toEqual([]);
  expect(findingsFor("a/src/x.ts", lines(301))).toEqual(["301: 301 lines, at most 300"]);
  expect(findingsFor("a/src/x.css", lines(301, "a {}"))).toHaveLength(1);
  expect(findingsFor("a/src/x.test.ts", lines(500))).toEqual([]);
  expect(findingsFor("a/src/x.contract.ts", lines(501))).toEqual(["501: 501 lines, at most 500"]);
});

it("counts columns as characters", () => {
  expect(findingsFor("a/src/x.ts", `// ${"é".repeat(97)}`)).toEqual([]);
  expect(findingsFor("a/src/x.ts", `f();\n// ${"é".repeat(98)}`)).toEqual([
    "2: 101 columns, at most 100",
  ]);
});

it("counts a function with its closures", () => {
  const closure = `const g = () => {\n${lines(67)}};\n`;
  expect(findingsFor("a/src/x.ts", `function f() {\n${lines(68)}}`)).toEqual([]);
  expect(findingsFor("a/src/x.ts", `function f() {\n${closure}}`)).toEqual([
    "1: a function of 71 lines, at most 70 with its closures",
  ]);
  expect(findingsFor("a/src/x.ts", `class A {\n  m() {\n${lines(70)}  }\n}`)).toEqual([
    "2: a function of 72 lines, at most 70 with its closures",
  ]);
});

it("takes a suite for a list of tests, and counts each test", () => {
  const long = `() => {\n${lines(71)}}`;
  expect(findingsFor("a/src/x.test.ts", `describe("x", ${long});`)).toEqual([]);
  expect(findingsFor("a/src/x.test.ts", `describe.each([1])("x", ${long});`)).toEqual([]);
  expect(findingsFor("a/src/x.contract.ts", `export function c() {\n${lines(71)}}`)).toEqual([]);
  expect(findingsFor("a/src/x.test.ts", `it("x", ${long});`)).toHaveLength(1);
  expect(findingsFor("a/src/x.ts", `describe("x", ${long});`)).toHaveLength(1);
});
