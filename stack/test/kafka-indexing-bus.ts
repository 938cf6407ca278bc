import { randomUUID } from "node:crypto";
import { ConfigResourceTypes, Kafka, logLevel } from "kafkajs";
import { vi } from "vitest";
import { logsRequest } from "../../collector/test/otlp-fixtures.ts";
import { KafkaTopics } from "./kafka-topics.ts";
import { RealCollector } from "./real-collector.ts";

const SIGNALS = ["logs", "traces", "metrics", "dead-letters"] as const;
const REQUEST_DEADLINE_MS = 30_000;
/** Below the broker's limit of 1 MiB with values of 100 KB. */
const BATCH_MESSAGES = 8;
const SENDERS = 4;

/** The topics of one bus on a real broker, apart from those of every other test by their prefix. */
export class IndexingBus {
  readonly prefix = `clew-${randomUUID().slice(0, 8)}`;
  readonly #brokers: readonly string[];
  readonly #kafka: Kafka;

  constructor(brokers: readonly string[]) {
    this.#brokers = brokers;
    const retry = { initialRetryTime: 50, maxRetryTime: 500, retries: 20 };
    this.#kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING, retry });
  }

  get group(): string {
    return `${this.prefix}-index`;
  }

  get env(): Readonly<Record<string, string>> {
    return {
      CLEW_KAFKA_BROKERS: this.#brokers.join(),
      CLEW_KAFKA_TOPIC_PREFIX: this.prefix,
    };
  }

  /** The topics, each of so many partitions. */
  async createTopics(partitions = 1): Promise<void> {
    const topics = new KafkaTopics(this.#brokers);
    for (const signal of SIGNALS) await topics.createNamed(`${this.prefix}.${signal}`, partitions);
  }

  startCollector(env: Readonly<Record<string, string>> = {}): Promise<RealCollector> {
    return RealCollector.start({ ...this.env, ...env });
  }

  /** As a foreign producer does: without our headers, and not by way of a collector. */
  async publish(signal: (typeof SIGNALS)[number], values: readonly Buffer[]): Promise<void> {
    const producer = this.#kafka.producer();
    await producer.connect();
    const topic = `${this.prefix}.${signal}`;
    for (let i = 0; i < values.length; i += BATCH_MESSAGES) {
      const messages = values.slice(i, i + BATCH_MESSAGES).map((value) => ({ value }));
      await producer.send({ topic, messages });
    }
    await producer.disconnect();
  }

  /** What the group committed and where each partition ends, summed up. */
  async offsets(): Promise<{ readonly committed: number; readonly end: number }> {
    const admin = this.#kafka.admin();
    await admin.connect();
    try {
      const topics = [`${this.prefix}.logs`, `${this.prefix}.traces`];
      const found = await admin.fetchOffsets({ groupId: this.group, topics });
      const committed = found
        .flatMap(({ partitions }) => partitions)
        .reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0);
      const ends = await Promise.all(topics.map((topic) => admin.fetchTopicOffsets(topic)));
      return { committed, end: ends.flat().reduce((sum, { high }) => sum + Number(high), 0) };
    } finally {
      await admin.disconnect();
    }
  }

  /** How many messages the topic has been given. */
  async endOf(signal: (typeof SIGNALS)[number]): Promise<number> {
    const admin = this.#kafka.admin();
    await admin.connect();
    const partitions = await admin.fetchTopicOffsets(`${this.prefix}.${signal}`);
    await admin.disconnect();
    return partitions.reduce((sum, { high }) => sum + Number(high), 0);
  }

  /** As if nobody had ever read: what the group committed is gone. It must have no members. */
  async deleteGroup(): Promise<void> {
    const admin = this.#kafka.admin();
    await admin.connect();
    await admin.deleteGroups([this.group]);
    await admin.disconnect();
  }

  /** As if an indexer had been killed after it wrote and before it committed. No members. */
  async takeBackCommits(): Promise<void> {
    const admin = this.#kafka.admin();
    await admin.connect();
    const topics = [`${this.prefix}.logs`];
    const [logs] = await admin.fetchOffsets({ groupId: this.group, topics });
    const partitions = (logs?.partitions ?? []).map(({ partition, metadata }) => {
      return { partition, offset: "0", ...(metadata !== null && { metadata }) };
    });
    await admin.setOffsets({ groupId: this.group, topic: `${this.prefix}.logs`, partitions });
    await admin.disconnect();
  }

  /** As an operator does who wants everything read again. The group must have no members. */
  async resetOffsets(): Promise<void> {
    const admin = this.#kafka.admin();
    await admin.connect();
    const groupId = this.group;
    for (const signal of ["logs", "traces"]) {
      await admin.resetOffsets({ groupId, topic: `${this.prefix}.${signal}`, earliest: true });
    }
    await admin.disconnect();
  }

  /** As an operator does who gives messages more room, in every topic. */
  async setMessageBytes(bytes: number): Promise<void> {
    const admin = this.#kafka.admin();
    await admin.connect();
    const configEntries = [{ name: "max.message.bytes", value: String(bytes) }];
    const resources = SIGNALS.map((signal) => {
      const name = `${this.prefix}.${signal}`;
      return { type: ConfigResourceTypes.TOPIC, name, configEntries };
    });
    await admin.alterConfigs({ validateOnly: false, resources });
    await admin.disconnect();
  }

  /** How many members the group has, once their partitions are settled; 0 before. */
  async members(): Promise<number> {
    const admin = this.#kafka.admin();
    await admin.connect();
    try {
      const { groups } = await admin.describeGroups([this.group]);
      const [group] = groups;
      return group?.state === "Stable" ? group.members.length : 0;
    } finally {
      await admin.disconnect();
    }
  }
}

/** One request of logs, whose bodies are the texts. */
export function logsOf(transactionId: string, texts: readonly string[]): Buffer {
  const records = texts.map((body) => ({ body, attributes: { transaction_id: transactionId } }));
  return logsRequest([{ resource: { "service.name": "orders" }, scope: "test", records }]);
}

/** Sends one request over OTLP/HTTP. @returns the status of the answer; 0 where there was none. */
export async function sendLogs(otlpUrl: string, body: Buffer): Promise<number> {
  try {
    const response = await fetch(`${otlpUrl}/v1/logs`, {
      method: "POST",
      headers: { "content-type": "application/x-protobuf" },
      body: new Uint8Array(body),
      signal: AbortSignal.timeout(REQUEST_DEADLINE_MS),
    });
    await response.arrayBuffer();
    return response.status;
  } catch {
    // Killed in between; whether it was taken nobody can say.
    return 0;
  }
}

/** Sends numbered requests of ten logs, several at once, until it is told to stop. */
export class LogLoad {
  /** The texts of every request that was answered 200. */
  readonly acknowledged: string[] = [];
  readonly #transactionId: string;
  readonly #between: () => Promise<unknown>;
  #sent = 0;
  #isOver = false;
  #senders: Promise<void>[] = [];

  /** @param between is waited for before each request, where less is wanted than is possible */
  constructor(transactionId: string, between: () => Promise<unknown> = async () => undefined) {
    this.#transactionId = transactionId;
    this.#between = between;
  }

  start(otlpUrl: string, senders = SENDERS): void {
    this.#senders.push(...Array.from({ length: senders }, () => this.#send(otlpUrl)));
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#senders);
  }

  async #send(otlpUrl: string): Promise<void> {
    while (!this.#isOver) {
      await this.#between();
      const number = String(this.#sent++).padStart(6, "0");
      const texts = Array.from({ length: 10 }, (_, i) => `${this.#transactionId} ${number}-${i}`);
      const status = await sendLogs(otlpUrl, logsOf(this.#transactionId, texts));
      if (status === 200) this.acknowledged.push(...texts);
      // An answer comes before any other work of the process that was killed.
      if (status === 0) return;
    }
  }
}

export async function isReady(collector: RealCollector): Promise<boolean> {
  const response = await fetch(`${collector.queryUrl}/readyz`);
  await response.arrayBuffer();
  return response.status === 200;
}

/** The texts of the transaction's records that this collector has stored. */
export async function textsOf(collector: RealCollector, transactionId: string): Promise<string[]> {
  const records = await collector.api.recordsOf(transactionId);
  return records.map(({ message }) => message).toSorted();
}

/** The value of one sample of `/metrics`, by its name and labels as they stand there. */
export async function metricOf(collector: RealCollector, sample: string): Promise<number> {
  const text = await (await fetch(`${collector.queryUrl}/metrics`)).text();
  const line = text.split("\n").find((each) => each.startsWith(`${sample} `));
  return Number(line?.slice(sample.length));
}

const waitLong = { timeout: 60_000, interval: 200 };

export function until(condition: () => Promise<void>): Promise<void> {
  return vi.waitFor(condition, waitLong);
}
