import type { Admin } from "kafkajs";
import type { Topic } from "../bus.ts";
import { partitionName, topicName } from "./kafka-topics.ts";

/** Offsets of one partition, as the broker has them. */
export interface GroupOffsets {
  /** Of the oldest message that is kept. */
  readonly low: number;
  /** Of the next message to be written. */
  readonly end: number;
  /** Of the next message to be read by the group; undefined where it never committed. */
  readonly committed: number | undefined;
  /** The text that the commit carries; empty where it carries none. */
  readonly metadata: string;
}

export interface GroupQuery {
  readonly admin: Admin;
  readonly groupId: string;
  readonly topicPrefix: string;
  readonly topics: readonly Topic[];
}

/**
 * Asks for the offsets of each partition of the topics, by the port's name of the partition.
 * What the group committed is read first, so that it is never beyond the end. Rejects with
 * kafkajs's own errors; just after a broker's start that is GROUP_LOAD_IN_PROGRESS for a while.
 */
export async function readGroupOffsets(
  query: GroupQuery,
): Promise<ReadonlyMap<string, GroupOffsets>> {
  const { admin, groupId, topicPrefix, topics } = query;
  const names = topics.map((topic) => topicName(topicPrefix, topic));
  const committed = new Map<string, { readonly offset: number; readonly metadata: string }>();
  for (const { topic: name, partitions } of await admin.fetchOffsets({ groupId, topics: names })) {
    for (const { partition, offset, metadata } of partitions) {
      if (Number(offset) < 0) continue;
      committed.set(`${name}/${partition}`, { offset: Number(offset), metadata: metadata ?? "" });
    }
  }
  const found = new Map<string, GroupOffsets>();
  for (const topic of topics) {
    const name = topicName(topicPrefix, topic);
    for (const { partition, low, high } of await admin.fetchTopicOffsets(name)) {
      const commit = committed.get(`${name}/${partition}`);
      found.set(partitionName({ topic, partition }), {
        low: Number(low),
        end: Number(high),
        committed: commit?.offset,
        metadata: commit?.metadata ?? "",
      });
    }
  }
  return found;
}
