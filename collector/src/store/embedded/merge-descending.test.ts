import { expect, test } from "vitest";
import { mergeDescending } from "./merge-descending.ts";

const numbers = (a: number, b: number) => a - b;

test.each<[number[][], number[]]>([
  [[], []],
  [[[], []], []],
  [[[3, 1]], [3, 1]],
  [
    [[5, 1], [4, 4, 0], [9]],
    [9, 5, 4, 4, 1, 0],
  ],
])("%j in order is %j", (lists, want) => {
  const sources = lists.map((list) => generate(list));
  expect([...mergeDescending(sources, numbers)]).toEqual(want);
});

test("whoever stops early ends the sources as well", () => {
  let ended = 0;
  const sources = [[9, 8], [7]].map((list) => generate(list, () => ended++));
  for (const number of mergeDescending(sources, numbers)) if (number === 9) break;
  expect(ended).toBe(2);
});

function* generate(list: readonly number[], onEnd = () => 0): Generator<number> {
  try {
    yield* list;
  } finally {
    onEnd();
  }
}
