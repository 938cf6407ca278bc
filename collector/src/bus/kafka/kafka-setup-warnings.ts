import type { KafkaConfig } from "./config.ts";
import type { KafkaSetup, TopicSetup } from "./kafka-setup.ts";
import { MESSAGE_BYTES_DEFAULT } from "./topic-limits.ts";

/** Below these a broker that is lost can take acknowledged records with it. */
const REPLICAS_MIN = 3;
const IN_SYNC_MIN = 2;

/** What is not as it should be for a 200 to be worth what it promises, one line each. */
export function setupWarnings({ topics }: KafkaSetup, { setup }: KafkaConfig): readonly string[] {
  return topics.flatMap((topic) => [
    ...durabilityWarnings(topic),
    ...settingsWarnings(topic),
    ...(topic.partitions < setup.partitions && !topic.isNew && !topic.name.endsWith("dead-letters")
      ? [`${topic.name} has ${topic.partitions} partitions, not ${setup.partitions}: not changed`]
      : []),
  ]);
}

function durabilityWarnings({ name, replicas, settings }: TopicSetup): readonly string[] {
  const warnings: string[] = [];
  if (replicas < REPLICAS_MIN) {
    warnings.push(
      `${name} has replication factor ${replicas}, below ${REPLICAS_MIN}: ` +
        "records can be lost with a broker",
    );
  }
  if (settings && settings.minInSyncReplicas < IN_SYNC_MIN) {
    warnings.push(
      `${name} has min.insync.replicas ${settings.minInSyncReplicas}, below ${IN_SYNC_MIN}: ` +
        "a 200 may rest on one broker alone",
    );
  }
  if (settings?.isUncleanElectionOn) {
    warnings.push(
      `${name} has unclean.leader.election.enable on: ` +
        "a replica that lags behind may lead, and what it lacks is lost",
    );
  }
  return warnings;
}

function settingsWarnings({ name, settings }: TopicSetup): readonly string[] {
  if (settings === undefined) {
    return [`the settings of ${name} cannot be read: Kafka denies the right DescribeConfigs`];
  }
  const warnings: string[] = [];
  if (settings.compression !== "producer" && settings.compression !== "zstd") {
    warnings.push(`${name} has compression.type ${settings.compression}: brokers compress again`);
  }
  if (settings.maxMessageBytes < MESSAGE_BYTES_DEFAULT) {
    warnings.push(
      `${name} has max.message.bytes ${settings.maxMessageBytes}: larger requests are split, ` +
        "and a record that is larger is refused",
    );
  }
  return warnings;
}
