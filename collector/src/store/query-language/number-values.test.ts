import { expect, it } from "vitest";
import { SeededRandom } from "../../../test/seeded-random.ts";
import { findNumber, sortableHex } from "./number-values.ts";

it("writes numbers that sort as text as they do as numbers", () => {
  const random = new SeededRandom(3);
  const bytes = new DataView(new ArrayBuffer(8));
  const anyDouble = () => {
    bytes.setUint32(0, random.below(2 ** 32));
    bytes.setUint32(4, random.below(2 ** 32));
    return bytes.getFloat64(0);
  };
  const numbers = Array.from({ length: 5000 }, anyDouble).filter(Number.isFinite);
  numbers.push(0, -0, 1, -1, 0.1, 5e-324, -5e-324, Number.MAX_VALUE, -Number.MAX_VALUE, 2 ** 53);
  const byText = numbers.toSorted((a, b) => (sortableHex(a) < sortableHex(b) ? -1 : 1));
  for (const [i, number] of byText.entries()) {
    expect(number).toBeGreaterThanOrEqual(byText[i - 1] ?? Number.NEGATIVE_INFINITY);
    expect(sortableHex(number)).toMatch(/^[0-9a-f]{16}$/);
  }
  expect(sortableHex(-0)).toBe(sortableHex(0));
});

it("knows what reads as a number", () => {
  expect(["1", "-1.5", ".5", "5.", "1e3", "+2E-2", 7, -0.5].map(findNumber)).toEqual([
    ...[1, -1.5, 0.5, 5, 1000, 0.02, 7, -0.5],
  ]);
  const none = [
    "",
    ".",
    "-",
    "1e",
    "1 ",
    "0x1",
    "1e400",
    "NaN",
    "1".repeat(41),
    null,
    true,
    [],
    {},
  ];
  for (const value of [...none, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(findNumber(value), String(value)).toBeUndefined();
  }
});
