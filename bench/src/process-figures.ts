/** What the kernel says of a process: Linux only. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

const KIB_PER_MIB = 1024;
/** `clear_refs` 5 sets the peak (`VmHWM`) back to what is resident now (proc(5)). */
const RESET_PEAK = "5";
const UTIME_FIELD = 11;

let ticksPerSecond = 0;

/** User and system time of all threads so far, in seconds. @throws Error where it is gone. */
export function processCpuSeconds(pid: number): number {
  ticksPerSecond ||= Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));
  return parseCpuTicks(readFileSync(`/proc/${pid}/stat`, "utf8")) / ticksPerSecond;
}

/** `utime + stime`, counted behind the command name, which may hold spaces and brackets. */
export function parseCpuTicks(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[UTIME_FIELD]) + Number(fields[UTIME_FIELD + 1]);
}

/** Resident memory now and at its peak, in MiB. */
export function processMemory(pid: number): { nowMiB: number; peakMiB: number } {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return { nowMiB: parseMiB(status, "VmRSS"), peakMiB: parseMiB(status, "VmHWM") };
}

export function resetProcessPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, RESET_PEAK);
}

/** A line as `VmRSS:     81234 kB`. @throws Error where there is none. */
export function parseMiB(status: string, key: string): number {
  const kib = new RegExp(`^${key}:\\s+(\\d+) kB$`, "m").exec(status)?.[1];
  if (kib === undefined) throw new Error(`cannot read ${key}: the kernel does not give it`);
  return Number(kib) / KIB_PER_MIB;
}
