import { expect, test } from "vitest";
import { type SpanSample, sampleSpan } from "../../../test/span-samples.ts";
import { deriveHops } from "../derive-hops.ts";
import { findFirstFailure } from "./first-failure.ts";

const SERVER = { service: "orders", kind: "server", id: "s1", at: 0, ms: 90 };
const PAY = { service: "orders", kind: "client", id: "c1", parent: "s1", at: 10, ms: 30 };
const CHARGE = { service: "payments", kind: "server", id: "s2", parent: "c1", at: 20, ms: 10 };
const STOCK = { service: "orders", kind: "client", id: "c2", parent: "s1", at: 50, ms: 30 };
const FAILED = { status: "error" };

test.each<[string, SpanSample[], string | null]>([
  ["none where nothing failed", [SERVER, PAY, CHARGE], null],
  [
    "the innermost of failures that follow from each other",
    [
      { ...SERVER, ...FAILED },
      { ...PAY, ...FAILED },
      { ...CHARGE, ...FAILED },
    ],
    "payments",
  ],
  [
    "the earliest of those",
    [{ ...SERVER, ...FAILED }, { ...PAY, ...FAILED }, CHARGE, { ...STOCK, ...FAILED }],
    "payments",
  ],
  [
    "a later one where the first went well",
    [{ ...SERVER, ...FAILED }, PAY, CHARGE, { ...STOCK, ...FAILED }],
    null,
  ],
])("%s", (_, samples, to) => {
  const { hops } = deriveHops(samples.map(sampleSpan));
  const found = hops.find(({ id }) => id === findFirstFailure(hops));
  expect(found?.to ?? null).toBe(to);
});
