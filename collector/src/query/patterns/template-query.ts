import { wordList } from "../../store/query-language/words.ts";
import { WILDCARD } from "./mask-message.ts";

/** Of a template so many runs of words are asked for, and no more characters than that. */
export const PHRASES_MAX = 8;
const QUERY_CHARS_MAX = 2048;
/** Characters at an end that a wildcard beside it continues to the same word. */
const START_OF_WORD = /^[\p{L}\p{N}\p{M}\p{Co}]+/u;
const END_OF_WORD = /[\p{L}\p{N}\p{M}\p{Co}]+$/u;

/**
 * A search text that finds at least all messages of the template: the words between its wildcards.
 * Empty where it has none.
 */
export function templateQuery(tokens: readonly string[]): string {
  const runs = tokens.join(" ").split(WILDCARD);
  const phrases: string[] = [];
  let length = 0;
  for (const [i, run] of runs.entries()) {
    const begun = i === 0 ? run : run.replace(START_OF_WORD, "");
    const words = wordList(i === runs.length - 1 ? begun : begun.replace(END_OF_WORD, ""));
    if (words.length === 0) continue;
    const phrase = `"${words.join(" ")}"`;
    length += phrase.length + 1;
    if (phrases.length === PHRASES_MAX || length > QUERY_CHARS_MAX) break;
    phrases.push(phrase);
  }
  return phrases.join(" ");
}
