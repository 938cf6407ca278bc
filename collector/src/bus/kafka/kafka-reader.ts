import { TOPICS, type Topic } from "../bus.ts";
import type { RepeatBounds } from "../repeat-window.ts";
import type { KafkaConfig } from "./config.ts";
import { createKafkaClient } from "./kafka-client.ts";
import { KafkaConsumer } from "./kafka-consumer.ts";

/** Metrics lie in Kafka for others: nothing of ours reads them yet. */
export const INDEXED_TOPICS: readonly Topic[] = TOPICS.filter((topic) => topic !== "metrics");

export interface KafkaReaderOptions {
  readonly config: KafkaConfig;
  readonly from: ReadonlyMap<string, number>;
  /** `INDEXED_TOPICS` where absent. */
  readonly topics?: readonly Topic[];
  /** As `KafkaConsumer` has it. */
  readonly repeatBounds?: RepeatBounds | undefined;
  /** As `KafkaConsumer` has it; for tests. */
  readonly prefetchBytesMax?: number;
  readonly report: (line: string) => void;
  readonly onTrouble?: ((why: string | undefined) => void) | undefined;
}

/** The consumer group of all indexers that share a prefix. */
export function indexGroup(topicPrefix: string): string {
  return `${topicPrefix}-index`;
}

/**
 * Opens the indexer's reading end, with connections of its own.
 * @throws ClewError BUS_REFUSED as `KafkaConsumer.open` does.
 */
export function openKafkaReader(options: KafkaReaderOptions): Promise<KafkaConsumer> {
  const { config, topics = INDEXED_TOPICS, ...rest } = options;
  const { topicPrefix, clientRack } = config;
  return KafkaConsumer.open({
    client: createKafkaClient({ config, clientId: `${topicPrefix}-index` }),
    groupId: indexGroup(topicPrefix),
    ...{ ...rest, topicPrefix, clientRack, topics },
  });
}
