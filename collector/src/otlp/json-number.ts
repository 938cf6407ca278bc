/** The longest text that a double needs has some 1100 characters. */
export const NUMBER_CHARACTERS_MAX = 1200;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** Whether it is a number as JSON writes them (RFC 8259, section 6). */
export function isJsonNumber(text: string): boolean {
  return NUMBER.test(text);
}

/** Digits, signs, points and exponents; and letters, so that `12abc` is refused as a whole. */
export function isNumberCharacter(byte: number): boolean {
  if (byte >= 0x30 && byte <= 0x39) return true;
  if (byte === 0x2d || byte === 0x2b || byte === 0x2e) return true;
  return (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
}
