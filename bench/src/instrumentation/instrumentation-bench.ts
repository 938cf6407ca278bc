/** What instrumentation costs a service: ours, bare and two peers, side by side in one run. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { BenchReport } from "../bench-report.ts";
import type { BenchOptions } from "../embedded-bench.ts";
import { describeMachine } from "../machine.ts";
import { makeBenchProject, versionsIn } from "./bench-project.ts";
import { Findings } from "./findings.ts";
import { budgetRatios, WHAT } from "./instrumentation-budgets.ts";
import { LINE_KINDS, measureLogLines } from "./measure-log-lines.ts";
import { type Helpers, measureServer, SERVER_ROWS, type ServerPlan } from "./measure-server.ts";
import { measureStart } from "./measure-start.ts";
import { findProcessors } from "./processors.ts";
import { type Bench, startHelper } from "./subject-processes.ts";
import { rotated, SUBJECTS, type Subject } from "./subjects.ts";

export interface InstrumentationPlan extends ServerPlan {
  readonly rounds: number;
  readonly startsPerRound: number;
  readonly lines: number;
  readonly subjects: readonly Subject[];
}

const FULL: InstrumentationPlan = {
  rounds: 5,
  startsPerRound: 3,
  warmUpMs: 2000,
  saturatedMs: 3000,
  pacedMs: 3000,
  lines: 10_000,
  subjects: SUBJECTS,
};
const SHORT: InstrumentationPlan = {
  ...FULL,
  rounds: 2,
  warmUpMs: 1500,
  saturatedMs: 1500,
  pacedMs: 2000,
  lines: 4000,
};

export const SERVERS = { "hono-server.js": "Hono", "node-server.js": "node:http" } as const;

/** Takes a quarter of an hour; the short plan four minutes. */
export async function benchInstrumentation(
  options: BenchOptions,
  plan: InstrumentationPlan = options.isShort ? SHORT : FULL,
): Promise<BenchReport> {
  await mkdir(options.workDir, { recursive: true });
  const dir = await mkdtemp(join(options.workDir, "instrumentation-"));
  const processors = findProcessors();
  const helpers: Helpers = {
    sink: startHelper("null-otlp-sink.ts", processors),
    load: startHelper("http-load.ts", processors),
  };
  try {
    await helpers.load.ask("isRunning");
    const sinkUrl = `http://127.0.0.1:${await helpers.sink.ask<number>("port")}`;
    const project = await makeBenchProject({ dir, cacheDir: options.cacheDir });
    const { nodeArgs, say } = options;
    const spoolDir = join(dir, "spool");
    const bench: Bench = { project, spoolDir, sinkUrl, processors, nodeArgs };
    const findings = new Findings();
    for (let round = 0; round < plan.rounds; round++) {
      await measureRound(bench, { findings, helpers, plan, round });
      say(`round ${round + 1} of ${plan.rounds} is measured`);
    }
    const ratios = budgetRatios(findings);
    const versions = await versionsIn(project);
    return { machine: describeMachine(), versions, rows: findings.rows(), ratios };
  } finally {
    await Promise.all([helpers.load.stop(), helpers.sink.stop()]);
    await rm(dir, { recursive: true, force: true });
  }
}

interface Round {
  readonly findings: Findings;
  readonly helpers: Helpers;
  readonly plan: InstrumentationPlan;
  readonly round: number;
}

/** Every subject in turn at each task, so that a noisy minute of the machine meets all of them. */
async function measureRound(bench: Bench, round: Round): Promise<void> {
  const subjects = rotated(round.plan.subjects, round.round);
  for (let start = 0; start < round.plan.startsPerRound; start++) {
    for (const subject of subjects) await addStart(bench, round, subject);
  }
  for (const program of Object.keys(SERVERS)) {
    for (const subject of subjects) {
      await addServer(bench, round, { subject, program: program as keyof typeof SERVERS });
    }
  }
  for (const subject of subjects) await addLines(bench, round, subject);
}

async function addStart(bench: Bench, { findings }: Round, subject: Subject): Promise<void> {
  const env = { NODE_COMPILE_CACHE: join(bench.spoolDir, "../compile-cache") };
  const plain = await measureStart(bench, { subject });
  const cached = await measureStart(bench, { subject, env });
  const add = (what: string, unit: string, value: number) =>
    findings.add({ what, unit, subject, value });
  add(WHAT.start, "ms", plain.firstLineMs);
  add(WHAT.cachedStart, "ms", cached.firstLineMs);
  add(WHAT.startCpu, "ms", plain.cpuMs);
  add(WHAT.idleMemory, "MiB", plain.rssMiB);
}

async function addServer(
  bench: Bench,
  { findings, helpers, plan }: Round,
  of: { subject: Subject; program: keyof typeof SERVERS },
): Promise<void> {
  const { subject, program } = of;
  const figures = await measureServer(bench, { subject, program, plan, helpers });
  for (const { what, unit, of: pick } of SERVER_ROWS) {
    findings.add({ what: `${what}, ${SERVERS[program]}`, unit, subject, value: pick(figures) });
  }
}

async function addLines(
  bench: Bench,
  { findings, helpers, plan }: Round,
  subject: Subject,
): Promise<void> {
  const { figures, recordsPerLine } = await measureLogLines(bench, {
    ...{ subject, lines: plan.lines, helpers },
  });
  for (const kind of LINE_KINDS) {
    const found = figures.get(kind);
    if (found === undefined) continue;
    findings.add({ what: WHAT.lineCall(kind), unit: "ns", subject, value: found.callNs });
    findings.add({ what: WHAT.lineCpu(kind), unit: "ns", subject, value: found.cpuNs });
  }
  findings.add({ what: WHAT.records, unit: "per line", subject, value: recordsPerLine });
}
