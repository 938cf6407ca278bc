const PATTERN_CHARACTERS_MAX = 200;
/** Longer details are cut first: no expression looks at more. */
const LOOKED_AT_CHARACTERS_MAX = 1024;

/** In this order: what is quoted may hold anything, and ids hold numbers. */
const DIFFERING: readonly RegExp[] = [
  /"[^"]*"|'[^']*'|`[^`]*`/g,
  /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi,
  /\b(?=[0-9a-f]*\d)[0-9a-f]{8,}\b/gi,
  /(?<![\p{L}\p{N}_])[-+]?\d+(?:[.,:]\d+)*/gu,
];

/**
 * What a refusal says, without what differs from one letter to the next: quoted values, ids and
 * numbers become `*`, so that a thousand letters with one cause are one line.
 */
export function patternOf(detail: string): string {
  let pattern = detail.slice(0, LOOKED_AT_CHARACTERS_MAX);
  for (const differing of DIFFERING) pattern = pattern.replace(differing, "*");
  const line = pattern.replace(/\s+/g, " ").trim();
  if (line.length <= PATTERN_CHARACTERS_MAX) return line;
  return `${line.slice(0, PATTERN_CHARACTERS_MAX - 1).toWellFormed()}…`;
}
