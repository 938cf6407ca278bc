import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import type { Processors } from "./subject-processes.ts";

/**
 * Where the machine has two processors and `taskset` (util-linux), what is measured has the first
 * to itself; else everybody runs where the system wants, and figures scatter more.
 */
export function findProcessors(): Processors {
  const { status } = spawnSync("taskset", ["-c", "0,1", "true"]);
  const isPinned = status === 0 && availableParallelism() > 1;
  return isPinned ? { measured: 0, others: 1 } : { measured: undefined, others: undefined };
}
