import { expect, test } from "vitest";
import { isTransactionId, mintUuidV7 } from "./transaction-id.ts";

test("mints UUIDv7 whose order follows the clock", () => {
  const id = mintUuidV7(0x0199_aabb_ccdd);
  expect(id).toMatch(/^0199aabb-ccdd-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(mintUuidV7(1) < mintUuidV7(2)).toBe(true);
});

test("10 000 IDs of one millisecond differ, and each is accepted", () => {
  const ids = new Set(Array.from({ length: 10_000 }, () => mintUuidV7(1)));
  expect(ids.size).toBe(10_000);
  expect([...ids].every(isTransactionId)).toBe(true);
});

test.each([
  ["A", true],
  ["order:42.a_b-c", true],
  ["x".repeat(64), true],
  ["x".repeat(65), false],
  ["", false],
  ["-leading", false],
  ["with space", false],
  ["line\nbreak", false],
  ["ünicode", false],
  [42, false],
  [["a", "b"], false],
])("accepts %j: %s", (input, want) => {
  expect(isTransactionId(input)).toBe(want);
});
