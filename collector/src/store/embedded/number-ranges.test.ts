import { expect, test } from "vitest";
import { NumberRanges } from "./number-ranges.ts";

test.each<[number[], [number, number][]]>([
  [[], []],
  [[1, 2, 3], [[1, 3]]],
  [[7], [[7, 7]]],
  [
    [1, 2, 4, 5],
    [
      [1, 2],
      [4, 5],
    ],
  ],
  [[3, 2, 1], [[1, 3]]],
  [[1, 2, 3, 1, 2, 3], [[1, 3]]],
  [[5, 6, 1, 2, 3, 4], [[1, 6]]],
  [
    [10, 2, 3, 3, 9],
    [
      [2, 3],
      [9, 10],
    ],
  ],
])("%j as ranges is %j", (numbers, want) => {
  const ranges = new NumberRanges();
  for (const number of numbers) ranges.add(number, BigInt(number));
  const found = [...ranges.take()];
  expect(found.map(({ first, last }) => [first, last])).toEqual(want);
  for (const { first, last, firstNs, lastNs } of found) {
    expect([firstNs, lastNs]).toEqual([BigInt(first), BigInt(last)]);
  }
  expect([...ranges.take()]).toEqual([]);
});
