/** The topics of a round: alike for everybody, and what is in them. */

import { TOPICS } from "../../../collector/src/bus/bus.ts";
import { readKafkaConfig } from "../../../collector/src/bus/kafka/config.ts";
import { createKafkaClient } from "../../../collector/src/bus/kafka/kafka-client.ts";
import { topicName } from "../../../collector/src/bus/kafka/kafka-topics.ts";
import { kafkaSettings } from "../config.ts";

export const PARTITIONS = 6;
export const TOPIC_PREFIX = "clew";
/** Where our records of logs are. */
export const OUR_TOPIC = topicName(TOPIC_PREFIX, "logs");
export const TRACES_TOPIC = topicName(TOPIC_PREFIX, "traces");

/** Makes ours and those named. */
export async function makeTopics(
  brokers: readonly string[],
  names: readonly string[],
): Promise<void> {
  const ours = TOPICS.map((topic) => topicName(TOPIC_PREFIX, topic));
  await withAdmin(brokers, async (admin) => {
    const topics = [...ours, ...names].map((topic) => ({
      topic,
      numPartitions: PARTITIONS,
      replicationFactor: 1,
    }));
    await admin.createTopics({ topics, waitForLeaders: true });
  });
}

/** Messages that were ever written to it. */
export async function countMessages(brokers: readonly string[], topic: string): Promise<number> {
  return withAdmin(brokers, async (admin) => {
    const offsets = await admin.fetchTopicOffsets(topic);
    return offsets.reduce((sum, { offset }) => sum + Number(offset), 0);
  });
}

type Admin = ReturnType<ReturnType<typeof createKafkaClient>["admin"]>;

async function withAdmin<T>(
  brokers: readonly string[],
  act: (admin: Admin) => Promise<T>,
): Promise<T> {
  const config = readKafkaConfig(kafkaSettings(brokers));
  if (config === undefined) throw new Error("cannot ask Kafka: no broker is named");
  const admin = createKafkaClient({ config, clientId: "clew-bench" }).admin();
  await admin.connect();
  try {
    return await act(admin);
  } finally {
    await admin.disconnect();
  }
}
