import type { SecretNames } from "./secret-names.ts";
import { findValueEnd, type ValueRange } from "./value-end.ts";

/** Longest name that is looked for in front of a sign. */
const NAME_CHARACTERS_MAX = 64;
const NAME_CHARACTERS_MIN = 3;
const COLON = 58;
const EQUALS = 61;
/** Second words of names that are written as two: "api key: …", "card number: …". */
const SECOND_WORDS = /^(?:key|number|code)$/i;
const FIRST_WORD = /[\w-]{2,32}$/;
/** `=`, `=>`, `==`, `:`, `:=`. */
const SIGNS = "=:>";
/** Where `util.inspect` breaks a line behind a name. */
const NEXT_LINE = /\n\s{0,64}(?=\\{0,8}["'`])/y;
const COOKIE = /cookies?\W{0,4}$/i;
/** "nothing is set" is worth knowing, and a mark that is there already stays. */
const HARMLESS_VALUE = /^(?:null|undefined|true|false|\[redacted\])$/i;

/**
 * Puts the mark in the place of each value that stands behind a secret name and `=`, `:` or `=>`:
 * in headers, queries, forms, JSON, connection strings and what `util.inspect` prints. A name is
 * secret here exactly where it is one as a field's name.
 */
export function redactAssignments(text: string, names: SecretNames, mark: string): string {
  let kept = "";
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code !== COLON && code !== EQUALS) continue;
    const nameStart = findSecretName(text, { from, at }, names);
    if (nameStart === -1) continue;
    const { start, end } = findValue(text, { nameStart, at });
    if (end <= start || HARMLESS_VALUE.test(text.slice(start, end))) continue;
    kept += text.slice(from, start) + mark;
    from = end;
    at = end - 1;
  }
  return from === 0 ? text : kept + text.slice(from);
}

/** Where the secret name in front of a sign begins, or -1; quotes and spaces may be between. */
function findSecretName(
  text: string,
  within: { readonly from: number; readonly at: number },
  names: SecretNames,
): number {
  let end = within.at;
  while (end > within.from && within.at - end < 4 && isPadding(text.charCodeAt(end - 1))) end--;
  let start = end;
  const earliest = Math.max(within.from, end - NAME_CHARACTERS_MAX);
  while (start > earliest && isNameCharacter(text.charCodeAt(start - 1))) start--;
  if (end - start < NAME_CHARACTERS_MIN) return -1;
  const name = text.slice(start, end);
  if (names.has(name)) return start;
  if (!SECOND_WORDS.test(name) || text[start - 1] !== " ") return -1;
  const word = FIRST_WORD.exec(text.slice(Math.max(within.from, start - 33), start - 1));
  return word !== null && names.has(`${word[0]} ${name}`) ? start : -1;
}

/** Where the value behind a sign starts and ends, without its quotes. */
function findValue(
  text: string,
  { nameStart, at }: { readonly nameStart: number; readonly at: number },
): ValueRange {
  let start = at;
  while (SIGNS.includes(text[start] ?? " ")) start++;
  while (text[start] === " " || text[start] === "\t") start++;
  NEXT_LINE.lastIndex = start;
  if (NEXT_LINE.test(text)) start = NEXT_LINE.lastIndex;
  const isCookie = COOKIE.test(text.slice(nameStart, at));
  return findValueEnd(text, start, { isCookie, before: text[nameStart - 1] });
}

/** Space, tab, quotes, backslash and closing bracket: `"name" :`, `\"name\":`, `['name'] =`. */
function isPadding(code: number): boolean {
  return (
    code === 32 ||
    code === 9 ||
    code === 34 ||
    code === 39 ||
    code === 96 ||
    code === 92 ||
    code === 93
  );
}

/** Letters, digits, `_`, `-`, `.`, `$` and whatever is not ASCII. */
function isNameCharacter(code: number): boolean {
  return (
    (code >= 97 && code <= 122) ||
    (code >= 65 && code <= 90) ||
    (code >= 48 && code <= 57) ||
    code === 95 ||
    code === 45 ||
    code === 46 ||
    code === 36 ||
    code > 127
  );
}
