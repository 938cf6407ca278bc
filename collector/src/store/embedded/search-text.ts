/**
 * The search language: words and "phrases", all of which a text must hold; case and accents do not
 * count; `word*` stands for every word that begins so.
 *
 * Everything a person types becomes quoted strings of FTS5 (sqlite.org/fts5.html §3.1), so no
 * character of theirs is ever read as an operator.
 */
import { ClewError } from "../../errors.ts";

/** Far below the 256 levels of FTS5's own limit. */
const WORDS_MAX = 64;
const TEXT_CHARS_MAX = 8192;
/** What the tokenizer unicode61 takes for part of a word. */
const WORD_CHARACTER = /[\p{L}\p{N}\p{Co}]/u;
const PIECE = /"([^"]*)"|[^\s"]+/gu;

export type SearchText =
  | { readonly matches: "everything" | "nothing" }
  | { readonly matches: "some"; readonly expression: string };

/**
 * Reads a search text. Pieces without any letter or digit cannot be searched for and are passed
 * over; a text of nothing else matches nothing.
 *
 * @throws ClewError STORE_QUERY_INVALID where a quote is not closed or the text is too long.
 */
export function parseSearchText(text: string): SearchText {
  // FTS5 reads its expression up to the first NUL; other control characters part words anyway.
  const plain = text.replaceAll(/\p{Cc}/gu, " ").trim();
  if (plain === "") return { matches: "everything" };
  if (plain.length > TEXT_CHARS_MAX)
    throw invalid(`it is longer than ${TEXT_CHARS_MAX} characters`);
  if ((plain.match(/"/g)?.length ?? 0) % 2 === 1) throw invalid("a quote is not closed");
  const pieces = [...plain.matchAll(PIECE)].filter(([piece]) => WORD_CHARACTER.test(piece));
  if (pieces.length === 0) return { matches: "nothing" };
  if (pieces.length > WORDS_MAX) throw invalid(`it has more than ${WORDS_MAX} words`);
  const expression = pieces
    .map(([piece, phrase]) => `"${phrase ?? piece}"${star(piece)}`)
    .join(" ");
  return { matches: "some", expression };
}

/** A star means a prefix only right behind a letter or digit: what stands before it is the word. */
function star(piece: string): string {
  return /[\p{L}\p{N}\p{M}\p{Co}]\*$/u.test(piece) ? "*" : "";
}

function invalid(why: string): ClewError {
  return new ClewError("STORE_QUERY_INVALID", `cannot read the search text: ${why}`);
}
