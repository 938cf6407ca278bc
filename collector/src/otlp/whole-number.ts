const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
/** 2^64 has as many. */
const DIGITS_MAX = 20;
const LOWER_DIGITS = 9;
const LOWER_FACTOR = 1e9;
const HALF_WORD = 0x1_0000;

/** From which number to which, both included: also as halves of 32 bits without the sign. */
export interface WholeRange {
  readonly min: bigint;
  readonly max: bigint;
  readonly minHigh: number;
  readonly minLow: number;
  readonly maxHigh: number;
  readonly maxLow: number;
}

/**
 * A whole number as sign and two halves of 32 bits: exact as a BigInt is, without a new object for
 * each step. It is read and written again and again.
 */
export class WholeNumber {
  isNegative = false;
  /** Without the sign; beyond 2^32 - 1 where the number takes more than 64 bits. */
  private high = 0;
  private low = 0;

  /**
   * Reads a sign and up to 20 digits from `start`; leading zeros may stand. Answers where the
   * digits end, or -1 where there are none or more than 20.
   */
  read(text: Uint8Array, start: number): number {
    const { length } = text;
    this.isNegative = start < length && text[start] === MINUS;
    const first = this.isNegative ? start + 1 : start;
    let end = first;
    while (end < length && isDigit(text[end] as number)) end++;
    if (end === first || end - first > DIGITS_MAX) return -1;
    const middle = Math.max(first, end - LOWER_DIGITS);
    let upper = 0;
    for (let at = first; at < middle; at++) upper = upper * 10 + (text[at] as number) - ZERO;
    let lower = 0;
    for (let at = middle; at < end; at++) lower = lower * 10 + (text[at] as number) - ZERO;
    this.combine(upper, lower);
    return end;
  }

  set(value: bigint): void {
    this.isNegative = value < 0n;
    const size = value < 0n ? -value : value;
    this.high = Number(size >> 32n);
    this.low = Number(size & 0xffff_ffffn);
  }

  isWithin({ minHigh, minLow, maxHigh, maxLow }: WholeRange): boolean {
    const { high, low } = this;
    if (this.isNegative) return high < minHigh || (high === minHigh && low <= minLow);
    return high < maxHigh || (high === maxHigh && low <= maxLow);
  }

  /** The lower 32 bits of the number in two's complement. */
  get lowBits(): number {
    return this.isNegative ? -this.low | 0 : this.low | 0;
  }

  /** The upper 32 of 64 bits in two's complement. */
  get highBits(): number {
    if (!this.isNegative) return this.high | 0;
    return (~this.high + (this.low === 0 ? 1 : 0)) | 0;
  }

  /** Sets `upper * 10^9 + lower`; each step stays below 2^53, where doubles are exact. */
  private combine(upper: number, lower: number): void {
    if (upper === 0) {
      this.high = 0;
      this.low = lower;
      return;
    }
    const upperTop = Math.floor(upper / HALF_WORD);
    const bottom = (upper - upperTop * HALF_WORD) * LOWER_FACTOR + lower;
    const bottomTop = Math.floor(bottom / HALF_WORD);
    const top = upperTop * LOWER_FACTOR + bottomTop;
    this.high = Math.floor(top / HALF_WORD);
    this.low = (top - this.high * HALF_WORD) * HALF_WORD + (bottom - bottomTop * HALF_WORD);
  }
}

export function wholeRange(min: bigint, max: bigint): WholeRange {
  const low = (size: bigint) => Number(size & 0xffff_ffffn);
  const high = (size: bigint) => Number(size >> 32n);
  const sizes = { minHigh: high(-min), minLow: low(-min), maxHigh: high(max), maxLow: low(max) };
  return { min, max, ...sizes };
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}
