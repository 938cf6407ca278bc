import { describe, expect, it } from "vitest";
import {
  parseCpuTicks,
  parseMiB,
  processCpuSeconds,
  processMemory,
  resetProcessPeak,
} from "./process-figures.ts";

it("counts CPU behind a name with spaces and brackets", () => {
  const stat = "42 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 700 55 0 0 20 0";
  expect(parseCpuTicks(stat)).toBe(755);
});

it("reads memory, and says where the kernel does not give it", () => {
  expect(parseMiB("VmHWM:\t  20480 kB\nVmRSS:\t  10240 kB\n", "VmRSS")).toBe(10);
  expect(() => parseMiB("VmHWM: 1 kB\n", "VmRSS")).toThrow("cannot read VmRSS");
});

// The bench measures with Linux's /proc; elsewhere there is nothing to read.
describe.runIf(process.platform === "linux")("of this process", () => {
  it("agrees with what the process says of itself", () => {
    const { user, system } = process.cpuUsage();
    expect(processCpuSeconds(process.pid)).toBeGreaterThanOrEqual(
      Math.floor((user + system) / 1e6) - 1,
    );
    resetProcessPeak(process.pid);
    const { nowMiB, peakMiB } = processMemory(process.pid);
    expect(nowMiB).toBeGreaterThan(10);
    expect(peakMiB).toBeGreaterThanOrEqual(nowMiB * 0.9);
  });

  it("fails for a process that is not there", () => {
    expect(() => processCpuSeconds(2 ** 30)).toThrow("ENOENT");
  });
});
