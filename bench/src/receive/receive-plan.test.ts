import { expect, it } from "vitest";
import { CASES, FULL, GZIP_1000, OVERLOADED, PLAIN_1000, SHORT } from "./receive-plan.ts";

it("sends each size each way, by names of their own", () => {
  const names = CASES.map(({ name }) => name);
  expect(new Set(names).size).toBe(12);
  expect(names).toEqual(expect.arrayContaining([PLAIN_1000, GZIP_1000, OVERLOADED]));
  expect(names).toContain("gRPC, 1 log per request");
});

it("is shorter in the short plan, of the same cases, with several rounds", () => {
  expect(SHORT.cases.map(({ name }) => name)).toEqual(FULL.cases.map(({ name }) => name));
  for (const [at, { requests }] of SHORT.cases.entries()) {
    expect(requests).toBeLessThan(FULL.cases[at]?.requests ?? 0);
  }
  expect(SHORT.rounds).toBeGreaterThan(1);
  expect(FULL.rounds).toBeGreaterThan(SHORT.rounds);
});
