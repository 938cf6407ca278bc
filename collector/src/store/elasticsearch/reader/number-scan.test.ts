import { expect, test } from "vitest";
import { isWhole } from "./number-scan.ts";

test("knows a stretch that holds each of its numbers once", () => {
  const check = (numbers: readonly number[], want: boolean) => {
    const stretch = { first: Math.min(...numbers), last: Math.max(...numbers) };
    const sum = numbers.reduce((total, number) => total + number, 0);
    const squares = numbers.reduce((total, number) => total + number ** 2, 0);
    const totals = { sum, sum_of_squares: squares };
    expect(isWhole({ ...stretch, records: numbers.length }, totals), numbers.join()).toBe(want);
  };
  check([1], true);
  check([1, 2, 3, 4], true);
  check([7, 8, 9], true);
  check([1, 2, 4], false);
  // As many records as numbers, and yet one number is missing.
  check([1, 2, 2, 4], false);
  check([1, 3, 3, 4], false);
  check([1, 2, 2, 3], false);
  // And the sum of all the same.
  check([1, 1, 4, 4], false);
  check([100, 101, 101, 104, 104, 105], false);
});

test("never takes a sum for exact that no double holds", () => {
  const first = 2 ** 52;
  const last = first + 3;
  const totals = { sum: 4 * first + 6, sum_of_squares: 4 * first ** 2 };
  expect(isWhole({ first, last, records: 4 }, totals)).toBe(false);
});

test("allows for the rounding of large squares, and for no more", () => {
  const [first, records] = [90_000_000, 16_384];
  const last = first + records - 1;
  const sum = ((first + last) / 2) * records;
  let squares = 0n;
  for (let number = BigInt(first); number <= BigInt(last); number++) squares += number ** 2n;
  const check = (more: number, want: boolean) => {
    const totals = { sum, sum_of_squares: Number(squares) + more };
    expect(isWhole({ first, last, records }, totals)).toBe(want);
  };
  check(0, true);
  check(2 ** 14, true);
  check(-(2 ** 30), false);
});
