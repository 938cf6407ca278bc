/** The role `query`: the page, the query API; and the port of a process that has other roles. */
import { fileURLToPath } from "node:url";
import { type CollectorContext, describeFault } from "./collector-context.ts";
import type { ClewError } from "./errors.ts";
import { registerScrapeMetrics } from "./metrics.ts";
import { HealthServer } from "./query/health-server.ts";
import { createJaegerPort } from "./query/jaeger/jaeger-port.ts";
import { QueryServer } from "./query/query-server.ts";
import { ScrapeTargets } from "./query/scrape-targets.ts";
import { elasticsearchConnection } from "./store/elasticsearch/elasticsearch-config.ts";
import { openStoreReader } from "./store/open-store-reader.ts";

const PAGE_DIR = fileURLToPath(new URL("../web/dist", import.meta.url));

/** @throws ClewError PORT_IN_USE, CONFIG_INVALID */
export async function startQuery(
  context: CollectorContext,
): Promise<{ port: number; jaegerPort: number }> {
  const { config, registry, running, bus, news, parts, nowNs, report } = context;
  const reader = await openStoreReader(config);
  running.reader = reader;
  parts.push({ name: "store", check: () => reader.check() });
  const targets = new ScrapeTargets({ reader, networks: config.scrapeNetworks, nowNs });
  registerScrapeMetrics(registry, () => targets.counts);
  const query = new QueryServer({
    ...{ config, reader, news, targets, parts, nowNs },
    metrics: registry,
    busLag: () => bus.lag(),
    letterBus: bus,
    pageDir: PAGE_DIR,
    onFault: (error) => report(describeFault(error)),
  });
  running.server = query;
  const { port } = await query.start();
  const onFault = (error: ClewError) => report(describeFault(error));
  const jaeger = createJaegerPort({ config, store: reader, onFault });
  running.jaeger = jaeger;
  return { port, jaegerPort: (await jaeger.start()).port };
}

/** Probes and metrics only. @throws ClewError PORT_IN_USE, CONFIG_INVALID */
export async function startHealth(
  context: CollectorContext,
): Promise<{ port: number; jaegerPort: undefined }> {
  const { config, registry, running, parts, report } = context;
  if (config.roles.includes("index")) await watchStore(context);
  const onFault = (error: Parameters<typeof describeFault>[0]) => report(describeFault(error));
  const server = new HealthServer({ config, metrics: registry, parts, onFault });
  running.server = server;
  return { ...(await server.start()), jaegerPort: undefined };
}

/** The indexer has a word of its own only once it has something to write. */
async function watchStore({ config, running, parts }: CollectorContext): Promise<void> {
  const { elasticsearch } = config;
  if (elasticsearch === undefined) return;
  const { createElasticsearchClient } = await import("./store/elasticsearch/client.ts");
  const { checkElasticsearch } = await import("./store/elasticsearch/check-elasticsearch.ts");
  const client = createElasticsearchClient(elasticsearchConnection(elasticsearch));
  running.storeWatch = { stop: () => client.close() };
  const check = async () => {
    await checkElasticsearch(client);
  };
  parts.push({ name: "store", check });
}
