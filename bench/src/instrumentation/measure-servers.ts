import { setTimeout as wait } from "node:timers/promises";
import type { BenchProcess } from "./bench-process.ts";
import type { LoadDone, LoadOrder } from "./http-load.ts";
import { type Bench, type Figures, receivedFrom, startSubject } from "./subject-processes.ts";
import type { Subject } from "./subjects.ts";

const MIB = 1024 * 1024;
/** Enough to keep the server busy, as few as a load balancer keeps open to one instance. */
const CONNECTIONS = 64;
const PACED_REQUESTS_PER_SECOND = 3000;
/** What the last requests left behind is collected and sent meanwhile. */
const SETTLE_MS = 1000;
/** So long all servers are left alone, to see what each takes by itself. */
const IDLE_MS = 3000;

export interface ServerPlan {
  readonly warmUpMs: number;
  /** Turns of each server at each load: short ones, so that all meet the same neighbours. */
  readonly turns: number;
  readonly saturatedMs: number;
  readonly pacedTurns: number;
  readonly pacedMs: number;
}

export interface ServerFigures {
  /** CPU of each second in which no request comes, in ms. */
  readonly idleMs: number;
  /**
   * CPU per request in each turn, with all that the server did later because of it and without
   * what it takes when idle, in µs.
   */
  readonly saturatedMicros: readonly number[];
  readonly pacedMicros: readonly number[];
  /** Processors that the server had at saturation: well below 1, others were busy. */
  readonly processors: readonly number[];
  readonly rssMiB: number;
  /** Spans that the collector got, per request that was answered. */
  readonly spansPerRequest: number;
}

interface Running {
  readonly subject: Subject;
  readonly server: BenchProcess;
  readonly port: number;
  readonly spansBefore: number;
  answers: number;
  /** CPU in ms per second without requests. */
  idleMs: number;
}

/** Starts one server under each subject and loads them in turns. */
export async function measureServers(
  bench: Bench,
  of: { subjects: readonly Subject[]; program: string; plan: ServerPlan },
): Promise<ReadonlyMap<Subject, ServerFigures>> {
  const { subjects, program, plan } = of;
  const all: Running[] = [];
  try {
    for (const subject of subjects) all.push(await startServer(bench, subject, program));
    for (const one of all) await load(bench, one, { durationMs: plan.warmUpMs });
    await measureIdle(all);
    const atFull = { durationMs: plan.saturatedMs };
    const saturated = await takeTurns(bench, all, { turns: plan.turns, order: atFull });
    const rssMiB = new Map<Running, number>();
    for (const one of all) rssMiB.set(one, (await figuresOf(one)).rssBytes / MIB);
    const atPace = {
      durationMs: plan.pacedMs,
      requestsPerSecond: PACED_REQUESTS_PER_SECOND,
    };
    const paced = await takeTurns(bench, all, { turns: plan.pacedTurns, order: atPace });
    const found = new Map<Subject, ServerFigures>();
    for (const one of all) {
      found.set(one.subject, {
        idleMs: one.idleMs,
        saturatedMicros: saturated.get(one)?.map(({ micros }) => micros) ?? [],
        pacedMicros: paced.get(one)?.map(({ micros }) => micros) ?? [],
        processors: saturated.get(one)?.map(({ processors }) => processors) ?? [],
        rssMiB: rssMiB.get(one) ?? Number.NaN,
        spansPerRequest: await endAndCount(bench, one),
      });
    }
    return found;
  } finally {
    await Promise.all(all.map(({ server }) => server.kill()));
  }
}

async function startServer(bench: Bench, subject: Subject, program: string): Promise<Running> {
  const spansBefore = (await receivedFrom(bench, subject)).traces;
  const server = startSubject(bench, { subject, program });
  const port = await server.ask<number>("port");
  return { subject, server, port, spansBefore, answers: 0, idleMs: 0 };
}

/** All at once, for none does much. */
async function measureIdle(all: readonly Running[]): Promise<void> {
  await wait(SETTLE_MS);
  const before = await Promise.all(all.map(figuresOf));
  const startedMs = performance.now();
  await wait(IDLE_MS);
  const after = await Promise.all(all.map(figuresOf));
  const seconds = (performance.now() - startedMs) / 1000;
  for (const [index, one] of all.entries()) {
    const micros = (after[index]?.cpuMicros ?? 0) - (before[index]?.cpuMicros ?? 0);
    one.idleMs = micros / 1000 / seconds;
  }
}

async function load(
  { helpers }: Bench,
  to: Running,
  order: Omit<LoadOrder, "port" | "connections">,
): Promise<LoadDone> {
  const whole: LoadOrder = { ...order, port: to.port, connections: CONNECTIONS };
  const done = await helpers.load.ask<LoadDone>("done", whole);
  to.answers += done.answers;
  return done;
}

interface Turn {
  readonly micros: number;
  readonly processors: number;
}

interface OpenTurn {
  /** Before its first request. */
  readonly cpuMicros: number;
  readonly answers: number;
  /** When its last answer had come, by `performance.now()`. */
  readonly endedMs: number;
}

/**
 * One after the other is loaded for a moment, again and again. A turn is charged with the CPU until
 * the server's next turn begins, because much is sent only after the requests were answered; what
 * the server takes when idle is not charged for that time.
 */
async function takeTurns(
  bench: Bench,
  all: readonly Running[],
  plan: { turns: number; order: Omit<LoadOrder, "port" | "connections"> },
): Promise<ReadonlyMap<Running, Turn[]>> {
  const turns = new Map(all.map((one) => [one, [] as Turn[]]));
  const open = new Map<Running, OpenTurn>();
  const close = async (one: Running, processors: number) => {
    const { cpuMicros } = await figuresOf(one);
    const begun = open.get(one);
    if (begun === undefined) return;
    const idleMicros = (performance.now() - begun.endedMs) * one.idleMs;
    const micros = (cpuMicros - begun.cpuMicros - idleMicros) / begun.answers;
    turns.get(one)?.push({ micros, processors });
  };
  const had = new Map<Running, number>();
  for (let turn = 0; turn < plan.turns; turn++) {
    for (const one of all) {
      await close(one, had.get(one) ?? 0);
      const before = await figuresOf(one);
      const { answers, seconds } = await load(bench, one, plan.order);
      const { cpuMicros } = await figuresOf(one);
      had.set(one, (cpuMicros - before.cpuMicros) / 1e6 / seconds);
      open.set(one, { cpuMicros: before.cpuMicros, answers, endedMs: performance.now() });
    }
  }
  await wait(SETTLE_MS);
  for (const one of all) await close(one, had.get(one) ?? 0);
  return turns;
}

function figuresOf({ server }: Running): Promise<Figures> {
  return server.ask<Figures>("figures", "figures");
}

async function endAndCount(bench: Bench, one: Running): Promise<number> {
  await one.server.stop();
  const { traces } = await receivedFrom(bench, one.subject);
  return (traces - one.spansBefore) / one.answers;
}
