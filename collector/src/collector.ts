/** All roles in one process: receiver, bus, indexer, embedded store, query API, page. */

import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Bus } from "./bus/bus.ts";
import { openBus } from "./bus/open-bus.ts";
import type { Config } from "./config.ts";
import { ClewError, toClewError } from "./errors.ts";
import { FolderBytes } from "./folder-bytes.ts";
import { type IndexThread, startIndexThread } from "./indexer/index-thread.ts";
import {
  createRegistry,
  type MetricRegistry,
  registerBusMetrics,
  registerIndexMetrics,
  registerScrapeMetrics,
} from "./metrics.ts";
import type { StoreNews } from "./query/log-tails.ts";
import { QueryServer } from "./query/query-server.ts";
import { ScrapeTargets } from "./query/scrape-targets.ts";
import { ElasticsearchDoor } from "./receive/documents/elasticsearch-door.ts";
import { NdjsonDoor } from "./receive/documents/ndjson-door.ts";
import { GrpcReceiver } from "./receive/grpc/grpc-receiver.ts";
import { HttpReceiver, RECEIVE_TIMEOUTS } from "./receive/http-receiver.ts";
import { Intake } from "./receive/intake.ts";
import { OtlpDoor } from "./receive/otlp-door.ts";
import { SyslogReceiver } from "./receive/syslog/syslog-receiver.ts";
import { createQueryThread } from "./store/query-thread.ts";
import type { StoreReader } from "./store/store.ts";

export interface CollectorOptions {
  /** Hears one line each time something went wrong that does not end the process. */
  readonly report: (line: string) => void;
}

export interface Collector {
  /** The ports in use, where the configuration said 0. */
  readonly ports: {
    readonly port: number;
    readonly otlpHttpPort: number;
    readonly otlpGrpcPort: number;
    readonly syslogPort: number | undefined;
  };
  /** Resolves once everything accepted is durable and everything is closed; may be called twice. */
  stop(): Promise<void>;
}

/** Requests under way when the process is told to end get so long to arrive and be answered. */
const RECEIVER_STOP_MS_MAX = 5000;
/** What is in the bus is durable and indexed after the next start, so this is only courtesy. */
const INDEX_DRAIN_MS_MAX = 3000;
const INDEX_DRAIN_POLL_MS = 20;

const PAGE_DIR = fileURLToPath(new URL("../web/dist", import.meta.url));

/**
 * Starts every part, in the order in which records pass through them. Where one cannot start, those
 * before it are stopped again.
 * @throws ClewError PORT_IN_USE, DATA_DIR_IN_USE, CONFIG_INVALID, STORE_UNAVAILABLE, …
 */
export async function startCollector(
  config: Config,
  options: CollectorOptions,
): Promise<Collector> {
  const running = new RunningParts();
  try {
    return await startParts({ config, report: options.report, running });
  } catch (error) {
    await running.stop();
    throw error;
  }
}

async function startParts(request: {
  config: Config;
  report: (line: string) => void;
  running: RunningParts;
}): Promise<Collector> {
  const { config, report, running } = request;
  const registry = createRegistry();
  const news = new StoredNews();
  const stored = await watchStore(config, report);
  running.stored = stored;
  const otherBytes = () => stored?.bytes ?? 0;
  const { bus, reader: openBusReader } = await openBus({ config, otherBytes, nowNs, report });
  running.bus = bus;
  const indexer = await startIndexThread({
    dataDir: config.dataDir,
    openBus: openBusReader,
    transactionKeys: config.transactionKeys,
    retentionDays: config.retentionDays,
    onStored: () => news.announce(),
    report,
  });
  running.indexer = indexer;
  const reader = createQueryThread({ dir: join(config.dataDir, "store") });
  running.reader = reader;
  registerBusMetrics(registry, bus);
  registerIndexMetrics(registry, () => indexer.stats);
  const targets = new ScrapeTargets({ reader, networks: config.scrapeNetworks, nowNs });
  registerScrapeMetrics(registry, () => targets.counts);
  const query = new QueryServer({
    config,
    reader,
    news,
    targets,
    metrics: registry,
    parts: [
      { name: "bus", check: () => bus.check() },
      { name: "indexer", check: () => checkIndexer(indexer) },
      { name: "store", check: () => reader.check() },
    ],
    pageDir: PAGE_DIR,
    nowNs,
    onFault: (error) => report(describeFault(error)),
  });
  running.query = query;
  // A port that is taken is found before anybody was told 200.
  const { port } = await query.start();
  const intake = new Intake({ config, bus, registry, nowNs });
  const receiver = new HttpReceiver({
    config,
    doors: [
      new ElasticsearchDoor({ config, intake, bodyTimeoutMs: RECEIVE_TIMEOUTS.bodyMs, nowNs }),
      new NdjsonDoor({ config, intake, bodyTimeoutMs: RECEIVE_TIMEOUTS.bodyMs, nowNs }),
      new OtlpDoor({ config, intake, bodyTimeoutMs: RECEIVE_TIMEOUTS.bodyMs }),
    ],
    timeouts: { stopMs: RECEIVER_STOP_MS_MAX },
  });
  running.receiver = receiver;
  const { port: otlpHttpPort } = await receiver.start();
  const grpcReceiver = new GrpcReceiver({
    config,
    intake,
    timeouts: { stopMs: RECEIVER_STOP_MS_MAX },
  });
  running.grpcReceiver = grpcReceiver;
  const { port: otlpGrpcPort } = await grpcReceiver.start();
  const syslogPort = await startSyslog({ config, intake, registry, report, running });
  const ports = { port, otlpHttpPort, otlpGrpcPort, syslogPort };
  return { ports, stop: () => running.stop() };
}

/** Answers the port in use; there is none where nobody asked for one. */
async function startSyslog(request: {
  config: Config;
  intake: Intake;
  registry: MetricRegistry;
  report: (line: string) => void;
  running: RunningParts;
}): Promise<number | undefined> {
  const { config, running, ...rest } = request;
  const { syslogPort } = config;
  if (syslogPort === undefined) return undefined;
  const syslog = new SyslogReceiver({ ...rest, config: { ...config, syslogPort }, nowNs });
  running.syslog = syslog;
  return (await syslog.start()).port;
}

/** Without a limit nobody asks how large the store is. */
async function watchStore(
  { dataDir, diskLimitBytes }: Config,
  report: (line: string) => void,
): Promise<FolderBytes | undefined> {
  if (diskLimitBytes === 0) return undefined;
  const onFault = (cause: unknown) => report(describeFault(toClewError(cause)));
  return FolderBytes.watch(join(dataDir, "store"), onFault);
}

/** Everything that was started, and the order in which it ends: against the stream of records. */
class RunningParts {
  receiver: HttpReceiver | undefined;
  grpcReceiver: GrpcReceiver | undefined;
  syslog: SyslogReceiver | undefined;
  bus: Bus | undefined;
  indexer: IndexThread | undefined;
  query: QueryServer | undefined;
  reader: StoreReader | undefined;
  stored: FolderBytes | undefined;
  #stopped: Promise<void> | undefined;

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.stored?.stop();
    await Promise.all([this.receiver?.stop(), this.grpcReceiver?.stop(), this.syslog?.stop()]);
    if (this.receiver && this.bus && this.indexer) await drain(this.bus, this.indexer);
    await this.query?.stop();
    await this.indexer?.stop();
    await this.reader?.stop();
    await this.bus?.stop();
  }
}

/** Gives the indexer a bounded time for what is in the bus, while it gets on. */
async function drain(bus: Bus, indexer: IndexThread): Promise<void> {
  const endMs = performance.now() + INDEX_DRAIN_MS_MAX;
  while (performance.now() < endMs && indexer.stats.isRunning) {
    // A bus that is away cannot be read either.
    const lag = await bus.lag().catch(() => undefined);
    if (lag === undefined || lag.messages === 0) return;
    await wait(INDEX_DRAIN_POLL_MS);
  }
}

/** Tells the live tails that there may be new records. */
class StoredNews implements StoreNews {
  readonly #listeners = new Set<() => void>();

  onStored(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  announce(): void {
    for (const listener of this.#listeners) listener();
  }
}

async function checkIndexer({ stats }: IndexThread): Promise<void> {
  const { isRunning, lastError } = stats;
  if (isRunning && lastError === undefined) return;
  const why = lastError ?? "the index thread is starting again";
  throw new ClewError("STORE_UNAVAILABLE", why);
}

function describeFault(error: ClewError): string {
  const cause = error.cause instanceof Error ? error.cause.stack : undefined;
  return cause ?? error.stack ?? error.message;
}

/** Unix time: the clock's milliseconds, in the unit of OTLP. */
function nowNs(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}
