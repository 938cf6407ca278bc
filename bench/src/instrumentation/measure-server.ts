import type { Measured } from "../bench-report.ts";
import type { BenchProcess } from "./bench-process.ts";
import type { LoadDone, LoadOrder } from "./http-load.ts";
import type { SinkCounts } from "./null-otlp-sink.ts";
import { type Bench, type Figures, startSubject } from "./subject-processes.ts";
import type { Subject } from "./subjects.ts";

const MIB = 1024 * 1024;
/** Enough to keep the server busy, as few as a load balancer keeps open to one instance. */
const CONNECTIONS = 64;
/** What saturation left behind is collected and sent meanwhile. */
const SETTLE_MS = 500;
const PACED_REQUESTS_PER_SECOND = 3000;

export interface ServerPlan {
  readonly warmUpMs: number;
  readonly saturatedMs: number;
  readonly pacedMs: number;
}

export interface Helpers {
  readonly load: BenchProcess;
  readonly sink: BenchProcess;
}

export interface ServerFigures {
  /**
   * Answers per second of CPU that the server had. With a processor to itself that is what it
   * answers in a second; where others took some of it, their share does not count against it.
   */
  readonly requestsPerSecond: number;
  /** Processors that the server had at saturation: where it is well below 1, others were busy. */
  readonly utilisation: number;
  readonly cpuMicrosPerRequest: number;
  readonly rssMiB: number;
  /** Spans that the collector got, per request that was answered. */
  readonly spansPerRequest: number;
}

/** One start of one server under one subject: saturated first, which warms it up, then paced. */
export async function measureServer(
  bench: Bench,
  of: { subject: Subject; program: string; plan: ServerPlan; helpers: Helpers },
): Promise<ServerFigures> {
  const { subject, program, plan, helpers } = of;
  const before = await sinkFigures(helpers);
  const server = startSubject(bench, { subject, program });
  try {
    const port = await server.ask<number>("port");
    const load = (order: Omit<LoadOrder, "port" | "connections">) =>
      helpers.load.ask<LoadDone>("done", { ...order, port, connections: CONNECTIONS });
    const warm = await load({ durationMs: plan.warmUpMs });
    const saturated = await withFigures(server, () => load({ durationMs: plan.saturatedMs }));
    const settled = await load({
      durationMs: SETTLE_MS,
      requestsPerSecond: PACED_REQUESTS_PER_SECOND,
    });
    const paced = await withFigures(server, () =>
      load({ durationMs: plan.pacedMs, requestsPerSecond: PACED_REQUESTS_PER_SECOND }),
    );
    await server.stop();
    const spans = (await sinkFigures(helpers)).traces - before.traces;
    const { answers, seconds } = saturated.done;
    return {
      requestsPerSecond: answers / (saturated.cpuMicros / 1e6),
      utilisation: saturated.cpuMicros / 1e6 / seconds,
      cpuMicrosPerRequest: paced.cpuMicros / paced.done.answers,
      rssMiB: saturated.rssBytes / MIB,
      spansPerRequest: spans / (warm.answers + answers + settled.answers + paced.done.answers),
    };
  } finally {
    await server.stop();
  }
}

export function sinkFigures({ sink }: Helpers): Promise<SinkCounts> {
  return sink.ask<SinkCounts>("figures", "figures");
}

interface Spent {
  readonly done: LoadDone;
  readonly cpuMicros: number;
  readonly rssBytes: number;
}

async function withFigures(server: BenchProcess, work: () => Promise<LoadDone>): Promise<Spent> {
  const before = await server.ask<Figures>("figures", "figures");
  const done = await work();
  const after = await server.ask<Figures>("figures", "figures");
  return { done, cpuMicros: after.cpuMicros - before.cpuMicros, rssBytes: after.rssBytes };
}

/** What is shown of the servers' figures. */
export const SERVER_ROWS: readonly {
  readonly what: string;
  readonly unit: Measured["unit"];
  readonly of: (figures: ServerFigures) => number;
}[] = [
  { what: "throughput", unit: "requests/CPU s", of: (f) => f.requestsPerSecond },
  { what: "processors had at saturation", unit: "processors", of: (f) => f.utilisation },
  { what: "CPU at 3000 requests/s", unit: "µs/request", of: (f) => f.cpuMicrosPerRequest },
  { what: "memory under load", unit: "MiB", of: (f) => f.rssMiB },
  { what: "spans received", unit: "per request", of: (f) => f.spansPerRequest },
];
