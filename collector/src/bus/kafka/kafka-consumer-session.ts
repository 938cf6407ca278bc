import type { Consumer, ConsumerConfig, EachBatchPayload, Kafka } from "kafkajs";
import type { Topic } from "../bus.ts";
import { findTopic, findTopicPartition, partitionName, topicName } from "./kafka-topics.ts";

export interface KafkaConsumerSessionOptions {
  readonly client: Kafka;
  readonly groupId: string;
  readonly topicPrefix: string;
  readonly topics: readonly Topic[];
  readonly clientRack?: string | undefined;
  /** A generation begins, with these partitions. Nothing is fetched before it returned. */
  readonly onAssigned: (partitions: readonly string[]) => void;
  /** The group is being divided anew: nothing is ours until then. */
  readonly onRevoked: () => void;
  readonly onBatch: (payload: EachBatchPayload) => void;
}

/** The longest wait of a fetch for the first message, and so of much else: stopping, resuming. */
const FETCH_WAIT_MS_MAX = 250;
/**
 * Compressed: logs unpack to six times as much, or thirty, and kafkajs holds all of one answer.
 * A batch that is larger comes all the same, alone.
 */
const FETCH_BYTES_MAX = 512 * 1024;
const PARTITION_FETCH_BYTES_MAX = FETCH_BYTES_MAX / 2;
/** A member that was killed keeps its partitions from the others for so long. */
const SESSION_TIMEOUT_MS = 10_000;
const HEARTBEAT_INTERVAL_MS = 2_000;
const REBALANCE_TIMEOUT_MS = 10_000;
const STOP_MS_MAX = 5_000;
/** Longer than any request and any rebalance: kafkajs is then stuck. */
const SILENCE_MS_MAX = 60_000;
const SILENCE_CHECK_MS = 5_000;

const SETTINGS: Omit<ConsumerConfig, "groupId"> = {
  sessionTimeout: SESSION_TIMEOUT_MS,
  heartbeatInterval: HEARTBEAT_INTERVAL_MS,
  rebalanceTimeout: REBALANCE_TIMEOUT_MS,
  maxWaitTimeInMs: FETCH_WAIT_MS_MAX,
  maxBytes: FETCH_BYTES_MAX,
  maxBytesPerPartition: PARTITION_FETCH_BYTES_MAX,
  allowAutoTopicCreation: false,
  retry: {
    initialRetryTime: 100,
    maxRetryTime: 1000,
    retries: 5,
    // A new session is started in its place, with a time between that we choose.
    restartOnFailure: async () => false,
  },
};

/** One life of a kafkajs consumer: from joining the group until it ends, asked or not. */
export class KafkaConsumerSession {
  readonly #options: KafkaConsumerSessionOptions;
  readonly #consumer: Consumer;
  readonly #ended = Promise.withResolvers<unknown>();
  readonly #held = new Set<string>();
  #assigned: readonly string[] = [];
  /** Commits once, in the generation of the moment, where `commitOffsets` would try again. */
  #commitOnce: EachBatchPayload["commitOffsetsIfNecessary"] | undefined;
  /** kafkajs has given up the group, and throws at whatever concerns it. */
  #isOver = false;
  #isStopped = false;
  #lastSignMs = performance.now();
  #watch: NodeJS.Timeout | undefined;

  constructor(options: KafkaConsumerSessionOptions) {
    const { client, groupId, clientRack } = options;
    this.#options = options;
    this.#consumer = client.consumer({
      ...SETTINGS,
      groupId,
      ...(clientRack !== undefined && { rackId: clientRack }),
    });
    this.#listen();
  }

  /** Why it ended; never resolves after `stop`. */
  get ended(): Promise<unknown> {
    return this.#ended.promise;
  }

  /** Resolves once it is a member of the group; rejects with kafkajs's own errors. */
  async start(): Promise<void> {
    const { topicPrefix, topics } = this.#options;
    const crash = this.ended.then((cause) => Promise.reject(cause));
    await Promise.race([this.#join(topics.map((topic) => topicName(topicPrefix, topic))), crash]);
    // A later crash is heard by whoever waits for `ended`.
    crash.catch(() => undefined);
    this.#watch = setInterval(() => this.#checkSilence(), SILENCE_CHECK_MS);
    this.#watch.unref();
  }

  /** The next fetch of the partition begins there. */
  seek(partition: string, offset: number): void {
    if (this.#isOver) return;
    this.#consumer.seek({ ...this.#address(partition), offset: String(offset) });
  }

  /** Fetches only what is wanted from now on; an answer under way for others is thrown away. */
  fetchOnly(isWanted: (partition: string) => boolean): void {
    if (this.#isOver) return;
    for (const partition of this.#assigned) {
      const isHeld = this.#held.has(partition);
      if (isWanted(partition) !== isHeld) continue;
      const { topic, partition: number } = this.#address(partition);
      const change = [{ topic, partitions: [number] }];
      if (isHeld) {
        this.#held.delete(partition);
        this.#consumer.resume(change);
      } else {
        this.#held.add(partition);
        this.#consumer.pause(change);
      }
    }
  }

  /** Rejects where the broker did not take it, as after a rebalance it does not know of yet. */
  async commit(
    offsets: ReadonlyMap<string, number>,
    metadataOf: (partition: string) => string | null,
  ): Promise<void> {
    const list = [...offsets].map(([partition, offset]) => {
      const metadata = metadataOf(partition);
      return { ...this.#address(partition), offset: String(offset), metadata };
    });
    if (this.#commitOnce === undefined) return this.#consumer.commitOffsets(list);
    const topics = Map.groupBy(list, ({ topic }) => topic);
    await this.#commitOnce({
      topics: [...topics].map(([topic, partitions]) => ({ topic, partitions })),
    });
  }

  /** Leaves the group, for which a broker that does not answer gets a bounded time. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#watch);
    const { promise: deadline, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, STOP_MS_MAX);
    await Promise.race([this.#leave(), deadline]);
    clearTimeout(timer);
  }

  async #leave(): Promise<void> {
    // What cannot leave is thrown out of the group after the session timeout.
    await this.#consumer.disconnect().catch(() => undefined);
  }

  async #join(names: readonly string[]): Promise<void> {
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topics: [...names], fromBeginning: true });
    await this.#consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: async (payload) => {
        this.#commitOnce = payload.commitOffsetsIfNecessary;
        this.#options.onBatch(payload);
      },
    });
  }

  #listen(): void {
    const { events } = this.#consumer;
    const { onAssigned, onRevoked } = this.#options;
    this.#consumer.on(events.GROUP_JOIN, ({ payload }) => {
      this.#lastSignMs = performance.now();
      this.#assigned = Object.entries(payload.memberAssignment).flatMap(([topic, partitions]) =>
        partitions.map((partition) => this.#name(topic, partition)),
      );
      this.#held.clear();
      this.fetchOnly(() => false);
      onAssigned(this.#assigned);
    });
    this.#consumer.on(events.REBALANCING, () => {
      this.#lastSignMs = performance.now();
      onRevoked();
    });
    for (const event of [events.FETCH, events.HEARTBEAT] as const) {
      this.#consumer.on(event, () => {
        this.#lastSignMs = performance.now();
        // `stop` came while it joined, which kafkajs does not hear: it would read for ever.
        if (this.#isStopped) void this.#leave();
      });
    }
    this.#consumer.on(events.STOP, () => {
      this.#isOver = true;
      onRevoked();
    });
    this.#consumer.on(events.CRASH, ({ payload }) => this.#ended.resolve(payload.error));
  }

  #checkSilence(): void {
    if (performance.now() - this.#lastSignMs < SILENCE_MS_MAX) return;
    this.#ended.resolve(new Error(`nothing was heard of Kafka for ${SILENCE_MS_MAX} ms`));
  }

  #name(name: string, partition: number): string {
    const topic = findTopic(this.#options.topicPrefix, name);
    if (topic === undefined) throw new Error(`nobody subscribed to ${name}`);
    return partitionName({ topic, partition });
  }

  #address(name: string): { readonly topic: string; readonly partition: number } {
    const found = findTopicPartition(name);
    if (found === undefined) throw new Error(`${name} is no partition of Kafka`);
    const { topic, partition } = found;
    return { topic: topicName(this.#options.topicPrefix, topic), partition };
  }
}
