import { expect, it } from "vitest";
import { seededRandom } from "./seeded-random.ts";

it("gives the same numbers for the same seed, within their bounds", () => {
  const [one, same, other] = [seededRandom(1), seededRandom(1), seededRandom(2)];
  const numbers = Array.from({ length: 200 }, () => one.whole(10));
  expect(Array.from({ length: 200 }, () => same.whole(10))).toEqual(numbers);
  expect(Array.from({ length: 200 }, () => other.whole(10))).not.toEqual(numbers);
  expect(new Set(numbers)).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
});

it("gives hex digits and bytes of the length asked for", () => {
  const random = seededRandom(3);
  expect(random.hex(7)).toMatch(/^[0-9a-f]{7}$/);
  expect(random.bytes(5)).toHaveLength(5);
  expect(() => random.pick([])).toThrow("the list is empty");
});
