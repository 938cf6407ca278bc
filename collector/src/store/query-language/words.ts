/** The words of a text, as every store searches them. */
import { ACCENT, foldCodePoint, SEPARATOR } from "./fold-code-point.ts";

/**
 * Of a longer word only so many UTF-16 units count (one more where a pair would be parted): the
 * tokenizer `whitespace` of Elasticsearch parts words there. FTS5 counts them whole.
 */
export const WORD_UNITS_MAX = 255;

const NON_ASCII = /[^\0-\x7f]/;
const ASCII_SEPARATORS = /[^a-z0-9]+/g;
const LONG_ASCII_WORD = new RegExp(`([a-z0-9]{${WORD_UNITS_MAX}})[a-z0-9]+`, "g");

/**
 * The words of a text in their order, parted by single spaces: lower case, without accents; exactly
 * the tokens of FTS5's `unicode61 remove_diacritics 2`, save that long ones are cut. Empty where
 * the text has none.
 */
export function wordsOf(text: string): string {
  if (NON_ASCII.test(text)) return foldedWords(text);
  const words = text.toLowerCase().replace(ASCII_SEPARATORS, " ").trim();
  return words.length > WORD_UNITS_MAX ? words.replace(LONG_ASCII_WORD, "$1") : words;
}

/** The same as a list. */
export function wordList(text: string): readonly string[] {
  const words = wordsOf(text);
  return words === "" ? [] : words.split(" ");
}

function foldedWords(text: string): string {
  let words = "";
  /** Where in `words` the word under way began; -1 between words. */
  let start = -1;
  for (let i = 0; i < text.length; i++) {
    // A lone surrogate becomes U+FFFD in UTF-8, which parts words like the surrogates here.
    const code = text.codePointAt(i) ?? 0;
    if (code > 0xffff) i++;
    const folded = foldCodePoint(code);
    if (folded === SEPARATOR || (folded === ACCENT && start < 0)) {
      start = -1;
    } else if (folded !== ACCENT) {
      if (start < 0) {
        if (words !== "") words += " ";
        start = words.length;
      }
      if (words.length - start < WORD_UNITS_MAX) words += String.fromCodePoint(folded);
    }
  }
  return words;
}
