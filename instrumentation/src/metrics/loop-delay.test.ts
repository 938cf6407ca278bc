import { expect, test, vi } from "vitest";
import { LoopDelayMonitor } from "./loop-delay.ts";

const BLOCK_MS = 150;

function block(): void {
  const until = performance.now() + BLOCK_MS;
  while (performance.now() < until);
}

test("all that ask within a window are told the same, a block of the loop included", async () => {
  let nowMs = 0;
  const monitor = new LoopDelayMonitor(() => nowMs);
  try {
    await vi.waitFor(() => expect(monitor.read()).toBeDefined());
    block();
    await vi.waitFor(() => expect(monitor.read()?.max).toBeGreaterThan((BLOCK_MS - 40) / 1000));
    nowMs = 5000;
    const window = monitor.read();
    expect(window?.max).toBeGreaterThan((BLOCK_MS - 40) / 1000);
    expect(window?.p50).toBeLessThanOrEqual(window?.p99 ?? 0);
    nowMs = 9999;
    expect(monitor.read()).toEqual(window);
  } finally {
    monitor.stop();
  }
});
