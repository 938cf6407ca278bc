import { join } from "node:path";
import type { Config } from "../config.ts";
import { elasticsearchConnection } from "./elasticsearch/elasticsearch-config.ts";
import { createQueryThread } from "./query-thread.ts";
import type { StoreReader } from "./store.ts";

/**
 * Opens the reading end of the store that the configuration asks for: Elasticsearch, which is asked
 * from this thread and whose client is loaded only then, or the one in the data directory, which is
 * read in a thread of its own.
 */
export async function openStoreReader({
  dataDir,
  elasticsearch,
}: Pick<Config, "dataDir" | "elasticsearch">): Promise<StoreReader> {
  if (elasticsearch === undefined) return createQueryThread({ dir: join(dataDir, "store") });
  const { createElasticsearchClient } = await import("./elasticsearch/client.ts");
  const { openElasticsearchStoreReader } = await import(
    "./elasticsearch/elasticsearch-store-reader.ts"
  );
  const client = createElasticsearchClient(elasticsearchConnection(elasticsearch));
  return openElasticsearchStoreReader({ client });
}
