import { setTimeout as wait } from "node:timers/promises";
import { type Bench, type Figures, startSubject } from "./subject-processes.ts";
import type { Subject } from "./subjects.ts";

const MIB = 1024 * 1024;
/** What is put off until the service runs is part of the price as well. */
const SETTLED_MS = 500;

export interface StartFigures {
  /** From the start of the process to the first line of the service. */
  readonly firstLineMs: number;
  /** CPU of the process until half a second later. */
  readonly cpuMs: number;
  /** Memory then, with nothing to do. */
  readonly rssMiB: number;
}

/** One start of a service of one line. */
export async function measureStart(
  bench: Bench,
  of: { subject: Subject; env?: Readonly<Record<string, string>> },
): Promise<StartFigures> {
  const startedMs = performance.now();
  const service = startSubject(bench, { program: "first-line.js", ...of });
  try {
    await service.ask("isRunning");
    const firstLineMs = performance.now() - startedMs;
    await wait(SETTLED_MS);
    const { cpuMicros, rssBytes } = await service.ask<Figures>("figures", "figures");
    return { firstLineMs, cpuMs: cpuMicros / 1000, rssMiB: rssBytes / MIB };
  } finally {
    await service.kill();
  }
}
