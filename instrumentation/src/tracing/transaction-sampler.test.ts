import { describe, expect, test } from "vitest";
import { mintUuidV7 } from "../transaction/transaction-id.ts";
import { createSampler } from "./sampler.ts";
import { mintTraceId } from "./trace-ids.ts";
import { createIdSampler, hashTransactionId } from "./transaction-sampler.ts";

/** Published vectors of MurmurHash3, and ours: they must never change, in no version. */
test.each<[string, number]>([
  ["", 0x00000000],
  ["test", 0xba6bd213],
  ["Hello, world!", 0xc0363e43],
  ["The quick brown fox jumps over the lazy dog", 0x2e4ff723],
  ["a", 0x3c2569b2],
  ["order-1", 0xf5725621],
  ["0197f2a4-5b3c-7d10-8a1b-2c3d4e5f6071", 0x73bc4c3f],
])("the hash of %j", (id, want) => {
  expect(hashTransactionId(id)).toBe(want);
});

const START_MS = Date.UTC(2026, 0, 31);
const IDS: Readonly<Record<string, (index: number) => string>> = {
  "UUIDv7 of one millisecond": () => mintUuidV7(START_MS),
  "UUIDv7 of a busy minute": (index) => mintUuidV7(START_MS + index),
  "numbered orders": (index) => `order-${index}`,
  "plain numbers": (index) => String(index),
  "the trace IDs of spans without a transaction": () => mintTraceId(),
  "long ids that differ in front": (index) => `${index}${":x".repeat(25)}`,
};
const COUNT = 50_000;

describe.each(Object.entries(IDS))("%s", (_name, mint) => {
  const ids = Array.from({ length: COUNT }, (_, index) => mint(index));

  test.each([0.01, 0.1, 0.5, 0.9])("a ratio of %d keeps about that share", (ratio) => {
    const kept = ids.filter(createIdSampler(ratio)).length;
    // Six standard deviations of a fair choice.
    const spread = 6 * Math.sqrt(COUNT * ratio * (1 - ratio));
    expect(Math.abs(kept - COUNT * ratio)).toBeLessThan(spread);
  });

  test("0 keeps none, 1 all, and a smaller ratio a part of what a larger one keeps", () => {
    expect(ids.some(createIdSampler(0))).toBe(false);
    expect(ids.every(createIdSampler(1))).toBe(true);
    const some = ids.filter(createIdSampler(0.2));
    expect(some.length).toBeGreaterThan(0);
    expect(some.every(createIdSampler(0.3))).toBe(true);
  });
});

test("the transaction decides, not the trace and not the caller", () => {
  const sample = createSampler("transaction_ratio", 0.5);
  const isKept = createIdSampler(0.5);
  const ids = Array.from({ length: 200 }, (_, index) => `T-${index}`);
  for (const id of ids) {
    for (const traceFlags of [0, 1]) {
      const parent = { traceId: mintTraceId(), spanId: "b", traceFlags };
      expect(sample(mintTraceId(), parent, id)).toBe(isKept(id));
    }
    expect(sample(id, undefined, undefined)).toBe(isKept(id));
  }
  expect(new Set(ids.map(isKept)).size).toBe(2);
});
