import { expect, test } from "vitest";
import type { Attributes } from "../../record.ts";
import { sortableHex } from "../query-language/number-values.ts";
import { INDEXED_CHARACTERS_MAX, indexAttributes, PATH_BYTES_MAX } from "./document-attributes.ts";

const LUCENE_TERM_BYTES_MAX = 32_766;

test("ordinary attributes are indexed as they are", () => {
  const attributes = { a: "x", b: { c: [true, null] }, "d.e": {}, "": "empty", __proto__x: [] };
  const found = indexAttributes(attributes);
  expect(found.indexed).toBe(attributes);
  expect([found.numbers.size, found.unindexed]).toEqual([0, []]);
});

test.each<[string, Attributes, string[]]>([
  ["with NUL", { "a\0": "x", b: "y" }, ["b"]],
  ["with NUL within", { a: { "b\0": 1 }, b: "y" }, ["b"]],
  ["with NUL within a list", { a: [[{ "b\0": 1 }]], b: "y" }, ["b"]],
  ["that is too long", { ["n".repeat(PATH_BYTES_MAX + 1)]: 1, b: "y" }, ["b"]],
  ["that is too long in bytes", { ["ä".repeat(PATH_BYTES_MAX / 2 + 1)]: 1, b: "y" }, ["b"]],
  ["whose path is too long", { a: { ["n".repeat(PATH_BYTES_MAX - 1)]: 1 }, b: "y" }, ["b"]],
])("a name %s leaves its attribute out, and a mark", (_, attributes, kept) => {
  const found = indexAttributes(attributes);
  expect(Object.keys(found.indexed)).toEqual(kept);
  expect(found.unindexed).toEqual(["*"]);
});

test("the longest path with the longest value is a term that Lucene takes", () => {
  const value = "中".repeat(INDEXED_CHARACTERS_MAX);
  expect(PATH_BYTES_MAX + 1 + Buffer.byteLength(value)).toBeLessThanOrEqual(LUCENE_TERM_BYTES_MAX);
  expect(indexAttributes({ a: { b: [value] } }).unindexed).toEqual([]);
  expect(indexAttributes({ a: { b: [`${value}x`] } }).unindexed).toEqual(["a.b"]);
});

test("numbers come under their paths, those of lists and texts too", () => {
  const { numbers } = indexAttributes({ a: 1, "b.c": "2", b: { c: [3, "x", [4]] }, d: "NaN" });
  expect(Object.fromEntries(numbers)).toEqual({
    a: [sortableHex(1)],
    "b.c": [2, 3, 4].map(sortableHex),
  });
});
