import { afterAll, beforeAll } from "vitest";
import { createElasticsearchClient } from "../../collector/src/store/elasticsearch/client.ts";
import {
  type ElasticsearchStoreReaderOptions,
  openElasticsearchStoreReader,
} from "../../collector/src/store/elasticsearch/elasticsearch-store-reader.ts";
import {
  type ElasticsearchStoreWriterOptions,
  openElasticsearchStoreWriter,
} from "../../collector/src/store/elasticsearch/elasticsearch-store-writer.ts";
import {
  type ElasticsearchSetupOptions,
  setUpElasticsearch,
} from "../../collector/src/store/elasticsearch/set-up-elasticsearch.ts";
import type { StoreReader, StoreWriter } from "../../collector/src/store/store.ts";
import { Elasticsearch, type ElasticsearchOptions } from "../backends/elasticsearch.ts";
import { readBackendsConfig } from "../config.ts";

type Connection = ElasticsearchStoreWriterOptions["connection"];
type StoreStreams = NonNullable<ElasticsearchStoreWriterOptions["streams"]>;

/** Maven may have to fetch it first. */
const FIRST_START_MS = 600_000;
const STOP_MS = 60_000;
const RETENTION_DAYS = 7;
const CONNECT_TIMEOUT_MS = 5000;
/** A busy machine may stand still for seconds. */
const REQUEST_TIMEOUT_MS = 60_000;
const QUERY_TIME_LIMIT_MS = 60_000;

export interface OpenStore {
  readonly writer: StoreWriter;
  readonly reader: StoreReader;
  readonly streams: StoreStreams;
}

/** Any number of stores in one real Elasticsearch, which runs for all tests of a file. */
export class ElasticsearchStores {
  readonly server: Elasticsearch;
  #stores = 0;

  constructor(options: ElasticsearchOptions = {}) {
    this.server = new Elasticsearch(options, readBackendsConfig());
    beforeAll(async () => {
      await this.server.start();
      const client = createElasticsearchClient(this.connection);
      const setup: ElasticsearchSetupOptions = { client, retentionDays: RETENTION_DAYS };
      await setUpElasticsearch(setup);
      await client.close();
    }, FIRST_START_MS);
    afterAll(() => this.server.stop(), STOP_MS);
  }

  get connection(): Connection {
    return {
      urls: [this.server.url],
      headers: this.server.headers,
      ca: this.server.ca,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
    };
  }

  /** Streams that hold nothing; they are made when they are written to. */
  newStreams(): StoreStreams {
    const name = `test${++this.#stores}`;
    return {
      logs: `logs-clew-${name}`,
      traces: `traces-clew-${name}`,
      deadLetters: `clew-dead-letters-${name}`,
    };
  }

  open(streams: StoreStreams = this.newStreams()): OpenStore {
    const writer = openElasticsearchStoreWriter({ connection: this.connection, streams });
    return { writer, reader: this.openReader(streams), streams };
  }

  openReader(
    streams: StoreStreams,
    options: Partial<ElasticsearchStoreReaderOptions> = {},
  ): StoreReader {
    return openElasticsearchStoreReader({
      client: createElasticsearchClient(this.connection),
      ...{ streams, queryTimeLimitMs: QUERY_TIME_LIMIT_MS, ...options },
    });
  }

  /** The stream goes on in a new index. */
  async rollOver(stream: string): Promise<void> {
    await this.#request("POST", `${stream}/_rollover`);
  }

  /** As the server's own retention does: the oldest index of the stream goes, with all in it. */
  async deleteOldestIndex(stream: string): Promise<void> {
    const client = createElasticsearchClient(this.connection);
    const { indices } = await client.indices.stats({ index: stream });
    await client.close();
    const [oldest] = Object.keys(indices ?? {}).toSorted();
    await this.#request("DELETE", String(oldest));
  }

  async #request(method: string, path: string): Promise<void> {
    const client = createElasticsearchClient(this.connection);
    await client.transport.request({ method, path: `/${path}` });
    await client.close();
  }
}
