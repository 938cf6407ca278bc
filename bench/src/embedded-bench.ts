/** Embedded mode, the real process: receive to searchable, memory, lookups, start-up, disk. */
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import {
  againstBudget,
  type BenchReport,
  type Measured,
  quantile,
  type Ratio,
  rowOf,
} from "./bench-report.ts";
import { CollectorProcess } from "./collector-process.ts";
import { type LoadResult, requestsFor, sendLogs } from "./log-load.ts";
import { RECORDS_PER_REQUEST } from "./log-requests.ts";
import { describeMachine, describeVersions } from "./machine.ts";
import { processCpuSeconds, processMemory, resetProcessPeak } from "./process-figures.ts";
import { timeLookups, waitUntilSearchable } from "./transaction-lookups.ts";

const SUBJECT = "clew embedded";
const FULL: EmbeddedPlan = { starts: 5, loads: [1_000_000, 10_000_000] };
const SHORT: EmbeddedPlan = { starts: 5, loads: [200_000] };
/** Figures of DESIGN "Budgets". */
const BUDGET = {
  logsPerSecond: 50_000,
  peakMiB: 300,
  idleMiB: 100,
  viewP99Ms: 20,
  viewAtRecords: 10_000_000,
  readyMs: 1000,
};
const QUIET_SAMPLE_MS = 500;
const QUIET_SAMPLES = 3;
/** A profiler takes some of it as well. */
const QUIET_CPU_SECONDS = 0.04;
const QUIET_DEADLINE_MS = 120_000;

export interface BenchOptions {
  /** Below this the data directories are made, and removed at the end. */
  readonly workDir: string;
  /** What was fetched for an earlier run is found here. */
  readonly cacheDir: string;
  readonly isShort: boolean;
  /** Options of the collector's runtime, as `--cpu-prof`. */
  readonly nodeArgs: readonly string[];
  readonly say: (line: string) => void;
}

export interface EmbeddedPlan {
  readonly starts: number;
  /** Records that are stored at the end of each load, ascending. */
  readonly loads: readonly number[];
}

/** Takes some minutes; the short plan one. */
export async function benchEmbedded(
  options: BenchOptions,
  plan: EmbeddedPlan = options.isShort ? SHORT : FULL,
): Promise<BenchReport> {
  await mkdir(options.workDir, { recursive: true });
  const dir = await mkdtemp(join(options.workDir, "embedded-"));
  try {
    const starts = await measureStarts(dir, { ...options, ...plan });
    const loads = await measureLoads(dir, { ...options, ...plan });
    return {
      machine: describeMachine(),
      versions: describeVersions(),
      rows: [...starts.measured, ...loads.measured].map(rowOf),
      ratios: [...starts.ratios, ...loads.ratios],
    };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

interface Part {
  readonly measured: readonly Measured[];
  readonly ratios: readonly Ratio[];
}

async function measureStarts(
  dir: string,
  { say, starts }: BenchOptions & EmbeddedPlan,
): Promise<Part> {
  const readyMs: number[] = [];
  const idleMiB: number[] = [];
  for (let start = 0; start < starts; start++) {
    const collector = await CollectorProcess.start(join(dir, `start-${start}`));
    readyMs.push(collector.readyMs);
    await waitUntilQuiet(collector.pid);
    idleMiB.push(processMemory(collector.pid).nowMiB);
    await collector.stop();
  }
  say(`started ${starts} times`);
  const ready = measured("start to ready", "ms", readyMs);
  const idle = measured("memory, idle after start", "MiB", idleMiB);
  return {
    measured: [ready, idle],
    ratios: [
      againstBudget({ ...middle(ready), budget: BUDGET.readyMs }),
      againstBudget({ ...middle(idle), budget: BUDGET.idleMiB }),
    ],
  };
}

async function measureLoads(dir: string, options: BenchOptions & EmbeddedPlan): Promise<Part> {
  const dataDir = join(dir, "loaded");
  const collector = await CollectorProcess.start(dataDir, options);
  const runId = `bench-${randomBytes(4).toString("hex")}`;
  const parts: Part[] = [];
  try {
    let sent = 0;
    for (const records of options.loads) {
      const requests = requestsFor(records);
      const load = { collector, runId, from: sent, to: requests };
      parts.push(await measureLoad(load, options));
      parts.push(await measureStored({ ...load, dataDir }, options));
      sent = requests;
    }
  } finally {
    await collector.stop();
  }
  parts.push(await measureRestart(dataDir));
  return {
    measured: parts.flatMap((part) => part.measured),
    ratios: parts.flatMap((part) => part.ratios),
  };
}

interface Load {
  readonly collector: CollectorProcess;
  readonly runId: string;
  /** Requests from this number on, up to `to` (exclusive). */
  readonly from: number;
  readonly to: number;
}

async function measureLoad(
  { collector, runId, from, to }: Load,
  { say }: BenchOptions,
): Promise<Part> {
  const { pid, addresses } = collector;
  await waitUntilQuiet(pid);
  resetProcessPeak(pid);
  const cpuBefore = processCpuSeconds(pid);
  const startedMs = performance.now();
  const sent = await sendLogs({ otlpUrl: addresses.otlpUrl, runId, from, to });
  await waitUntilSearchable({ queryUrl: addresses.queryUrl, runId, requests: to });
  const searchableMs = performance.now() - startedMs;
  const records = (to - from) * RECORDS_PER_REQUEST;
  const logsPerSecond = records / (searchableMs / 1000);
  const cpuUsPerLog = ((processCpuSeconds(pid) - cpuBefore) * 1e6) / records;
  const { peakMiB } = processMemory(pid);
  const load = `${count(from)} to ${count(to)} records`;
  say(`${load}: ${Math.round(logsPerSecond)} logs/s, ${cpuUsPerLog.toFixed(1)} µs CPU per log`);
  const speed = measured(`receive to searchable, ${load}`, "logs/s", [logsPerSecond]);
  const peak = measured(`memory, peak, ${load}`, "MiB", [peakMiB]);
  return {
    measured: [
      speed,
      measured(`CPU per log, ${load}`, "µs", [cpuUsPerLog]),
      peak,
      ...measuredAnswers(sent, load),
    ],
    ratios: [
      againstBudget({ ...middle(speed), budget: BUDGET.logsPerSecond, isMinimum: true }),
      againstBudget({ ...middle(peak), budget: BUDGET.peakMiB }),
    ],
  };
}

function measuredAnswers(sent: LoadResult, load: string): readonly Measured[] {
  return [
    measured(`answer to 1000 logs, p50, ${load}`, "ms", [quantile(sent.answerMs, 0.5)]),
    measured(`answer to 1000 logs, p99, ${load}`, "ms", [quantile(sent.answerMs, 0.99)]),
    measured(`refused for overload and sent again, ${load}`, "requests", [sent.refusals]),
  ];
}

async function measureStored(
  { collector, runId, to, dataDir }: Load & { readonly dataDir: string },
  { say }: BenchOptions,
): Promise<Part> {
  await waitUntilQuiet(collector.pid);
  const { queryUrl } = collector.addresses;
  const lookupMs = await timeLookups({ queryUrl, runId, requests: to });
  const at = `at ${count(to)} records`;
  const p99 = measured(`transaction view p99, ${at}`, "ms", [quantile(lookupMs, 0.99)]);
  const stored = (await bytesBelow(dataDir)) / (to * RECORDS_PER_REQUEST);
  say(`${at}: transaction view p99 ${middle(p99).ours.toFixed(2)} ms`);
  const isBudgeted = to * RECORDS_PER_REQUEST === BUDGET.viewAtRecords;
  return {
    measured: [
      measured(`transaction view p50, ${at}`, "ms", [quantile(lookupMs, 0.5)]),
      p99,
      measured(`disk per record, ${at}`, "bytes", [stored]),
      measured(`memory after lookups, ${at}`, "MiB", [processMemory(collector.pid).nowMiB]),
    ],
    ratios: isBudgeted ? [againstBudget({ ...middle(p99), budget: BUDGET.viewP99Ms })] : [],
  };
}

async function measureRestart(dataDir: string): Promise<Part> {
  const collector = await CollectorProcess.start(dataDir);
  await collector.stop();
  return {
    measured: [measured("start to ready, with data", "ms", [collector.readyMs])],
    ratios: [],
  };
}

function measured(name: string, unit: string, values: readonly number[]): Measured {
  return { name, subject: SUBJECT, unit, values };
}

function middle(one: Measured): { name: string; ours: number; unit: string } {
  return { name: one.name, ours: rowOf(one).value, unit: one.unit };
}

function count(requests: number): string {
  return (requests * RECORDS_PER_REQUEST).toLocaleString("en-US");
}

/** Until the process has used next to no CPU for a while: its work behind the answers is done. */
async function waitUntilQuiet(pid: number): Promise<void> {
  const endMs = performance.now() + QUIET_DEADLINE_MS;
  let before = processCpuSeconds(pid);
  for (let quiet = 0; quiet < QUIET_SAMPLES; ) {
    if (performance.now() > endMs) throw new Error("cannot go on: the collector does not rest");
    await new Promise((resolve) => setTimeout(resolve, QUIET_SAMPLE_MS));
    const now = processCpuSeconds(pid);
    quiet = now - before <= QUIET_CPU_SECONDS ? quiet + 1 : 0;
    before = now;
  }
}

export async function bytesBelow(dir: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
  }
  return bytes;
}
