import { expect, it } from "vitest";
import { WORD_UNITS_MAX, wordList, wordsOf } from "./words.ts";

it("gives the words of a text", () => {
  const check = (text: string, words: string) => expect(wordsOf(text), text).toBe(words);
  check("", "");
  check(" -- !? ", "");
  check("Charge card DECLINED", "charge card declined");
  check("order-42, user_id=7", "order 42 user id 7");
  check("Café crème brûlée", "cafe creme brulee");
  check("cafe\u0301", "cafe");
  check("\u0301a", "a");
  check("日本 ΟΔΟΣ", "日本 οδοσ");
  check("straße İ", "straße i");
  check("a\ud800b", "a b");
  check("𐐀 \u{1f600}", "𐐨");
  check("a\0b", "a b");
  check("x\u{10ffff}", "x\u{10ffff}");
});

it("cuts long words where Elasticsearch parts them", () => {
  const long = "a".repeat(WORD_UNITS_MAX);
  for (const text of [`${long}bc d`, `${long}b d`, `${long} d`]) {
    expect(wordsOf(text)).toBe(`${long} d`);
    expect(wordsOf(`ü ${text}`)).toBe(`u ${long} d`);
  }
  const pair = "a".repeat(WORD_UNITS_MAX - 1);
  expect(wordsOf(`${pair}𐐀bcd`)).toBe(`${pair}𐐨`);
  expect(wordsOf("é ".repeat(3))).toBe("e e e");
});

it("gives them as a list", () => {
  expect(wordList("Order 42")).toEqual(["order", "42"]);
  expect(wordList("--")).toEqual([]);
});
