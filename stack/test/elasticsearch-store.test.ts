import { describe, vi } from "vitest";
import { storeContract } from "../../collector/src/store/store.contract.ts";
import { requireElasticsearch } from "../backends/elasticsearch-java.ts";
import { ElasticsearchStores, type OpenStore } from "./elasticsearch-stores.ts";

/** A new data stream takes a second where the machine is busy. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

describe.skipIf(!requireElasticsearch("the store on a real Elasticsearch 9"))("version 9", () => {
  const stores = new ElasticsearchStores();
  const withReopen = (store: OpenStore) => ({
    ...store,
    reopen: async () => withReopen(stores.open(store.streams)),
  });
  storeContract("Elasticsearch", async () => withReopen(stores.open()), { expiresDays: false });
});
