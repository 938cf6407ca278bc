import type { EachBatchPayload, Kafka, KafkaMessage } from "kafkajs";
import { ClewError } from "../../errors.ts";
import type { BusConsumer, DeliveredMessage, MessageHeaders, Position, Topic } from "../bus.ts";
import type { RepeatBounds } from "../repeat-window.ts";
import { GenerationGuard } from "./generation-guard.ts";
import { KafkaConsumerCommits } from "./kafka-consumer-commits.ts";
import { KafkaConsumerPrefetch } from "./kafka-consumer-prefetch.ts";
import { KafkaConsumerSessions } from "./kafka-consumer-sessions.ts";
import { chooseStart } from "./kafka-consumer-start.ts";
import { KafkaConsumerTrouble } from "./kafka-consumer-trouble.ts";
import { type GroupOffsets, readGroupOffsets } from "./kafka-group-offsets.ts";
import { decodeHeaders } from "./kafka-headers.ts";
import { KafkaRepeatWindows } from "./kafka-repeat-windows.ts";
import { findTopic, findTopicPartition, partitionName } from "./kafka-topics.ts";

export interface KafkaConsumerOptions {
  readonly client: Kafka;
  readonly groupId: string;
  readonly topicPrefix: string;
  /** Those that are read. */
  readonly topics: readonly Topic[];
  /** Where to begin, as `Bus.openConsumer` has it; names of other buses are left out. */
  readonly from: ReadonlyMap<string, number>;
  readonly clientRack?: string | undefined;
  /** Where the store keeps no positions: how far it is written beyond what the group committed. */
  readonly repeatBounds?: RepeatBounds | undefined;
  /** Of what is fetched and not yet read. */
  readonly prefetchBytesMax?: number;
  /** Hears one line for each kind of trouble, and one when all is well again. */
  readonly report: (line: string) => void;
  /** Hears why nothing can be read now; undefined once it can. */
  readonly onTrouble?: ((why: string | undefined) => void) | undefined;
}

const MIB = 1024 * 1024;
const PREFETCH_BYTES_MAX = 16 * MIB;
const NO_BYTES = Buffer.alloc(0);

/**
 * Reads topics as a member of a consumer group, for ever: while Kafka is away the reader waits.
 * What the group committed is for other members and for the lag; where the store keeps positions
 * of its own, these count (`from`).
 */
export class KafkaConsumer implements BusConsumer {
  readonly #options: KafkaConsumerOptions;
  readonly #guard = new GenerationGuard();
  readonly #prefetch: KafkaConsumerPrefetch;
  readonly #commits: KafkaConsumerCommits;
  readonly #windows: KafkaRepeatWindows;
  readonly #trouble: KafkaConsumerTrouble;
  readonly #sessions: KafkaConsumerSessions;
  /** Everything before is safe, by the store's word or the reader's. */
  readonly #known: Map<string, number>;
  #isFirstStart = true;
  #news = Promise.withResolvers<void>();

  /**
   * Resolves once it is in the group, or the broker is away, which is told and waited for.
   * @throws ClewError BUS_REFUSED where only a person's act can help: password, rights, TLS.
   */
  static async open(options: KafkaConsumerOptions): Promise<KafkaConsumer> {
    const consumer = new KafkaConsumer(options);
    await consumer.#sessions.open();
    return consumer;
  }

  private constructor(options: KafkaConsumerOptions) {
    const { client, groupId, topicPrefix, topics, clientRack } = options;
    this.#options = options;
    this.#known = new Map([...options.from].filter(([name]) => findTopicPartition(name)));
    this.#prefetch = new KafkaConsumerPrefetch(options.prefetchBytesMax ?? PREFETCH_BYTES_MAX);
    this.#windows = new KafkaRepeatWindows(options.repeatBounds);
    this.#trouble = new KafkaConsumerTrouble(options);
    this.#sessions = new KafkaConsumerSessions({
      trouble: this.#trouble,
      session: {
        ...{ client, groupId, topicPrefix, topics, clientRack },
        onAssigned: (partitions) => this.#begin(partitions),
        onRevoked: () => this.#revoke(),
        onBatch: (payload) => this.#take(payload),
      },
    });
    this.#commits = new KafkaConsumerCommits({
      guard: this.#guard,
      send: (offsets) => this.#sendCommits(offsets),
      wait: () => this.#sessions.pause(),
      onCommitted: (offsets) => this.#acknowledge(offsets),
    });
  }

  /** Of what waits for the reader. */
  get prefetchedBytes(): number {
    return this.#prefetch.bytes;
  }

  async read(request: {
    maxBytes: number;
    signal: AbortSignal;
  }): Promise<readonly DeliveredMessage[]> {
    const { maxBytes, signal } = request;
    while (!this.#sessions.isStopped && !signal.aborted) {
      const messages = this.#prefetch.take(maxBytes, (each) => this.#windows.handOut(each));
      for (const { partition, offset } of messages) this.#guard.handOut(partition, offset + 1);
      this.#fetchWanted();
      if (messages.length > 0) return messages;
      await this.#nextNews(signal);
    }
    return [];
  }

  /** Resolves after an attempt; what the broker did not take is tried again on its own. */
  async commit(nextPosition: Position): Promise<void> {
    if (this.#sessions.isStopped) {
      throw new ClewError("BUS_STOPPED", "cannot commit: the consumer has stopped");
    }
    const { partition, offset } = nextPosition;
    // Without the store's word only what the group committed counts, for whoever goes on.
    if (!this.#windows.isOn) {
      this.#known.set(partition, Math.max(offset, this.#known.get(partition) ?? 0));
    }
    await this.#commits.add(nextPosition);
  }

  async stop(): Promise<void> {
    const stopped = this.#sessions.stop();
    this.#commits.stop();
    this.#wake();
    await stopped;
  }

  /** What was fetched for the generation before is dropped; where to begin is asked for. */
  #begin(partitions: readonly string[]): void {
    const generation = this.#guard.begin(partitions);
    this.#prefetch.clear();
    this.#windows.clear();
    void this.#start(generation);
  }

  #revoke(): void {
    this.#guard.end();
    this.#prefetch.clear();
    this.#windows.clear();
  }

  /** Finds out where each partition begins, trying until it is known or the generation is over. */
  async #start(generation: number): Promise<void> {
    const isOver = () => this.#sessions.isStopped || this.#guard.generation !== generation;
    while (!isOver()) {
      try {
        const offsets = await this.#readOffsets();
        if (isOver()) return;
        this.#beginAt(offsets);
        return this.#trouble.over();
      } catch (cause) {
        this.#trouble.tell(this.#sessions.toError(cause));
        await this.#sessions.pause();
      }
    }
  }

  async #readOffsets(): Promise<ReadonlyMap<string, GroupOffsets>> {
    const { client, groupId, topicPrefix, topics } = this.#options;
    const admin = client.admin();
    try {
      await admin.connect();
      return await readGroupOffsets({ admin, groupId, topicPrefix, topics });
    } finally {
      await admin.disconnect();
    }
  }

  #beginAt(offsets: ReadonlyMap<string, GroupOffsets>): void {
    for (const partition of this.#guard.partitions) {
      const known = this.#known.get(partition);
      const found = offsets.get(partition);
      // Made just now: kafkajs has the group divided anew when it next looks at the topics.
      if (found === undefined) continue;
      const isExact = this.#isFirstStart;
      const start = chooseStart({ partition, offsets: found, known, isExact });
      const { next, committed, remark } = start;
      if (remark !== undefined) this.#options.report(remark);
      // Counted in another partition of this name.
      if (known !== undefined && next < known) this.#known.delete(partition);
      this.#guard.start(partition, { next, committed });
      this.#windows.start(partition, { next, offsets: found });
      this.#sessions.current?.seek(partition, next);
      // After a crash between the store's commit and the group's, the store knows better.
      if (next === known && next > committed) void this.#commits.add({ partition, offset: next });
    }
    this.#isFirstStart = false;
    this.#fetchWanted();
  }

  /** Takes what there is room for; the rest is fetched again once there is. */
  #take({ batch, resolveOffset, isStale }: EachBatchPayload): void {
    const topic = findTopic(this.#options.topicPrefix, batch.topic);
    const first = batch.firstOffset();
    if (topic === undefined || first === null || isStale()) return;
    const partition = partitionName({ topic, partition: batch.partition });
    const verdict = this.#guard.judge(partition, Number(first));
    if (verdict.kind === "read-again") {
      this.#sessions.current?.seek(partition, verdict.offset);
    } else if (verdict.kind === "take") {
      const count = this.#addAll(batch.messages, { name: batch.topic, topic, partition });
      const last = batch.messages[count - 1]?.offset;
      if (last !== undefined) {
        // kafkajs passes over control records behind the last message by itself.
        const end = count === batch.messages.length ? batch.lastOffset() : last;
        this.#guard.take(partition, Number(end) + 1);
        resolveOffset(last);
      }
    }
    this.#fetchWanted();
    this.#wake();
  }

  /** @returns how many there was room for. */
  #addAll(
    messages: readonly KafkaMessage[],
    { name, topic, partition }: { name: string; topic: Topic; partition: string },
  ): number {
    const at = { topic: name, partition: findTopicPartition(partition)?.partition ?? 0 };
    const rest = messages.findIndex((message) => {
      const headers = dated(decodeHeaders({ ...message, ...at }));
      const value = message.value ?? NO_BYTES;
      const offset = Number(message.offset);
      return !this.#prefetch.add({ topic, partition, offset, headers, value });
    });
    return rest < 0 ? messages.length : rest;
  }

  #fetchWanted(): void {
    this.#sessions.current?.fetchOnly(
      (partition) => this.#guard.isStarted(partition) && this.#prefetch.wants(partition),
    );
  }

  async #sendCommits(offsets: ReadonlyMap<string, number>): Promise<void> {
    const session = this.#sessions.current;
    if (session === undefined) throw new Error("there is no session");
    await session.commit(offsets, (partition) => this.#windows.metadata(partition));
  }

  #acknowledge(offsets: ReadonlyMap<string, number>): void {
    for (const [partition, offset] of offsets) this.#windows.acknowledged(partition, offset);
    // A reader may have waited for that.
    this.#wake();
  }

  #wake(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }

  /** Resolves when more was fetched, at `stop`, or once `signal` aborts. */
  async #nextNews(signal: AbortSignal): Promise<void> {
    // A promise that stayed resolved would be waited for again and again, without a pause.
    const onAbort = () => this.#wake();
    signal.addEventListener("abort", onAbort);
    await this.#news.promise;
    signal.removeEventListener("abort", onAbort);
  }
}

/**
 * A message without any time would lie on the first day of 1970, beyond every retention. It gets
 * the present, which is another at each delivery, so that its records are looked for in all days.
 */
function dated(headers: MessageHeaders): MessageHeaders {
  if (headers.receivedNs > 0n) return headers;
  return { ...headers, receivedNs: BigInt(Date.now()) * 1_000_000n, repeat: true };
}
