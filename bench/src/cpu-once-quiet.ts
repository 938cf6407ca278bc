import { setTimeout as wait } from "node:timers/promises";
import { processCpuSeconds } from "./process-figures.ts";

const SAMPLE_MS = 150;
/** Two ticks of the kernel's clock: kafkajs's timer alone takes 3 % of a processor. */
const QUIET_CPU_SECONDS = 0.02;
const QUIET_SAMPLES = 2;
const QUIET_DEADLINE_MS = 60_000;

/** CPU seconds at the moment from which on the process did next to nothing for a while. */
export async function cpuOnceQuiet(pid: number): Promise<number> {
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
