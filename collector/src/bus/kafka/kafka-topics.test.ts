import { expect, test } from "vitest";
import { TOPICS } from "../bus.ts";
import { findTopic, findTopicPartition, partitionName, topicName } from "./kafka-topics.ts";

test("names are read back as they were made", () => {
  for (const topic of TOPICS) {
    expect(findTopic("a.b", topicName("a.b", topic))).toBe(topic);
    expect(findTopicPartition(partitionName({ topic, partition: 12 }))).toEqual({
      topic,
      partition: 12,
    });
  }
});

test.each(["embedded/0", "logs", "logs/", "logs/-1", "logs/01", "logs/1x", "LOGS/1", "/1", ""])(
  "%j is no partition of this bus",
  (name) => {
    expect(findTopicPartition(name)).toBeUndefined();
  },
);

test.each(["clew.log", "logs", "other.logs", "clew.logs.retry", ""])("%j is no topic", (name) => {
  expect(findTopic("clew", name)).toBeUndefined();
});
