import { afterAll, afterEach, beforeAll } from "vitest";
import { Elasticsearch, type ElasticsearchOptions } from "../backends/elasticsearch.ts";
import { KafkaBroker } from "../backends/kafka-broker.ts";
import { readBackendsConfig } from "../config.ts";
import { IndexingBus } from "./kafka-indexing-bus.ts";
import { RealCollector } from "./real-collector.ts";

/** Maven may have to fetch both first. */
const FIRST_START_MS = 600_000;
const STOP_MS = 180_000;

/** A broker and an Elasticsearch for all tests of a suite; processes that end with each test. */
export class ElasticsearchSuite {
  readonly elasticsearch: Elasticsearch;
  readonly broker = new KafkaBroker();
  readonly #collectors: RealCollector[] = [];

  constructor(options: ElasticsearchOptions = {}) {
    this.elasticsearch = new Elasticsearch(options, readBackendsConfig());
    beforeAll(async () => {
      await Promise.all([this.broker.start(), this.elasticsearch.start()]);
    }, FIRST_START_MS);
    afterEach(() => this.#stopCollectors(), STOP_MS);
    afterAll(async () => {
      await Promise.all([this.broker.stop(), this.elasticsearch.stop()]);
    }, STOP_MS);
  }

  /** Topics of its own. */
  async openBus(partitions = 1): Promise<IndexingBus> {
    const bus = new IndexingBus(this.broker.brokers);
    await bus.createTopics(partitions);
    return bus;
  }

  /** A process that has this store; with Kafka where its bus is given. */
  async startCollector(
    env: Readonly<Record<string, string>> = {},
    bus?: IndexingBus,
  ): Promise<RealCollector> {
    const collector = await RealCollector.start({
      CLEW_ELASTICSEARCH_URL: this.elasticsearch.url,
      ...bus?.env,
      ...env,
    });
    this.#collectors.push(collector);
    return collector;
  }

  async #stopCollectors(): Promise<void> {
    await Promise.all(this.#collectors.splice(0).map((collector) => collector.stop()));
  }
}
