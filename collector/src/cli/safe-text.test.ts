import { expect, test } from "vitest";
import { safeLine, safeText, wrap } from "./safe-text.ts";

test.each([
  ["plain text, größe, 値, 🧵", "plain text, größe, 値, 🧵"],
  ["\u001b[31mred\u001b[0m", "\\x1b[31mred\\x1b[0m"],
  ["\u001b]0;title\u0007", "\\x1b]0;title\\x07"],
  ["\u009b31m", "\\x9b31m"],
  ["over\rwrite", "over\\x0dwrite"],
  ["two\r\nlines", "two\nlines"],
  ["a\tb\nc", "a\tb\nc"],
  ["back\b\b", "back\\x08\\x08"],
  ["\u202eesrever", "\\u202eesrever"],
  ["zero\u200bwidth\u2066\ufeff", "zero\u200bwidth\\u2066\\ufeff"],
  ["half \ud83d", "half \ufffd"],
])("shows %j", (text, want) => {
  expect(safeText(text)).toBe(want);
});

test("a line stays one line", () => {
  expect(safeLine("a\nb\tc\u2028d")).toBe("a\\nb c\\u2028d");
});

test.each<[string, number, string[]]>([
  ["", 10, [""]],
  ["short", 10, ["short"]],
  ["one two three", 8, ["one two", "three"]],
  ["abcdefghijkl", 5, ["abcde", "fghij", "kl"]],
  ["🧵🧵🧵", 2, ["🧵🧵", "🧵"]],
  ["a\nb", 10, ["a", "b"]],
])("wraps %j at %i", (text, width, want) => {
  expect(wrap(text, width)).toEqual(want);
});
