/** The only place that knows prom-client: each part of the process asks here for its metrics. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Bus, BusLag } from "./bus/bus.ts";
import type { ErrorCode } from "./errors.ts";
import type { IndexThreadStats } from "./indexer/index-thread.ts";
import type { Signal } from "./otlp/otlp-schema.ts";
import type { ScrapeCounts } from "./query/scrape-targets.ts";
import type { SyslogCounts } from "./receive/syslog/syslog-counts.ts";
import type { WriteFigures } from "./store/store.ts";
import { METRIC } from "./wire-names.ts";

export type MetricRegistry = Registry;

/** A registry that has the process's own metrics already: CPU, memory, event-loop delay. */
export function createRegistry(): MetricRegistry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}

export interface ReceiveMetrics {
  accepted(signal: Signal, records: number): void;
  tooLarge(records: number): void;
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
  const tooLarge = new Counter({
    name: METRIC.tooLargeRecords,
    help: "Of the acknowledged records, those larger than a message of the bus: dead letters.",
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
    tooLarge: (records) => tooLarge.inc(records),
    refused: (code) => refused.inc({ code }),
    published: (seconds) => published.observe(seconds),
  };
}

/** How far the indexer is behind the receiver, asked for at each scrape; NaN where nobody knows. */
export function registerBusMetrics(registry: MetricRegistry, bus: Pick<Bus, "lag">): void {
  const registers = [registry];
  // Whether the bus is away is for /readyz to say: all other metrics are to be had meanwhile.
  const readLag = () => bus.lag().catch(() => NO_LAG);
  new Gauge({
    name: METRIC.busLagRecords,
    help: "Records that are durable in the bus and not yet committed by the indexer.",
    registers,
    async collect() {
      this.set((await readLag()).records);
    },
  });
  new Gauge({
    name: METRIC.busLagSeconds,
    help: "Age of the oldest message that the indexer has not yet committed.",
    registers,
    async collect() {
      this.set((await readLag()).seconds);
    },
  });
}

const NO_LAG: BusLag = { messages: Number.NaN, records: Number.NaN, seconds: Number.NaN };

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

/** How Elasticsearch is written, taken over from the index thread at each scrape. */
export function registerElasticsearchMetrics(
  registry: MetricRegistry,
  readFigures: () => WriteFigures | undefined,
): void {
  const readStats = () => readFigures() ?? NO_WRITES;
  const count = (name: string, help: string, read: (figures: WriteFigures) => number) =>
    registerTotals(registry, { name, help, read: (stats) => [[{}, read(stats)]], readStats });
  const level = (name: string, help: string, read: (figures: WriteFigures) => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read(readStats()));
      },
    });
  count(METRIC.elasticsearchRequests, "Bulk requests sent.", ({ requests }) => requests);
  count(METRIC.elasticsearchBytes, "Bytes of those that were taken.", ({ bytes }) => bytes);
  count(
    METRIC.elasticsearchRepeats,
    "Bulk requests that were refused for a while, whole or in part, or had no answer.",
    ({ repeats }) => repeats,
  );
  level(
    METRIC.elasticsearchInFlight,
    "Bulk requests that wait for their answer.",
    ({ inFlight }) => inFlight,
  );
  level(
    METRIC.elasticsearchWantedBytes,
    "How large a bulk request is made, by what the cluster takes.",
    ({ wantedBytes }) => wantedBytes,
  );
}

const NO_WRITES: WriteFigures = { requests: 0, bytes: 0, repeats: 0, inFlight: 0, wantedBytes: 0 };

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

export interface SyslogMetrics
  extends Pick<
    SyslogCounts,
    "messages" | "marked" | "dropped" | "refusedConnections" | "connections"
  > {
  readonly waitingBytes: number;
}

/** What became of messages that came by syslog, asked for at each scrape. */
export function registerSyslogMetrics(
  registry: MetricRegistry,
  readStats: () => Promise<SyslogMetrics>,
): void {
  registerTotals(registry, {
    name: METRIC.syslogMessages,
    help: "Messages that came by syslog, by how much of each could be read.",
    labelNames: ["transport", "format"],
    read: ({ messages }) =>
      Object.entries(messages).flatMap(([transport, formats]) =>
        Object.entries(formats).map(([format, count]) => [{ transport, format }, count] as const),
      ),
    readStats,
  });
  const byReason = (
    name: string,
    help: string,
    read: (stats: SyslogMetrics) => Readonly<Record<string, number>>,
  ) =>
    registerTotals(registry, {
      name,
      help,
      labelNames: ["reason"],
      read: (stats: SyslogMetrics) =>
        Object.entries(read(stats)).map(([reason, count]) => [{ reason }, count] as const),
      readStats,
    });
  byReason(
    METRIC.syslogMarkedMessages,
    "Messages kept in pieces because they were too long, or cut off by their connection's end.",
    (stats) => stats.marked,
  );
  byReason(METRIC.syslogDroppedMessages, "Messages lost, by the reason.", (stats) => stats.dropped);
  byReason(
    METRIC.syslogRefusedConnections,
    "Connections that were closed at once, by the reason.",
    (stats) => stats.refusedConnections,
  );
  const level = (name: string, help: string, read: (stats: SyslogMetrics) => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        this.set(read(await readStats()));
      },
    });
  level(METRIC.syslogConnections, "Connections that are open.", (stats) => stats.connections);
  level(
    METRIC.syslogWaitingBytes,
    "Bytes of messages that the bus has not taken yet.",
    (stats) => stats.waitingBytes,
  );
}

interface Totals<Stats> {
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly string[];
  readonly read: (
    stats: Stats,
  ) => readonly (readonly [labels: Record<string, string>, total: number])[];
  readonly readStats: () => Stats | Promise<Stats>;
}

/** A counter that is kept elsewhere: its totals never go back, also when the thread starts anew. */
function registerTotals<Stats>(registry: MetricRegistry, totals: Totals<Stats>): void {
  const { name, help, labelNames = [], read, readStats } = totals;
  new Counter({
    name,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    async collect() {
      const stats = await readStats();
      this.reset();
      for (const [labels, total] of read(stats)) this.inc(labels, total);
    },
  });
}
