import { afterAll, afterEach, beforeAll } from "vitest";
import { createElasticsearchClient } from "../../collector/src/store/elasticsearch/client.ts";
import {
  type ElasticsearchStoreWriterOptions,
  openElasticsearchStoreWriter,
} from "../../collector/src/store/elasticsearch/elasticsearch-store-writer.ts";
import type { StoreStreams } from "../../collector/src/store/elasticsearch/reader/store-streams.ts";
import {
  type ElasticsearchSetup,
  setUpElasticsearch,
} from "../../collector/src/store/elasticsearch/set-up-elasticsearch.ts";
import type { StoreWriter } from "../../collector/src/store/store.ts";
import { Elasticsearch, type ElasticsearchOptions } from "../backends/elasticsearch.ts";
import { readBackendsConfig } from "../config.ts";
import { requestElasticsearch } from "./elasticsearch-request.ts";

/** Maven may have to fetch it first. */
const FIRST_START_MS = 600_000;
const STOP_MS = 60_000;
const CONNECT_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 30_000;
const RETENTION_DAYS = 7;

/** One Elasticsearch, set up as `clew setup` does, and data streams for each test. */
export class BulkSuite {
  readonly elasticsearch: Elasticsearch;
  readonly #writers: StoreWriter[] = [];
  #streams = 0;

  constructor(options: ElasticsearchOptions = {}) {
    this.elasticsearch = new Elasticsearch(options, readBackendsConfig());
    beforeAll(async () => {
      await this.elasticsearch.start();
      await this.setUp();
    }, FIRST_START_MS);
    afterEach(async () => {
      await Promise.all(this.#writers.splice(0).map((writer) => writer.stop()));
    }, STOP_MS);
    afterAll(() => this.elasticsearch.stop(), STOP_MS);
  }

  get connection(): ElasticsearchStoreWriterOptions["connection"] {
    const { url, headers, ca } = this.elasticsearch;
    return {
      ...{ urls: [url], headers, ca },
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
    };
  }

  async setUp(): Promise<ElasticsearchSetup> {
    const client = createElasticsearchClient(this.connection);
    try {
      return await setUpElasticsearch({ client, retentionDays: RETENTION_DAYS });
    } finally {
      await client.close();
    }
  }

  newStreams(): StoreStreams {
    const own = `bulk${++this.#streams}`;
    return {
      logs: `logs-clew-${own}`,
      traces: `traces-clew-${own}`,
      deadLetters: `clew-dead-letters-${own}`,
    };
  }

  openWriter(options: Partial<ElasticsearchStoreWriterOptions> = {}): StoreWriter {
    const { connection } = this;
    const writer = openElasticsearchStoreWriter({ connection, ...options });
    this.#writers.push(writer);
    return writer;
  }

  ask(method: string, path: string, body?: unknown): Promise<unknown> {
    return requestElasticsearch(this.elasticsearch, { method, path, body });
  }

  /** Ids of all documents of a stream, over all of its indices, in order. */
  async ids(stream: string, query: object = { match_all: {} }): Promise<readonly string[]> {
    await this.ask("POST", `/${stream}/_refresh`);
    const body = { query, size: 10_000, _source: false };
    const found = (await this.ask("POST", `/${stream}/_search`, body)) as {
      readonly hits: { readonly hits: readonly { readonly _id: string }[] };
    };
    return found.hits.hits.map(({ _id }) => _id).toSorted();
  }

  /** The index that the next document of the stream goes to. */
  async writeIndex(stream: string): Promise<string> {
    const found = (await this.ask("GET", `/_resolve/index/${stream}`)) as {
      readonly data_streams: readonly { readonly backing_indices: string | readonly string[] }[];
    };
    return [found.data_streams[0]?.backing_indices ?? []].flat().at(-1) ?? "";
  }

  async settings(stream: string, settings: object): Promise<void> {
    await this.ask("PUT", `/${stream}/_settings`, { index: settings });
  }
}
