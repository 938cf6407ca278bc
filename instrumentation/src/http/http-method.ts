/** The methods that semantic conventions allow as a low-cardinality value. */
const KNOWN = new Set([
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "DELETE",
  "CONNECT",
  "OPTIONS",
  "TRACE",
  "PATCH",
  "QUERY",
]);

export const OTHER_METHOD = "_OTHER";

/** The method as an attribute, `_OTHER` where it is none that is known. */
export function knownMethod(method: string): string {
  return KNOWN.has(method) ? method : OTHER_METHOD;
}

/** The span's name for a method; an unknown one reads as "HTTP". */
export function methodSpanName(method: string): string {
  return KNOWN.has(method) ? method : "HTTP";
}
