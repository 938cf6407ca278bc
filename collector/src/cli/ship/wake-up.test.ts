import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { WakeUp } from "./wake-up.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const never = new AbortController().signal;

test("waits for the time at most", async () => {
  const woken = vi.fn();
  const waiting = new WakeUp().wait(1000, never).then(woken);
  await vi.advanceTimersByTimeAsync(999);
  expect(woken).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  await waiting;
  expect(woken).toHaveBeenCalledOnce();
});

test("a call ends the wait, and one before it too, each once", async () => {
  const wakeUp = new WakeUp();
  const first = wakeUp.wait(1000, never);
  wakeUp.call();
  await first;
  wakeUp.call();
  await wakeUp.wait(1000, never);
  const third = wakeUp.wait(1000, never);
  expect(vi.getTimerCount()).toBe(1);
  await vi.advanceTimersByTimeAsync(1000);
  await third;
  expect(vi.getTimerCount()).toBe(0);
});

test("the signal ends it", async () => {
  const ending = new AbortController();
  const waiting = new WakeUp().wait(1000, ending.signal);
  ending.abort();
  await waiting;
  await new WakeUp().wait(1000, ending.signal);
  expect(vi.getTimerCount()).toBe(0);
});
