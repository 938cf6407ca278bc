/** The role `index`: the thread that moves records from the bus into the store. */
import { join } from "node:path";
import type { CollectorContext } from "./collector-context.ts";
import type { Config } from "./config.ts";
import { ClewError } from "./errors.ts";
import type { BusReaderData } from "./indexer/bus-reader.ts";
import { type IndexThread, startIndexThread } from "./indexer/index-thread.ts";
import type { StoreWriterData } from "./indexer/open-store-writer.ts";
import { registerElasticsearchMetrics, registerIndexMetrics } from "./metrics.ts";
import { elasticsearchConnection } from "./store/elasticsearch/elasticsearch-config.ts";

/** @param openBus asked for anew at each start of the thread */
export async function startIndex(
  context: CollectorContext,
  openBus: () => BusReaderData,
): Promise<void> {
  const { config, registry, running, news, parts, report } = context;
  const { dataDir, transactionKeys, retentionDays } = config;
  const indexer = await startIndexThread({
    ...{ dataDir, openBus, transactionKeys, retentionDays, report },
    store: storeWriterData(config),
    onStored: () => news.announce(),
  });
  running.indexer = indexer;
  registerIndexMetrics(registry, () => indexer.stats);
  if (config.elasticsearch) registerElasticsearchMetrics(registry, () => indexer.stats.writes);
  parts.push({ name: "indexer", check: () => checkIndexer(indexer) });
}

function storeWriterData({ dataDir, elasticsearch, retentionDays }: Config): StoreWriterData {
  if (elasticsearch === undefined) return { kind: "embedded", dir: join(dataDir, "store") };
  const connection = elasticsearchConnection(elasticsearch);
  return { kind: "elasticsearch", connection, retentionDays };
}

async function checkIndexer({ stats }: IndexThread): Promise<void> {
  const { isRunning, lastError } = stats;
  if (isRunning && lastError === undefined) return;
  const why = lastError ?? "the index thread is starting again";
  throw new ClewError("STORE_UNAVAILABLE", why);
}
