import type { Admin, Kafka } from "kafkajs";
import { ClewError } from "../../errors.ts";
import {
  type Bus,
  type BusConsumer,
  type BusLag,
  type OutgoingMessage,
  type Position,
  TOPICS,
  type Topic,
} from "../bus.ts";
import { BatchSender } from "./batch-sender.ts";
import { BrokerWatch } from "./broker-watch.ts";
import type { KafkaConfig } from "./config.ts";
import { type BatchPosition, GroupCommit } from "./group-commit.ts";
import { createKafkaClient } from "./kafka-client.ts";
import { KafkaLag } from "./kafka-lag.ts";
import { INDEXED_TOPICS, indexGroup, openKafkaReader } from "./kafka-reader.ts";
import { partitionName, topicName } from "./kafka-topics.ts";
import { encodeRecordBatch } from "./record-batch.ts";
import { RECORD_OVERHEAD_BYTES } from "./records.ts";
import { TopicLimits } from "./topic-limits.ts";

export interface KafkaBusOptions {
  readonly config: KafkaConfig;
  /** Bytes of values that may wait for the broker. */
  readonly maxInFlightBytes: number;
  /** Hears of trouble and of its end, one line each. */
  readonly report: (line: string) => void;
  /** How long a message waits for others to travel with; `GATHER_MS` where absent. */
  readonly gatherMs?: number;
  /** What the indexer reads; `INDEXED_TOPICS` where absent. */
  readonly indexedTopics?: readonly Topic[];
}

/** 1 to 5 ms cost the same CPU under load; more is only slower (docs/kafka.md). */
const GATHER_MS = 2;
const BATCH_BYTES_MAX = 1024 * 1024;
/** Room of the longest request id that is minted, or of a short one and the id of a record. */
const REQUEST_ID_BYTES_MAX = 512;
/** A leader is chosen anew, or a broker restarted, in less; after that nobody waits in vain. */
const PATIENCE_MS = 3_000;
const STOP_TIMEOUT_MS = 2_000;

/** The durable queue in Kafka: a message is durable once all replicas in sync have it. */
export class KafkaBus implements Bus {
  readonly keepsMetrics = true;
  readonly #options: KafkaBusOptions;
  readonly #client: Kafka;
  readonly #admin: Admin;
  readonly #sender: BatchSender;
  readonly #limits: TopicLimits;
  readonly #watch: BrokerWatch;
  readonly #lag: KafkaLag;
  readonly #commits: ReadonlyMap<Topic, GroupCommit>;
  readonly #consumers = new Set<BusConsumer>();
  readonly #sends = new Set<Promise<unknown>>();
  #inFlightBytes = 0;
  #stopping: Promise<void> | undefined;

  /**
   * Connects, or goes on trying where the broker is away or a topic missing: `check` says so until
   * then.
   * @throws ClewError BUS_REFUSED where Kafka refuses us.
   */
  static async open(options: KafkaBusOptions): Promise<KafkaBus> {
    const bus = new KafkaBus(options);
    try {
      await bus.#watch.start();
    } catch (error) {
      await bus.stop();
      throw error;
    }
    return bus;
  }

  private constructor(options: KafkaBusOptions) {
    const { config, report, gatherMs = GATHER_MS } = options;
    const names = TOPICS.map((topic) => topicName(config.topicPrefix, topic));
    this.#options = options;
    this.#client = createKafkaClient({ config, clientId: `${config.topicPrefix}-receive` });
    this.#admin = this.#client.admin();
    this.#lag = new KafkaLag({ client: this.#client, admin: this.#admin, ...this.#readers });
    this.#sender = new BatchSender(this.#client);
    this.#limits = new TopicLimits(names);
    this.#watch = new BrokerWatch({
      admin: this.#admin,
      topics: names,
      limits: this.#limits,
      connect: () => this.#sender.connect(),
      report,
    });
    const batchBytesMax = () => Math.min(BATCH_BYTES_MAX, this.#limits.recordsBytesMax);
    const commits = TOPICS.map((topic): [Topic, GroupCommit] => {
      const send = (messages: readonly OutgoingMessage[]) => this.#send(topic, messages);
      return [topic, new GroupCommit({ waitMs: gatherMs, batchBytesMax, send })];
    });
    this.#commits = new Map(commits);
  }

  get maxMessageBytes(): number {
    const largest = this.#limits.recordsBytesMax - RECORD_OVERHEAD_BYTES - REQUEST_ID_BYTES_MAX;
    return Math.max(1, Math.min(largest, this.#options.maxInFlightBytes));
  }

  async publish(message: OutgoingMessage): Promise<Position> {
    const { topic, value } = message;
    this.#refuse(message);
    this.#inFlightBytes += value.length;
    try {
      const { partition, offset } = await (this.#commits.get(topic) as GroupCommit).add(message);
      const position = { partition: partitionName({ topic, partition }), offset };
      this.#lag.published(position, message.headers);
      return position;
    } finally {
      this.#inFlightBytes -= value.length;
    }
  }

  async openConsumer(from: ReadonlyMap<string, number>): Promise<BusConsumer> {
    if (this.#stopping !== undefined) throw stopped("open a consumer");
    const { config, report } = this.#options;
    const { topics } = this.#readers;
    const consumer = await openKafkaReader({ config, topics, from, report });
    this.#consumers.add(consumer);
    return consumer;
  }

  lag(): Promise<BusLag> {
    return this.#lag.read();
  }

  async check(): Promise<void> {
    if (this.#stopping !== undefined) throw stopped("publish");
    if (this.#watch.error) throw this.#watch.error;
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** The consumer group of every indexer of this prefix, and what it reads. */
  get #readers() {
    const { config, indexedTopics: topics = INDEXED_TOPICS } = this.#options;
    const { topicPrefix } = config;
    return { groupId: indexGroup(topicPrefix), topicPrefix, topics };
  }

  async #stop(): Promise<void> {
    for (const commit of this.#commits.values()) commit.flush();
    await Promise.allSettled(this.#sends);
    const closing = [...this.#consumers].map((consumer) => consumer.stop());
    closing.push(this.#watch.stop());
    await Promise.allSettled(closing);
    const disconnecting = [this.#sender.stop(), this.#admin.disconnect()];
    // A broker that is frozen answers no request, and kafkajs waits for it.
    await settleWithin(STOP_TIMEOUT_MS, disconnecting);
  }

  #refuse({ value, headers }: OutgoingMessage): void {
    if (this.#stopping !== undefined) throw stopped("publish");
    const { maxInFlightBytes } = this.#options;
    if (value.length > this.maxMessageBytes) {
      const why = `${value.length} bytes are more than the topic takes (${this.maxMessageBytes})`;
      throw new ClewError("BUS_MESSAGE_TOO_LARGE", `cannot publish: ${why}`);
    }
    const { requestId, recordId = "" } = headers;
    if (Buffer.byteLength(requestId) + Buffer.byteLength(recordId) > REQUEST_ID_BYTES_MAX) {
      throw new ClewError("BUS_MESSAGE_TOO_LARGE", "cannot publish: the request id is too long");
    }
    if (this.#inFlightBytes + value.length > maxInFlightBytes) {
      const why = `${this.#inFlightBytes} bytes wait for Kafka`;
      throw new ClewError("BUS_OVERLOADED", `cannot publish: ${why}`);
    }
    const { trouble } = this.#watch;
    if (trouble && performance.now() - trouble.sinceMs > PATIENCE_MS) throw trouble.error;
  }

  async #send(topic: Topic, messages: readonly OutgoingMessage[]): Promise<BatchPosition> {
    const batch = encodeRecordBatch(messages, Date.now());
    const name = topicName(this.#options.config.topicPrefix, topic);
    const sent = this.#sender.send(name, batch);
    this.#sends.add(sent);
    try {
      const position = await sent;
      this.#watch.delivered();
      return position;
    } catch (error) {
      throw this.#judge(error, batch.length);
    } finally {
      this.#sends.delete(sent);
    }
  }

  /**
   * What the broker finds too large was not too large for the limit that it was held against, so
   * that limit is read again: whoever tries again is told for good, or splits the request.
   */
  #judge(error: unknown, packedBytes: number): unknown {
    if (!(error instanceof ClewError)) return error;
    if (error.code !== "BUS_MESSAGE_TOO_LARGE") {
      this.#watch.suspect(error);
      return error;
    }
    this.#limits.lower(packedBytes);
    const why = "the topic's max.message.bytes was lowered";
    return new ClewError("BUS_UNAVAILABLE", `cannot publish: ${why}`, { cause: error });
  }
}

async function settleWithin(timeoutMs: number, work: readonly Promise<void>[]): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, timeoutMs);
  await Promise.race([Promise.allSettled(work), late]);
  clearTimeout(timer);
}

function stopped(act: string): ClewError {
  return new ClewError("BUS_STOPPED", `cannot ${act}: the bus has stopped`);
}
