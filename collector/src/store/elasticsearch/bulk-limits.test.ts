import { expect, test } from "vitest";
import { BulkLimits } from "./bulk-limits.ts";

const FAST_MS = 50;
const KIBIBYTE = 1024;

function limits() {
  return new BulkLimits({
    requestBytes: { start: 1000, min: 100, max: 4000 },
    inFlight: { start: 1, max: 3 },
  });
}

async function succeed(of: BulkLimits, times: number, tookMs = FAST_MS): Promise<void> {
  for (let n = 0; n < times; n++) {
    const held = Array.from({ length: of.permits }, () => of.acquire());
    await Promise.all(held);
    of.succeeded({ bytes: of.requestBytes, tookMs });
    for (const _ of held) of.release();
  }
}

test("requests grow and become more while answers are fast, up to their bounds", async () => {
  const of = limits();
  await succeed(of, 3);
  expect(of.requestBytes).toBeGreaterThan(1500);
  expect(of.permits).toBeGreaterThan(1);
  await succeed(of, 40);
  expect(of.requestBytes).toBe(4000);
  expect(of.permits).toBe(3);
});

test("they do not grow while answers are slow, or requests are not full", async () => {
  const of = limits();
  await succeed(of, 5, 2_000);
  expect([of.requestBytes, of.permits]).toEqual([1000, 1]);
  for (let n = 0; n < 5; n++) of.succeeded({ bytes: 10, tookMs: FAST_MS });
  expect(of.requestBytes).toBe(1000);
  await succeed(of, 1, 10_000);
  expect(of.requestBytes).toBe(500);
});

test("fewer where documents wait, smaller too where a whole request does", async () => {
  const of = limits();
  await succeed(of, 40);
  of.rejected();
  expect([of.requestBytes, of.permits]).toEqual([4000, 1]);
  of.overloaded();
  expect(of.requestBytes).toBe(2000);
  for (let n = 0; n < 20; n++) of.failed();
  expect([of.requestBytes, of.permits]).toEqual([100, 1]);
});

test("what was too large once is never reached again", async () => {
  const of = limits();
  of.tooLarge(3000);
  await succeed(of, 40);
  expect(of.requestBytes).toBe(1500);
  of.tooLarge(90);
  expect(of.requestBytes).toBe(45);
  await succeed(of, 40);
  expect(of.requestBytes).toBe(45);
});

test("a request waits for its turn", async () => {
  const of = limits();
  await of.acquire();
  let isIn = false;
  const second = of.acquire().then(() => {
    isIn = true;
  });
  await Promise.resolve();
  expect(isIn).toBe(false);
  of.release();
  await second;
  expect(isIn).toBe(true);
  expect(new BulkLimits().requestBytes).toBeGreaterThan(KIBIBYTE);
});
