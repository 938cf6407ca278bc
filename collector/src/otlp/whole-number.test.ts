import { describe, expect, it } from "vitest";
import { WholeNumber, wholeRange } from "./whole-number.ts";

const INT64 = wholeRange(-(2n ** 63n), 2n ** 63n - 1n);
const UINT64 = wholeRange(0n, 2n ** 64n - 1n);
const INT32 = wholeRange(-(2n ** 31n), 2n ** 31n - 1n);
const UINT32 = wholeRange(0n, 2n ** 32n - 1n);

/** On both sides of each place where a half, or its digits, carry over. */
const NUMBERS = [0n, 1n, 9n, 10n, 999_999_999n, 10n ** 9n, 10n ** 15n, 10n ** 18n]
  .concat([31n, 32n, 47n, 48n, 53n, 63n].flatMap((bits) => [2n ** bits - 1n, 2n ** bits]))
  .concat([2n ** 64n - 1n, 1_544_712_660_300_000_001n, 12_345_678_901_234_567_890n]);

describe("a whole number", () => {
  it.each(NUMBERS)("%d is read as BigInt reads it, with either sign", (number) => {
    for (const value of [number, -number]) {
      const bits = BigInt.asUintN(64, value);
      expect(read(String(value))).toEqual(bits);
      const set = new WholeNumber();
      set.set(value);
      expect(bitsOf(set)).toBe(bits);
    }
  });

  it.each<[string, bigint | undefined]>([
    ["00000000000000000005", 5n],
    ["-0", 0n],
    ["12abc", 12n],
    ["", undefined],
    ["-", undefined],
    ["--1", undefined],
    ["+1", undefined],
    [" 1", undefined],
    ["100000000000000000000", undefined],
  ])("of %j, the digits are %s", (text, want) => {
    expect(read(text)).toBe(want);
  });

  it.each([INT64, UINT64, INT32, UINT32])("is within $min and $max, and not beyond", (range) => {
    for (const inside of [range.min, range.max, 0n]) expect(isWithin(inside, range)).toBe(true);
    for (const beyond of [range.min - 1n, range.max + 1n]) {
      expect(isWithin(beyond, range)).toBe(false);
    }
    expect(isWithin(99_999_999_999_999_999_999n, range)).toBe(false);
    expect(isWithin(-99_999_999_999_999_999_999n, range)).toBe(false);
  });

  it("ends at its last digit", () => {
    expect(new WholeNumber().read(Buffer.from('x"-120"'), 2)).toBe(6);
  });
});

function read(text: string): bigint | undefined {
  const number = new WholeNumber();
  return number.read(Buffer.from(text), 0) < 0 ? undefined : bitsOf(number);
}

function isWithin(value: bigint, range: ReturnType<typeof wholeRange>): boolean {
  const number = new WholeNumber();
  const text = Buffer.from(String(value));
  expect(number.read(text, 0)).toBe(text.length);
  return number.isWithin(range);
}

function bitsOf({ highBits, lowBits }: WholeNumber): bigint {
  return (BigInt(highBits >>> 0) << 32n) | BigInt(lowBits >>> 0);
}
