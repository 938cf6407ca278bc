import { describe, expect, it } from "vitest";
import { parseSearchText } from "./search-text.ts";

describe("parseSearchText", () => {
  it("makes quoted strings of words and phrases", () => {
    const check = (text: string, expression: string) =>
      expect(parseSearchText(text), text).toEqual({ matches: "some", expression });
    check("card", '"card"');
    check("  card\tdeclined\n", '"card" "declined"');
    check('"card declined" now', '"card declined" "now"');
    check('order"card declined"now', '"order" "card declined" "now"');
    check("decl*", '"decl*"*');
    check("a -- b", '"a" "b"');
    check('-- "!!" b', '"b"');
    check("NOT a OR b", '"NOT" "a" "OR" "b"');
    check("a\u0000b", '"a" "b"');
    check('*a "b*"', '"*a" "b*"');
  });

  it("tells a text without words from no text", () => {
    for (const text of ["", " ", "\t\n", "\u0000"]) {
      expect(parseSearchText(text)).toEqual({ matches: "everything" });
    }
    for (const text of ["*", '""', "--- !!", '"  "', "(())"]) {
      expect(parseSearchText(text)).toEqual({ matches: "nothing" });
    }
  });

  it("refuses an open quote, and what is too long", () => {
    const invalid = expect.objectContaining({ code: "STORE_QUERY_INVALID" });
    for (const text of ['"', 'a"', '"a" "b', "a ".repeat(65), "a".repeat(8193)]) {
      expect(() => parseSearchText(text), text.slice(0, 9)).toThrow(invalid);
    }
  });
});
