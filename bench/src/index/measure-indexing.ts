/** One turn of one indexer: a topic that is full when it starts, until all of it is stored. */
import { setTimeout as wait } from "node:timers/promises";
import { cpuOnceQuiet } from "../cpu-once-quiet.ts";
import { processCpuSeconds, processMemory } from "../process-figures.ts";
import type { IndexServer } from "./index-servers.ts";
import type { IndexTarget } from "./index-targets.ts";

export interface IndexTurn {
  /** User and system time of the indexer, until it rests. */
  readonly cpuPerMillion: number;
  readonly logsPerSecond: number;
  readonly peakMiB: number;
  readonly targetCpuPerMillion: number | undefined;
  readonly missing: number;
  /** Undefined where nobody can tell. */
  readonly doubled: number | undefined;
}

export interface IndexTurnOrder {
  readonly server: IndexServer;
  readonly target: IndexTarget;
  /** Taken before the indexer was started. */
  readonly start: IndexStart;
  /** Indexed before what is measured; 0: the indexer's own start is measured with it. */
  readonly warmUpRecords: number;
  /** What is measured, behind those. */
  readonly records: number;
}

const SAMPLE_MS = 25;
/** The last ones wait in some indexers until a batch is full, or old enough. */
const RATE_SHARE = 0.95;
/** Longer than the ten seconds that the OpenTelemetry Collector lets a batch grow old. */
const STALLED_MS = 20_000;
const START_DEADLINE_MS = 60_000;
const MILLION = 1e6;

export interface IndexStart {
  readonly atMs: number;
  readonly targetCpu: number | undefined;
}

export function indexStart(target: IndexTarget): IndexStart {
  return { atMs: performance.now(), targetCpu: target.cpuSeconds() };
}

/** @throws Error with what the indexer said, where it stores nothing at all. */
export async function measureIndexing(order: IndexTurnOrder): Promise<IndexTurn> {
  const { server, target, warmUpRecords, records } = order;
  const total = warmUpRecords + records;
  const from = await reach(order, { documents: warmUpRecords });
  const rated = await reach(order, { documents: warmUpRecords + RATE_SHARE * records });
  const to = await reach(order, { documents: total });
  const cpuSeconds = (await cpuOnceQuiet(server.pid)) - from.cpuSeconds;
  const targetCpu = target.cpuSeconds();
  const { peakMiB } = processMemory(server.pid);
  const { documents, distinct } = await target.total();
  const measured = (to.documents - from.documents) / MILLION;
  const seconds = (rated.atMs - from.atMs) / 1000;
  return {
    cpuPerMillion: cpuSeconds / measured,
    logsPerSecond: (rated.documents - from.documents) / seconds,
    peakMiB,
    targetCpuPerMillion:
      targetCpu === undefined ? undefined : (targetCpu - (from.targetCpu ?? 0)) / measured,
    // Where doubles cannot be told, they hide what is missing, and the other way round.
    missing: Math.max(0, total - (distinct ?? documents)),
    doubled: distinct === undefined ? undefined : documents - distinct,
  };
}

interface Sample {
  readonly documents: number;
  readonly atMs: number;
  readonly cpuSeconds: number;
  readonly targetCpu: number | undefined;
}

/** The first sample with so many documents, or the last one before nothing more came. */
async function reach(
  { server, target, start }: IndexTurnOrder,
  wanted: { readonly documents: number },
): Promise<Sample> {
  if (wanted.documents === 0) return { ...start, documents: 0, cpuSeconds: 0 };
  let last = { documents: -1, atMs: performance.now() };
  for (;;) {
    const documents = await target.documents();
    const atMs = performance.now();
    const sample = {
      ...{ documents, atMs, cpuSeconds: processCpuSeconds(server.pid) },
      targetCpu: target.cpuSeconds(),
    };
    if (documents >= wanted.documents) return sample;
    if (documents > last.documents) last = { documents, atMs };
    const patienceMs = documents === 0 ? START_DEADLINE_MS : STALLED_MS;
    if (atMs - last.atMs > patienceMs) {
      if (documents > 0) return { ...sample, atMs: last.atMs };
      throw new Error(`cannot measure: no document came: ${await server.output()}`);
    }
    await wait(SAMPLE_MS);
  }
}
