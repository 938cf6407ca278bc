/** Why the embedded bus is segment files: the same publishing against a queue in SQLite. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { type BenchReport, type Measured, type Ratio, rowOf } from "./bench-report.ts";
import {
  BUS_SUBJECTS,
  type BusSubject,
  type PublishFigures,
  type PublishTask,
} from "./bus-subject.ts";
import type { BenchOptions } from "./embedded-bench.ts";
import { describeMachine, describeVersions } from "./machine.ts";

const RUNS = 3;
const SUBJECT_DEADLINE_MS = 120_000;
/** A request of 1000 logs, and one of a few. */
const SIZES = [
  { name: "390 KB", valueBytes: 390_000, messages: 1000 },
  { name: "4 KB", valueBytes: 4000, messages: 8000 },
] as const;
const SHORT_PART = 10;
const FIGURES = [
  { key: "messagesPerSecond", name: "published", unit: "messages/s" },
  { key: "cpuMs", name: "CPU per message", unit: "ms" },
  { key: "p50Ms", name: "time until durable, p50", unit: "ms" },
  { key: "p99Ms", name: "time until durable, p99", unit: "ms" },
  { key: "peakMiB", name: "memory, peak", unit: "MiB" },
] as const;

const runFile = promisify(execFile);

export async function benchBusChoice(options: BenchOptions): Promise<BenchReport> {
  await mkdir(options.workDir, { recursive: true });
  const measured: Measured[] = [];
  for (const size of SIZES) {
    const messages = options.isShort ? size.messages / SHORT_PART : size.messages;
    const figures: Record<BusSubject, PublishFigures[]> = {
      "embedded bus": [],
      "SQLite queue": [],
    };
    for (let run = 0; run < RUNS; run++) {
      // In turn, so that a slow minute of the disk is nobody's alone.
      for (const subject of BUS_SUBJECTS) {
        const task = { subject, valueBytes: size.valueBytes, messages };
        figures[subject].push(await runSubject(task, options));
      }
    }
    measured.push(...measuredFor(size.name, figures));
    options.say(`messages of ${size.name}: ${RUNS} runs`);
  }
  return {
    machine: describeMachine(),
    versions: describeVersions(),
    rows: measured.map(rowOf),
    ratios: cpuRatios(measured),
  };
}

function measuredFor(
  size: string,
  figures: Readonly<Record<BusSubject, readonly PublishFigures[]>>,
): readonly Measured[] {
  return FIGURES.flatMap(({ key, name, unit }) =>
    BUS_SUBJECTS.map((subject) => ({
      name: `${name}, ${size}`,
      subject,
      unit,
      values: figures[subject].map((one) => one[key]),
    })),
  );
}

/** The choice stands while ours takes no more CPU and no longer until durable. */
function cpuRatios(measured: readonly Measured[]): readonly Ratio[] {
  return measured
    .filter(({ name, subject }) => subject === "embedded bus" && /CPU|p99/.test(name))
    .map((one) => {
      const other = measured.find(
        ({ name, subject }) => name === one.name && subject === "SQLite queue",
      );
      const ours = rowOf(one).value;
      const peer = other === undefined ? Number.NaN : rowOf(other).value;
      return { name: one.name, ours, peer, value: ours / peer, budget: "≤ 1", met: ours <= peer };
    });
}

async function runSubject(
  task: Omit<PublishTask, "dir">,
  { workDir }: BenchOptions,
): Promise<PublishFigures> {
  const dir = await mkdtemp(join(workDir, "bus-"));
  try {
    const program = join(import.meta.dirname, "bus-subject.ts");
    const args = [program, JSON.stringify({ ...task, dir })];
    const { stdout } = await runFile(process.execPath, args, { timeout: SUBJECT_DEADLINE_MS });
    return JSON.parse(stdout) as PublishFigures;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
