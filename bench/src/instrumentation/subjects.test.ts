import { expect, it } from "vitest";
import { rotated, SUBJECTS } from "./subjects.ts";

it("begins each round with another subject, and leaves none out", () => {
  const firsts = SUBJECTS.map((_subject, round) => rotated(SUBJECTS, round)[0]);
  expect(new Set(firsts).size).toBe(SUBJECTS.length);
  for (let round = 0; round < 7; round++) {
    expect(new Set(rotated(SUBJECTS, round))).toEqual(new Set(SUBJECTS));
  }
});
