import { ClewError } from "../../errors.ts";

/** A mistake in a search text, told with the character where it lies (from 1, as people count). */
export function invalidQuery({
  text,
  what,
  at,
}: {
  readonly text: string;
  /** `a number expected` or the like: the place is said behind it. */
  readonly what: string;
  /** Where in `text`; its length is its end. */
  readonly at: number;
}): ClewError {
  const place = [...text.slice(0, at)].length + 1;
  const end = at >= text.length ? ", where the text ends" : "";
  return refusedQuery(`${what} at character ${place}${end}`);
}

/** A search text that is refused as a whole. */
export function refusedQuery(why: string): ClewError {
  return new ClewError("STORE_QUERY_INVALID", `cannot read the search text: ${why}`);
}
