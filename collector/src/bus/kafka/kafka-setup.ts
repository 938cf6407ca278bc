import { setTimeout as wait } from "node:timers/promises";
import kafkajs, { type Admin, type ITopicConfig } from "kafkajs";
import { ClewError } from "../../errors.ts";
import { TOPICS, type Topic } from "../bus.ts";
import { KAFKA_VARIABLE, type KafkaConfig } from "./config.ts";
import { createKafkaClient } from "./kafka-client.ts";
import { kafkaErrorType, toKafkaError } from "./kafka-errors.ts";
import { topicName } from "./kafka-topics.ts";
import { MESSAGE_BYTES_DEFAULT } from "./topic-limits.ts";

/** One topic as it is after the set-up. */
export interface TopicSetup {
  readonly name: string;
  readonly isNew: boolean;
  readonly partitions: number;
  readonly replicas: number;
  /** Absent where we may not read the topic's settings. */
  readonly settings: TopicSettings | undefined;
}

export interface TopicSettings {
  readonly minInSyncReplicas: number;
  readonly maxMessageBytes: number;
  /** -1: for ever. */
  readonly retentionMs: number;
  readonly compression: string;
  /** A replica that lags behind may become the leader, and what it lacks is lost. */
  readonly isUncleanElectionOn: boolean;
}

export interface KafkaSetup {
  readonly brokers: number;
  readonly topics: readonly TopicSetup[];
}

const REPLICATION_DEFAULT = 3;
const DEAD_LETTER_PARTITIONS = 1;
/** Dead letters wait for a person. */
const DEAD_LETTER_HOURS_MIN = 720;
const MS_PER_HOUR = 3_600_000;
const APPEAR_TIMEOUT_MS = 30_000;
const APPEAR_POLL_MS = 100;
const SETTING = {
  minInSync: "min.insync.replicas",
  maxMessageBytes: "max.message.bytes",
  retention: "retention.ms",
  compression: "compression.type",
  cleanup: "cleanup.policy",
  unclean: "unclean.leader.election.enable",
} as const;

/**
 * Makes the topics of the bus that are not there, and says how all of them are. What is there is
 * never changed: it may have been made so on purpose.
 * @throws ClewError BUS_UNAVAILABLE, BUS_REFUSED (naming what is refused: the account, or which
 * right on which topic), CONFIG_INVALID
 */
export async function setUpKafka(config: KafkaConfig): Promise<KafkaSetup> {
  const client = createKafkaClient({ config, clientId: `${config.topicPrefix}-setup` });
  const admin = client.admin();
  try {
    const brokers = await countBrokers(admin);
    const topics: TopicSetup[] = [];
    for (const topic of TOPICS) topics.push(await setUpTopic(admin, { topic, config, brokers }));
    return { brokers, topics };
  } finally {
    await admin.disconnect();
  }
}

async function countBrokers(admin: Admin): Promise<number> {
  try {
    await admin.connect();
    return (await admin.describeCluster()).brokers.length;
  } catch (error) {
    throw toKafkaError(error, { act: "set up Kafka" });
  }
}

async function setUpTopic(
  admin: Admin,
  request: { topic: Topic; config: KafkaConfig; brokers: number },
): Promise<TopicSetup> {
  const name = topicName(request.config.topicPrefix, request.topic);
  const before = await findShape(admin, name);
  if (before === undefined) await createTopic(admin, topicConfig(name, request));
  const shape = before ?? (await waitForShape(admin, name));
  const settings = await findSettings(admin, name);
  return { name, isNew: before === undefined, ...shape, settings };
}

/** @throws ClewError CONFIG_INVALID where more replicas are asked for than there are brokers. */
function topicConfig(
  name: string,
  { topic, config, brokers }: { topic: Topic; config: KafkaConfig; brokers: number },
): ITopicConfig {
  const { setup } = config;
  const replicas = setup.replicationFactor ?? Math.min(REPLICATION_DEFAULT, brokers);
  if (replicas > brokers) {
    const allowed = `at most ${brokers}, since Kafka has so many brokers`;
    const variable = KAFKA_VARIABLE.replicationFactor;
    throw new ClewError("CONFIG_INVALID", `${variable}=${replicas}: allowed is ${allowed}`);
  }
  const isForPeople = topic === "dead-letters";
  const hours = isForPeople
    ? Math.max(DEAD_LETTER_HOURS_MIN, setup.retentionHours)
    : setup.retentionHours;
  const settings: Readonly<Record<string, string>> = {
    [SETTING.maxMessageBytes]: String(MESSAGE_BYTES_DEFAULT),
    [SETTING.compression]: "producer",
    [SETTING.cleanup]: "delete",
    [SETTING.retention]: String(hours * MS_PER_HOUR),
    // With two replicas, 2 would stop everything while one broker restarts.
    [SETTING.minInSync]: replicas >= REPLICATION_DEFAULT ? "2" : "1",
    [SETTING.unclean]: "false",
  };
  return {
    topic: name,
    numPartitions: isForPeople ? DEAD_LETTER_PARTITIONS : setup.partitions,
    replicationFactor: replicas,
    configEntries: Object.entries(settings).map(([key, value]) => ({ name: key, value })),
  };
}

async function createTopic(admin: Admin, topic: ITopicConfig): Promise<void> {
  try {
    await admin.createTopics({ topics: [topic], waitForLeaders: false });
  } catch (error) {
    const resource = `topic ${topic.topic}`;
    throw toKafkaError(error, { act: `create ${resource}`, resource, right: "Create" });
  }
}

interface TopicShape {
  readonly partitions: number;
  readonly replicas: number;
}

/** @returns undefined where the topic is not there. */
async function findShape(admin: Admin, name: string): Promise<TopicShape | undefined> {
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [name] });
    const partitions = topics[0]?.partitions ?? [];
    if (partitions.length === 0) return undefined;
    const replicas = Math.min(...partitions.map((partition) => partition.replicas.length));
    return { partitions: partitions.length, replicas };
  } catch (error) {
    if (kafkaErrorType(error) === "UNKNOWN_TOPIC_OR_PARTITION") return undefined;
    const resource = `topic ${name}`;
    throw toKafkaError(error, { act: `look for ${resource}`, resource, right: "Describe" });
  }
}

/** A broker may not know for a moment what another one has made. */
async function waitForShape(admin: Admin, name: string): Promise<TopicShape> {
  const endMs = performance.now() + APPEAR_TIMEOUT_MS;
  for (;;) {
    const shape = await findShape(admin, name).catch((error: unknown) => {
      if (performance.now() > endMs) throw error;
      return undefined;
    });
    if (shape) return shape;
    if (performance.now() > endMs) {
      const why = `it has not appeared for ${APPEAR_TIMEOUT_MS} ms`;
      throw new ClewError("BUS_UNAVAILABLE", `cannot create topic ${name}: ${why}`);
    }
    await wait(APPEAR_POLL_MS);
  }
}

async function findSettings(admin: Admin, name: string): Promise<TopicSettings | undefined> {
  try {
    const { resources } = await admin.describeConfigs({
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name }],
      includeSynonyms: false,
    });
    const entries = resources[0]?.configEntries ?? [];
    const values = new Map(entries.map((entry) => [entry.configName, entry.configValue]));
    return {
      minInSyncReplicas: Number(values.get(SETTING.minInSync)),
      maxMessageBytes: Number(values.get(SETTING.maxMessageBytes)),
      retentionMs: Number(values.get(SETTING.retention)),
      compression: values.get(SETTING.compression) ?? "",
      isUncleanElectionOn: values.get(SETTING.unclean) === "true",
    };
  } catch (error) {
    if (kafkaErrorType(error) === "TOPIC_AUTHORIZATION_FAILED") return undefined;
    throw toKafkaError(error, { act: `read the settings of topic ${name}` });
  }
}
