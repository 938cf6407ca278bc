/** Words that stand before the credentials themselves (IANA "HTTP Authentication Schemes"). */
const SCHEME = new RegExp(
  "(?:bearer|basic|digest|dpop|hawk|negotiate|ntlm|oauth|token|apikey|aws4-hmac-sha256|" +
    "scram-sha-\\d+|privatetoken|vapid) +",
  "iy",
);
/** Schemes whose credentials are a list of `name=value`. */
const LIST_SCHEME = /^(?:digest|hawk|oauth|aws4|scram|vapid)/i;
const QUOTE = /(\\{0,8})(["'`])/y;
/** `util.inspect` breaks a text of several lines into pieces. */
const NEXT_PIECE = /\s*\+\s*(?=["'`])/y;
/** A comma or bracket ends a value where something else begins behind it. */
const SOFT_END = /[,)}\]|\\]{1,8}(?=[\s"'`;&]|$)|,(?=["'`]?[\w.$-]{1,64}["'`]?\s{0,2}[=:])/y;
const HARD_END = /[\s&;"'`<>]/;
const QUOTES = "\"'`";
const OPENING = "{[(";
const CLOSING = "}])";

export interface ValueRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The range of a secret value in a text, from where it begins: in quotes (also escaped ones) up to
 * their end, in brackets up to the closing one, otherwise up to what cannot belong to it; an
 * authentication scheme goes with its credentials.
 *
 * @param name a cookie is a list of pairs, which takes the rest of its line, or of the quotes that
 *   it stands in together with its name
 */
export function findValueEnd(
  text: string,
  start: number,
  name: { readonly isCookie: boolean; readonly before: string | undefined },
): ValueRange {
  QUOTE.lastIndex = start;
  const quote = QUOTE.exec(text);
  if (quote !== null) {
    const escapes = quote[1]?.length ?? 0;
    const inside = start + quote[0].length;
    return { start: inside, end: quotedEnd(text, inside, { mark: quote[2] ?? '"', escapes }) };
  }
  if (OPENING.includes(text[start] ?? " ")) return { start, end: bracketEnd(text, start) };
  SCHEME.lastIndex = start;
  const scheme = SCHEME.exec(text)?.[0];
  if (name.isCookie || (scheme !== undefined && LIST_SCHEME.test(scheme))) {
    return { start, end: lineEnd(text, start, name.before) };
  }
  return { start, end: bareEnd(text, start + (scheme?.length ?? 0)) };
}

/** The closing quote has as many backslashes before it as the opening one had. */
function quotedEnd(text: string, from: number, quote: { mark: string; escapes: number }): number {
  for (let at = text.indexOf(quote.mark, from); at !== -1; at = text.indexOf(quote.mark, at + 1)) {
    let escapes = 0;
    while (at - escapes > from && text[at - escapes - 1] === "\\") escapes++;
    if (quote.escapes > 0 ? escapes > quote.escapes : escapes % 2 === 1) continue;
    NEXT_PIECE.lastIndex = at + 1;
    if (quote.escapes > 0 || !NEXT_PIECE.test(text)) return at - quote.escapes;
    at = NEXT_PIECE.lastIndex;
  }
  return text.length;
}

function bracketEnd(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const character = text[at] ?? "";
    if (OPENING.includes(character)) depth++;
    else if (CLOSING.includes(character) && --depth === 0) return at + 1;
  }
  return text.length;
}

function lineEnd(text: string, start: number, before: string | undefined): number {
  const quote = before !== undefined && QUOTES.includes(before) ? before : undefined;
  for (let at = start; at < text.length; at++) {
    const character = text[at];
    if (character === "\n" || character === "\r" || character === quote) return at;
    if (character === "\\" && (text[at + 1] === "n" || text[at + 1] === "r")) return at;
  }
  return text.length;
}

function bareEnd(text: string, start: number): number {
  for (let at = start; at < text.length; at++) {
    if (HARD_END.test(text[at] ?? "")) return at;
    SOFT_END.lastIndex = at;
    if (SOFT_END.test(text)) return at;
  }
  return text.length;
}
