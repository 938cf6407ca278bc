/** One turn of one server: load, and what it cost the server with all it did after the answers. */
import { cpuOnceQuiet } from "../cpu-once-quiet.ts";
import type { BenchProcess } from "../instrumentation/bench-process.ts";
import { processCpuSeconds, processMemory, resetProcessPeak } from "../process-figures.ts";
import type { ReceiveServer } from "./receive-servers.ts";
import type { LoadDone, LoadOrder } from "./send-load.ts";

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
