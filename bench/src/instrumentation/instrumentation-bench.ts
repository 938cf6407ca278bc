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
import { measureServers, type ServerFigures, type ServerPlan } from "./measure-servers.ts";
import { measureStart } from "./measure-start.ts";
import { findProcessors } from "./processors.ts";
import { type Bench, type Helpers, startHelper } from "./subject-processes.ts";
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
  turns: 6,
  saturatedMs: 600,
  pacedTurns: 3,
  pacedMs: 2000,
  lines: 100_000,
  subjects: SUBJECTS,
};
const SHORT: InstrumentationPlan = {
  ...FULL,
  rounds: 2,
  warmUpMs: 1500,
  turns: 4,
  pacedTurns: 2,
  lines: 40_000,
};

interface Server {
  readonly program: string;
  readonly name: string;
}

const SERVERS: readonly Server[] = [
  { program: "hono-server.js", name: "Hono" },
  { program: "node-server.js", name: "node:http" },
];

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
    const bench: Bench = { helpers, project, spoolDir, sinkUrl, processors, nodeArgs };
    const findings = new Findings();
    for (let round = 0; round < plan.rounds; round++) {
      await measureRound(bench, { findings, plan, round });
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
  readonly plan: InstrumentationPlan;
  readonly round: number;
}

/** Every subject in turn at each task, so that a noisy minute of the machine meets all of them. */
async function measureRound(bench: Bench, round: Round): Promise<void> {
  const subjects = rotated(round.plan.subjects, round.round);
  for (let start = 0; start < round.plan.startsPerRound; start++) {
    for (const subject of subjects) await addStart(bench, round, subject);
  }
  for (const server of SERVERS) await addServers(bench, round, { subjects, server });
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

async function addServers(
  bench: Bench,
  { findings, plan }: Round,
  of: { subjects: readonly Subject[]; server: Server },
): Promise<void> {
  const { subjects, server } = of;
  const found = await measureServers(bench, { subjects, program: server.program, plan });
  for (const [subject, figures] of found) {
    for (const { what, unit, values } of serverRows(figures)) {
      for (const value of values) {
        findings.add({ what: `${what}, ${server.name}`, unit, subject, value });
      }
    }
  }
}

/** What a server answers in a second of its processor says how much it bears at saturation. */
function serverRows(figures: ServerFigures) {
  const { saturatedMicros, pacedMicros, idleMs, processors, rssMiB, spansPerRequest } = figures;
  const throughput = saturatedMicros.map((micros) => 1e6 / micros);
  return [
    { what: WHAT.throughput, unit: "requests/CPU s", values: throughput },
    { what: WHAT.pacedCpu, unit: "µs/request", values: pacedMicros },
    { what: "CPU when idle", unit: "ms/s", values: [idleMs] },
    { what: "processors had at saturation", unit: "processors", values: processors },
    { what: "memory under load", unit: "MiB", values: [rssMiB] },
    { what: "spans received", unit: "per request", values: [spansPerRequest] },
  ];
}

async function addLines(bench: Bench, { findings, plan }: Round, subject: Subject): Promise<void> {
  const { figures, recordsPerLine } = await measureLogLines(bench, {
    ...{ subject, lines: plan.lines },
  });
  for (const kind of LINE_KINDS) {
    const found = figures.get(kind);
    if (found === undefined) continue;
    findings.add({ what: WHAT.lineCall(kind), unit: "ns", subject, value: found.callNs });
    findings.add({ what: WHAT.lineCpu(kind), unit: "ns", subject, value: found.cpuNs });
  }
  findings.add({ what: WHAT.records, unit: "per line", subject, value: recordsPerLine });
}
