/** Which values count as numbers, and numbers as texts that sort as they do. */

/** Beyond so many characters a text of digits is an id and not a quantity. */
const NUMBER_CHARS_MAX = 40;
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const SIGN_BIT = 1n << 63n;
const ALL_BITS = (1n << 64n) - 1n;

/**
 * A JSON number, or a text that reads as a decimal number: whole numbers beyond 2^53 come as texts,
 * and lines of text have nothing else. As doubles; undefined for all that is none.
 */
export function findNumber(value: unknown): number | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  if (typeof value !== "string" || value.length > NUMBER_CHARS_MAX) return undefined;
  if (!DECIMAL.test(value)) return undefined;
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}

/** 16 hex digits that sort, as text, as the numbers do. */
export function sortableHex(number: number): string {
  const view = new DataView(new ArrayBuffer(8));
  // Not -0, which is equal to 0 and would sort before it.
  view.setFloat64(0, number === 0 ? 0 : number);
  const bits = view.getBigUint64(0);
  const sortable = (bits & SIGN_BIT) === 0n ? bits ^ SIGN_BIT : bits ^ ALL_BITS;
  return sortable.toString(16).padStart(16, "0");
}
