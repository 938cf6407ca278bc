/** What differs from one log to the next, taken out of a message before messages are compared. */

export const WILDCARD = "<*>";
/** Further words of a message do not count; an ellipsis stands for them. */
export const TOKENS_MAX = 64;
const LINE_CHARS_MAX = 2048;
const ELLIPSIS = "…";

const UUID = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/gi;
/** A word with a digit in it: a number, an id, a time, a version. */
const WORD_WITH_DIGIT = /[\p{L}\p{M}\p{N}_]*\p{N}[\p{L}\p{M}\p{N}_]*/gu;
/** What one value was, though it has parts: `10.0.0.1:80`, `2026-03-01T12:00:00.5Z`, `-1.5e-3`. */
const VALUE_OF_PARTS = /[+-]?<\*>(?:[-.:,/+]{1,3}<\*>)+/g;

/**
 * The words of a message's first line, those between blanks; in each, every part with a digit in it
 * is a wildcard. At most `TOKENS_MAX` and an ellipsis.
 */
export function maskMessage(message: string): string[] {
  const masked = firstLine(message)
    .replace(UUID, WILDCARD)
    .replace(WORD_WITH_DIGIT, WILDCARD)
    .replace(VALUE_OF_PARTS, WILDCARD);
  const tokens = masked.split(/\s+/).filter((token) => token !== "");
  return tokens.length > TOKENS_MAX ? [...tokens.slice(0, TOKENS_MAX), ELLIPSIS] : tokens;
}

function firstLine(message: string): string {
  const cut = message.slice(0, LINE_CHARS_MAX).trimStart();
  const end = cut.search(/[\r\n]/);
  return end < 0 ? cut : cut.slice(0, end);
}
