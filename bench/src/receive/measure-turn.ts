/** One turn of one server: load, and what it cost the server with all it did after the answers. */
import { setTimeout as wait } from "node:timers/promises";
import type { BenchProcess } from "../instrumentation/bench-process.ts";
import { processCpuSeconds, processMemory, resetProcessPeak } from "../process-figures.ts";
import type { ReceiveServer } from "./receive-servers.ts";
import type { LoadDone, LoadOrder } from "./send-load.ts";

const SAMPLE_MS = 150;
/** Two ticks of the kernel's clock: kafkajs's timer alone takes 3 % of a processor. */
const QUIET_CPU_SECONDS = 0.02;
const QUIET_SAMPLES = 2;
const QUIET_DEADLINE_MS = 60_000;

export interface Turn {
  readonly done: LoadDone;
  /** User and system time of the server until it had nothing more to do. */
  readonly cpuSeconds: number;
  readonly peakMiB: number;
  readonly loopDelayP99Ms: number | undefined;
}

export async function measureTurn(
  { load, server }: { readonly load: BenchProcess; readonly server: ReceiveServer },
  order: Omit<LoadOrder, "port">,
): Promise<Turn> {
  const { pid, ports } = server;
  await server.loopDelayP99Ms();
  resetProcessPeak(pid);
  const cpuBefore = processCpuSeconds(pid);
  const whole: LoadOrder = { ...order, port: ports[order.protocol] };
  const done = await load.ask<LoadDone>("done", whole);
  const loopDelayP99Ms = await server.loopDelayP99Ms();
  const cpuSeconds = (await cpuOnceQuiet(pid)) - cpuBefore;
  return { done, cpuSeconds, loopDelayP99Ms, peakMiB: processMemory(pid).peakMiB };
}

/** CPU seconds at the moment from which on the process did next to nothing for a while. */
async function cpuOnceQuiet(pid: number): Promise<number> {
  const endMs = performance.now() + QUIET_DEADLINE_MS;
  let quietFrom = processCpuSeconds(pid);
  let before = quietFrom;
  for (let quiet = 0; quiet < QUIET_SAMPLES; ) {
    if (performance.now() > endMs) throw new Error("cannot go on: the server does not rest");
    await wait(SAMPLE_MS);
    const now = processCpuSeconds(pid);
    if (now - before <= QUIET_CPU_SECONDS) {
      quiet++;
    } else {
      quiet = 0;
      quietFrom = now;
    }
    before = now;
  }
  return quietFrom;
}
