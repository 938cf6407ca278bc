import { expect, test } from "vitest";
import { RefusalClock } from "./refusal-clock.ts";

const HOUR_NS = 3_600_000_000_000n;

test("is the machine's, where nothing was replayed", () => {
  const clock = new RefusalClock(() => 100n);
  clock.hear(undefined);
  expect(clock.now()).toBe(100n);
});

test("is later than every replay it heard of, though that machine's clock is ahead", () => {
  let nowNs = 100n;
  const clock = new RefusalClock(() => nowNs);
  clock.hear(150n);
  clock.hear(120n);
  expect(clock.now()).toBe(151n);
  nowNs = 150n;
  expect(clock.now()).toBe(151n);
  nowNs = 200n;
  expect(clock.now()).toBe(200n);
});

test("does not follow a clock that is wrong by hours", () => {
  const clock = new RefusalClock(() => 100n);
  clock.hear(100n + HOUR_NS + 1n);
  expect(clock.now()).toBe(100n);
  clock.hear(100n + HOUR_NS);
  expect(clock.now()).toBe(101n + HOUR_NS);
});
