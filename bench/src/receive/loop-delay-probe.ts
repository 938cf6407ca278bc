/**
 * Loaded into our server by `--import`, beside its own code: tells over IPC how late its event loop
 * was since the last question. Node.js counts the time between two ticks of a timer, so what it
 * waits for anyway is taken off.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { isMainThread } from "node:worker_threads";

const RESOLUTION_MS = 10;
const NS_PER_MS = 1e6;
const P99 = 99;

if (isMainThread && process.send) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  process.on("message", (question) => {
    if (question !== "loopDelay") return;
    const p99Ms = delay.percentile(P99) / NS_PER_MS - RESOLUTION_MS;
    delay.reset();
    process.send?.({ loopDelay: Math.max(0, p99Ms) });
  });
  // The server ends when it is told to, not when nobody asks any more.
  process.channel?.unref();
}
