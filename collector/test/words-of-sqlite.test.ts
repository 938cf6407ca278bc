/** The words of `wordsOf` are those of the real FTS5, for every code point and random texts. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { WORD_UNITS_MAX, wordsOf } from "../src/store/query-language/words.ts";
import { SeededRandom } from "./seeded-random.ts";
import { textsOfCharacters, tokensOfSqlite, wordTablesOfSqlite } from "./word-tables-of-sqlite.ts";

const TABLES = new URL("../src/store/query-language/word-tables.ts", import.meta.url);
const SEED = 20_260_301;

it("takes every code point as FTS5 does, from the tables of this SQLite", () => {
  const texts = textsOfCharacters();
  const tokens = tokensOfSqlite(texts);
  expect(readFileSync(TABLES, "utf8")).toBe(wordTablesOfSqlite(tokens));
  const differing = [...texts].filter(([code, text]) => {
    return wordsOf(text) !== tokens.get(code)?.join(" ");
  });
  expect(texts.size).toBeGreaterThan(1_000_000);
  expect(differing).toEqual([]);
}, 60_000);

it("takes random texts as FTS5 does", () => {
  const random = new SeededRandom(SEED);
  const texts = new Map(Array.from({ length: 20_000 }, (_, i) => [i, randomText(random)]));
  const tokens = tokensOfSqlite(texts);
  for (const [key, text] of texts) {
    const cut = (tokens.get(key) ?? []).map((token) => token.slice(0, WORD_UNITS_MAX));
    expect(wordsOf(text), JSON.stringify(text)).toBe(cut.join(" "));
  }
}, 60_000);

const ALPHABETS = [
  () => "abcXYZ019",
  () => " \t\n.,-_:\"'()\0\x7f",
  () => "äÖßéİıſΩς\u0300\u0301\u0305\u0345\u0328ﬁ№²",
  () => "日本語カタカナ한국어ไทยहिन्दी",
  () => "😀𝔘𐐀𐐨\u{10ffff}\ud800\udc00\ufffd\ufeff\u200b",
];

function randomText(random: SeededRandom): string {
  let text = "";
  for (let left = random.below(24); left > 0; left--) {
    const characters = [...(ALPHABETS[random.below(ALPHABETS.length)]?.() ?? "")];
    text +=
      random.below(8) === 0 ? anyCharacter(random) : characters[random.below(characters.length)];
  }
  return text;
}

function anyCharacter(random: SeededRandom): string {
  return String.fromCodePoint(
    random.below(4) === 0 ? random.below(0x110000) : random.below(0x3000),
  );
}
