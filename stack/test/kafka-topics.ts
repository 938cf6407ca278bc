import { Kafka, type KafkaMessage, logLevel, type Message } from "kafkajs";
import { vi } from "vitest";

const READ_DEADLINE_MS = 30_000;

/** A message as it lies in its topic. */
export interface TopicMessage {
  readonly value: string;
  /** As text; of several values the last counts. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Topics of a real broker through a kafkajs that nobody instrumented. */
export class KafkaTopics {
  readonly #kafka: Kafka;

  constructor(brokers: readonly string[]) {
    this.#kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });
  }

  /** @returns the name, which is new */
  async create(name: string, partitions = 1): Promise<string> {
    const topic = `${crypto.randomUUID().slice(0, 8)}.${name}`;
    await this.createNamed(topic, partitions);
    return topic;
  }

  async createNamed(topic: string, partitions = 1): Promise<void> {
    const admin = this.#kafka.admin();
    await admin.connect();
    const topics = [{ topic, numPartitions: partitions }];
    await admin.createTopics({ waitForLeaders: false, topics });
    // A broker may answer for a moment that it does not know the topic it has just made.
    await vi.waitFor(() => admin.fetchTopicMetadata({ topics: [topic] }), READ_DEADLINE_MS);
    await admin.disconnect();
  }

  async send(topic: string, messages: Message[]): Promise<void> {
    const producer = this.#kafka.producer();
    await producer.connect();
    await producer.send({ topic, messages });
    await producer.disconnect();
  }

  /** The first messages of a topic, as many as are asked for. */
  async read(topic: string, count: number): Promise<readonly TopicMessage[]> {
    const consumer = this.#kafka.consumer({ groupId: `reader-${crypto.randomUUID()}` });
    const read: TopicMessage[] = [];
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const deadline = setTimeout(
      () => reject(new Error(`cannot read ${topic}: ${read.length} of ${count} came`)),
      READ_DEADLINE_MS,
    );
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message }) => {
        read.push(asText(message));
        if (read.length === count) resolve();
      },
    });
    try {
      await promise;
    } finally {
      clearTimeout(deadline);
      await consumer.disconnect();
    }
    return read;
  }
}

function asText({ value, headers }: KafkaMessage): TopicMessage {
  const texts = Object.entries(headers ?? {}).map(([name, header]) => {
    return [name, String(Array.isArray(header) ? header.at(-1) : header)] as const;
  });
  return { value: String(value), headers: Object.fromEntries(texts) };
}
