const ID_CHARS_SHOWN = 26;
const ID_START_CHARS = 8;
const ID_END_CHARS = 12;

/** An ID where there is little room. UUIDs of one minute begin alike, so the end is shown too. */
export function shortId(id: string): string {
  if (id.length <= ID_CHARS_SHOWN) return id;
  return `${id.slice(0, ID_START_CHARS)}…${id.slice(-ID_END_CHARS)}`;
}
