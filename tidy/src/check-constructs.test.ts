import { expect, it } from "vitest";
import { checkConstructs } from "./check-constructs.ts";
import { projectOf } from "./project.ts";

function findingsFor(path: string, text: string): readonly string[] {
  const { findings } = checkConstructs.run(projectOf({ [path]: text }));
  return findings.map(({ line, rule }) => `${line}: ${rule}`);
}

it.for<[string, string]>([
  ["let a: any;", "1: no `any`"],
  ["f();\nconst a = b as unknown as string;", "2: no `as unknown as`"],
  ["// @ts-ignore it is fine\nf();", "1: no @ts-ignore"],
  ["/* @ts-expect-error */ f();", "1: no @ts-ignore"],
  [`// ${"TO"}DO: later`, `1: no ${"TO"}DO`],
  ["const a = process.env.HOME;", "1: only config.ts reads process.env"],
  ['import { env } from "node:process";', "1: only config.ts reads process.env"],
  ["const { env } = process;", "1: only config.ts reads process.env"],
  ["enum A { b }", "1: erasable TypeScript only"],
  ["class A { constructor(private b: number) {} }", "1: erasable TypeScript only"],
  ['import { a } from "./a";', "1: a relative import carries its extension (./a)"],
  ['await import("../a.js");', "1: a relative import names the source file (../a.js)"],
])("finds %s", ([text, finding]) => {
  expect(findingsFor("a/src/x.ts", text)).toEqual([finding]);
});

it("finds what prose leaves for later", () => {
  expect(findingsFor("docs/x.md", `a\n${"FIX"}ME: b`)).toEqual([`2: no ${"FIX"}ME`]);
});

it("passes the same words where they are in place", () => {
  expect(findingsFor("a/src/config.ts", "f(process.env);")).toEqual([]);
  expect(findingsFor("a/src/x.test.ts", "f(process.env);")).toEqual([]);
  expect(findingsFor("a/src/x.ts", 'import { a } from "./a.ts"; const b = a as string;')).toEqual(
    [],
  );
  expect(findingsFor("a/src/x.ts", '// as unknown as, any\nf("any");')).toEqual([]);
  expect(findingsFor("a/bin/x.js", 'import("./x");')).toEqual([]);
});

it("reports a file that cannot be parsed by its path", () => {
  expect(() => findingsFor("a/src/x.ts", "const = ;")).toThrow("cannot parse a/src/x.ts");
});
