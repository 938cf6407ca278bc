import { TOPICS, type Topic } from "../bus.ts";

/** One partition of one topic of the bus. */
export interface TopicPartition {
  readonly topic: Topic;
  readonly partition: number;
}

/** The name at the broker: `clew.logs` with the prefix `clew`. */
export function topicName(prefix: string, topic: Topic): string {
  return `${prefix}.${topic}`;
}

/** The topic of the bus that has this name at the broker. */
export function findTopic(prefix: string, name: string): Topic | undefined {
  return TOPICS.find((topic) => topicName(prefix, topic) === name);
}

/**
 * How the port names a partition (`Position.partition`): `logs/0`, without the prefix, because
 * stored offsets stay right where the prefix changes with the cluster.
 */
export function partitionName({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

/** @returns undefined for a name of another bus, as `embedded/0`. */
export function findTopicPartition(name: string): TopicPartition | undefined {
  const [, topicText, digits] = /^([a-z-]+)\/(0|[1-9]\d{0,9})$/.exec(name) ?? [];
  const topic = TOPICS.find((known) => known === topicText);
  return topic && { topic, partition: Number(digits) };
}
