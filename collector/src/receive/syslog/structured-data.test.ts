import { expect, test } from "vitest";
import { findStructuredData } from "./structured-data.ts";

test.each<[string, readonly string[], number]>([
  ["-", [], 1],
  ["- text", [], 1],
  ["[a]", [], 3],
  ['[a b="c"]', ["a.b=c"], 9],
  ['[a b="c"][d e="f"] x', ["a.b=c", "d.e=f"], 18],
  ['[a b=""]', ["a.b="], 8],
  ['[a b="1" b="2"]', ["a.b=1", "a.b=2"], 15],
  [String.raw`[a b="\"\\\]"]`, [String.raw`a.b="\]`], 14],
  [String.raw`[a b="\n\x"]`, [String.raw`a.b=\n\x`], 12],
  ['[a b="]"]', ["a.b=]"], 9],
  ['[a b="é\u0000"]', ["a.b=é\u0000"], 10],
  ['[a@32473 b.c:d="1"]', ["a@32473.b.c:d=1"], 19],
])("reads %j", (text, want, end) => {
  const found = findStructuredData(text, 0);
  expect(found?.params.map(({ id, name, value }) => `${id}.${name}=${value}`)).toEqual(want);
  expect(found?.end).toBe(end);
});

test.each([
  "",
  "x",
  "[",
  "[]",
  "[ a]",
  "[a",
  "[a b]",
  "[a b=]",
  "[a b=c]",
  '[a b="c]',
  String.raw`[a b="c\"]`,
  '[a  b="c"]',
  '[a b ="c"]',
  '[a b="c" ]',
  '[a b="c"]x[',
  '[é b="c"]',
  `[${"a".repeat(129)}]`,
  `[a${' b="c"'.repeat(513)}]`,
])("%j is none, or ends where it does", (text) => {
  const found = findStructuredData(text, 0);
  expect(found === undefined || text.slice(found.end) === "x[").toBe(true);
});
