/** The collector: the parts of the roles that this process has, in the order records pass them. */

import { join } from "node:path";
import { openBus } from "./bus/open-bus.ts";
import { type CollectorContext, describeFault } from "./collector-context.ts";
import { startIndex } from "./collector-index.ts";
import { startIngest } from "./collector-ingest.ts";
import { startHealth, startQuery } from "./collector-query.ts";
import type { Config, Role } from "./config.ts";
import { toClewError } from "./errors.ts";
import { FolderBytes } from "./folder-bytes.ts";
import { createRegistry, registerBusMetrics } from "./metrics.ts";
import { RunningParts } from "./running-parts.ts";
import { StoredNews } from "./stored-news.ts";

export interface CollectorOptions {
  /** Hears one line each time something went wrong that does not end the process. */
  readonly report: (line: string) => void;
}

export interface Collector {
  /** The ports in use, where the configuration said 0; undefined where the role has none. */
  readonly ports: {
    readonly port: number;
    readonly otlpHttpPort: number | undefined;
    readonly otlpGrpcPort: number | undefined;
    readonly syslogPort: number | undefined;
    readonly jaegerPort: number | undefined;
  };
  /** Resolves once everything accepted is durable and everything is closed; may be called twice. */
  stop(): Promise<void>;
}

/** How late a live tail hears of records that another process stored. */
const NEWS_POLL_MS = 1000;
const NO_DOORS = { otlpHttpPort: undefined, otlpGrpcPort: undefined, syslogPort: undefined };

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
  const has = (role: Role) => config.roles.includes(role);
  const registry = createRegistry();
  const stored = await watchStore(config, report);
  running.stored = stored;
  const otherBytes = () => stored?.bytes ?? 0;
  const { bus, reader: busReader } = await openBus({ config, otherBytes, nowNs, report });
  running.bus = bus;
  registerBusMetrics(registry, bus);
  const news = new StoredNews(config.elasticsearch === undefined ? undefined : NEWS_POLL_MS);
  const parts = has("ingest") || has("index") ? [{ name: "bus", check: () => bus.check() }] : [];
  const context: CollectorContext = { config, registry, running, bus, news, parts, nowNs, report };
  if (has("index")) await startIndex(context, busReader);
  // A port that is taken is found before anybody was told 200.
  const asked = await (has("query") ? startQuery(context) : startHealth(context));
  const doors = has("ingest") ? await startIngest(context) : NO_DOORS;
  return { ports: { ...asked, ...doors }, stop: () => running.stop() };
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

/** Unix time: the clock's milliseconds, in the unit of OTLP. */
function nowNs(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}
