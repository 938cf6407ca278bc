import { expect, test } from "vitest";
import type { Attributes } from "../../../src/record.ts";
import { flatValues } from "./flat-values.ts";

test.each<[values: Attributes, want: [string, string][]]>([
  [{}, []],
  [{ a: {} }, [["a", "{}"]]],
  [
    { a: null, b: false, c: 0 },
    [
      ["a", "null"],
      ["b", "false"],
      ["c", "0"],
    ],
  ],
  [
    { b: "x", a: "line\nline" },
    [
      ["a", "line\nline"],
      ["b", "x"],
    ],
  ],
  [
    { error: { stack: "at a\nat b", code: 51 } },
    [
      ["error.code", "51"],
      ["error.stack", "at a\nat b"],
    ],
  ],
  [{ list: [1, "a"] }, [["list", '[\n  1,\n  "a"\n]']]],
])("flatValues %#", (values, want) => expect(flatValues(values)).toEqual(want));

test("a value nested without end neither overflows nor is lost", () => {
  let deep: Attributes = { end: "here" };
  for (let i = 0; i < 500; i++) deep = { a: deep };
  const [line] = flatValues(deep);
  expect(line?.[0]).toBe(Array(9).fill("a").join("."));
  expect(line?.[1]).toContain('"here"');
});
