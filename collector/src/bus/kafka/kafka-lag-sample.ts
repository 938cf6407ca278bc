import { randomUUID } from "node:crypto";
import type { EachBatchPayload, Kafka } from "kafkajs";
import type { Topic } from "../bus.ts";
import { KafkaConsumerSession } from "./kafka-consumer-session.ts";
import { decodeHeaders } from "./kafka-headers.ts";
import type { LedgerEntry } from "./kafka-lag-ledger.ts";
import { findTopic, partitionName } from "./kafka-topics.ts";

export interface LagSampleRequest {
  readonly client: Kafka;
  readonly groupId: string;
  readonly topicPrefix: string;
  readonly topics: readonly Topic[];
  /** What waits in each partition to be looked at: from `begin` to `end` (exclusive). */
  readonly ranges: ReadonlyMap<string, { readonly begin: number; readonly end: number }>;
  readonly onMessage: (partition: string, entry: LedgerEntry) => void;
}

const PARTITION_MESSAGES_MAX = 1000;
const PARTITION_BYTES_MAX = 4 * 1024 * 1024;
const SAMPLE_MS_MAX = 10_000;

/**
 * Reads the headers of the oldest messages that wait, up to a bound for each partition. kafkajs
 * reads only as a member of a group, so this is a group of its own, gone when it is done: it takes
 * nothing from the indexers. Rejects with kafkajs's own errors.
 */
export async function sampleMessages(request: LagSampleRequest): Promise<void> {
  const { client, groupId, topicPrefix, topics, ranges } = request;
  const left = new Map([...ranges].map(([name, range]) => [name, new PartitionSample(range)]));
  const done = Promise.withResolvers<void>();
  const fetchLeft = () => session.fetchOnly((partition) => left.has(partition));
  const session = new KafkaConsumerSession({
    ...{ client, topicPrefix, topics },
    groupId: `${groupId}-lag-${randomUUID()}`,
    onAssigned: () => {
      for (const [partition, { next }] of left) session.seek(partition, next);
      fetchLeft();
    },
    onRevoked: () => undefined,
    onBatch: (payload) => {
      const topic = findTopic(topicPrefix, payload.batch.topic);
      if (topic === undefined) return;
      const name = partitionName({ topic, partition: payload.batch.partition });
      if (left.get(name)?.take(payload, (entry) => request.onMessage(name, entry))) {
        left.delete(name);
      }
      fetchLeft();
      if (left.size === 0) done.resolve();
    },
  });
  const timer = setTimeout(done.resolve, SAMPLE_MS_MAX);
  try {
    await session.start();
    const ended = session.ended.then((cause) => Promise.reject(cause));
    await Promise.race([done.promise, ended]);
  } finally {
    clearTimeout(timer);
    await session.stop();
  }
}

class PartitionSample {
  next: number;
  readonly #end: number;
  #messages = 0;
  #bytes = 0;

  constructor({ begin, end }: { begin: number; end: number }) {
    this.next = begin;
    this.#end = end;
  }

  /** @returns whether this is enough. */
  take({ batch, resolveOffset }: EachBatchPayload, tell: (entry: LedgerEntry) => void): boolean {
    for (const message of batch.messages) {
      const offset = Number(message.offset);
      this.next = offset + 1;
      if (offset >= this.#end) break;
      const { topic, partition } = batch;
      const { records, receivedNs } = decodeHeaders({ ...message, topic, partition });
      tell({ offset, records, receivedNs });
      this.#messages++;
      this.#bytes += message.value?.length ?? 0;
    }
    resolveOffset(batch.lastOffset());
    const isEnough = this.#messages >= PARTITION_MESSAGES_MAX || this.#bytes >= PARTITION_BYTES_MAX;
    return isEnough || this.next >= this.#end;
  }
}
