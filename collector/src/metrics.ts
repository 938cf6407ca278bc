/** The only place that knows prom-client: each part of the process asks here for its metrics. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Bus } from "./bus/bus.ts";
import type { ErrorCode } from "./errors.ts";
import type { IndexThreadStats } from "./indexer/index-thread.ts";
import type { ScrapeCounts } from "./query/scrape-targets.ts";
import { METRIC } from "./wire-names.ts";

export type MetricRegistry = Registry;

/** A registry that has the process's own metrics already: CPU, memory, event-loop delay. */
export function createRegistry(): MetricRegistry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}

export interface ReceiveMetrics {
  accepted(signal: "logs" | "traces", records: number): void;
  refused(code: ErrorCode): void;
  published(seconds: number): void;
}

export function createReceiveMetrics(
  registry: MetricRegistry,
  readInFlightBytes: () => number,
): ReceiveMetrics {
  const registers = [registry];
  const accepted = new Counter({
    name: METRIC.acceptedRecords,
    help: "Records acknowledged to their senders: durable in the bus before the answer.",
    labelNames: ["signal"],
    registers,
  });
  const refused = new Counter({
    name: METRIC.refusedRequests,
    help: "Requests answered with an error, by its code; nothing of them was acknowledged.",
    labelNames: ["code"],
    registers,
  });
  const published = new Histogram({
    name: METRIC.busPublishSeconds,
    help: "Time until the bus had made a request durable, or had refused it.",
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers,
  });
  new Gauge({
    name: METRIC.inFlightBytes,
    help: "Bytes of requests being received, or waiting for the bus.",
    registers,
    collect() {
      this.set(readInFlightBytes());
    },
  });
  return {
    accepted: (signal, records) => accepted.inc({ signal }, records),
    refused: (code) => refused.inc({ code }),
    published: (seconds) => published.observe(seconds),
  };
}

/** How far the indexer is behind the receiver, asked for at each scrape. */
export function registerBusMetrics(registry: MetricRegistry, bus: Pick<Bus, "lag">): void {
  const registers = [registry];
  new Gauge({
    name: METRIC.busLagRecords,
    help: "Records that are durable in the bus and not yet committed by the indexer.",
    registers,
    async collect() {
      this.set((await bus.lag()).records);
    },
  });
  new Gauge({
    name: METRIC.busLagSeconds,
    help: "Age of the oldest message that the indexer has not yet committed.",
    registers,
    async collect() {
      this.set((await bus.lag()).seconds);
    },
  });
}

/** What the index thread counted, taken over at each scrape. */
export function registerIndexMetrics(
  registry: MetricRegistry,
  readStats: () => IndexThreadStats,
): void {
  const count = (name: string, help: string, read: (stats: IndexThreadStats) => number) =>
    registerTotals(registry, { name, help, read: (stats) => [[{}, read(stats)]], readStats });
  registerTotals(registry, {
    name: METRIC.indexedRecords,
    help: "Records that the store has taken, or had already.",
    labelNames: ["kind"],
    read: ({ stored }) => [
      [{ kind: "log" }, stored.log],
      [{ kind: "span" }, stored.span],
    ],
    readStats,
  });
  registerTotals(registry, {
    name: METRIC.deadLetters,
    help: "Records, or whole messages, that the store refused for good, kept with the reason.",
    labelNames: ["reason"],
    read: ({ deadLetters }) => [
      [{ reason: "undecodable" }, deadLetters.undecodable],
      [{ reason: "refused" }, deadLetters.refused],
    ],
    readStats,
  });
  count(
    METRIC.indexExistingRecords,
    "Records that came again and were in the store already.",
    (stats) => stats.existing,
  );
  count(
    METRIC.indexBusySeconds,
    "Time the index thread spent on decoding and writing.",
    (stats) => stats.busyMs / 1000,
  );
  count(
    METRIC.indexRestarts,
    "How often the index thread ended unasked and was started again.",
    (stats) => stats.restarts,
  );
  count(
    METRIC.indexIgnoredTransactionIds,
    "Values under a transaction key that are no transaction IDs.",
    (stats) => stats.ignoredTransactionIds,
  );
}

/** What became of the addresses that live instances announced, when they were last asked for. */
export function registerScrapeMetrics(
  registry: MetricRegistry,
  readCounts: () => ScrapeCounts,
): void {
  new Gauge({
    name: METRIC.scrapeTargets,
    help: "Live instances at the last answer of /sd/prometheus, by what became of their address.",
    labelNames: ["state"],
    registers: [registry],
    collect() {
      for (const [state, count] of Object.entries(readCounts())) this.set({ state }, count);
    },
  });
}

interface Totals {
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly string[];
  readonly read: (
    stats: IndexThreadStats,
  ) => readonly (readonly [labels: Record<string, string>, total: number])[];
  readonly readStats: () => IndexThreadStats;
}

/** A counter that is kept elsewhere: its totals never go back, also when the thread starts anew. */
function registerTotals(registry: MetricRegistry, totals: Totals): void {
  const { name, help, labelNames = [], read, readStats } = totals;
  new Counter({
    name,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    collect() {
      this.reset();
      for (const [labels, total] of read(readStats())) this.inc(labels, total);
    },
  });
}
