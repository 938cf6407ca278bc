import { expect, test } from "vitest";
import { withEnding } from "./build-library.ts";

test.each([
  ['import { a } from "./a.ts";', 'import { a } from "./a.cjs";'],
  ["export * from '../b/c.ts';", "export * from '../b/c.cjs';"],
  ['let x: import("./d.ts").D;', 'let x: import("./d.cjs").D;'],
  ['import type { E } from "@scope/e.ts";', 'import type { E } from "@scope/e.ts";'],
  ['const text = "a.ts";', 'const text = "a.ts";'],
])("declarations as CommonJS: %s", (declarations, want) => {
  expect(withEnding(declarations, "cjs")).toBe(want);
});
