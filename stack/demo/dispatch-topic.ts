/** The second job over a real Kafka topic: `orders` sends, `shipping` works it off. */
import { setTimeout as delay } from "node:timers/promises";
import { instrumentKafka } from "@clew/instrumentation";
import { Kafka, logLevel } from "kafkajs";
import { StackError } from "../errors.ts";
import { type Json, parseObject } from "./http-service.ts";

const TOPIC = "demo.dispatches";
const GROUP = "demo.shipping";
const RETRIES_MAX = 30;
const RETRY_DELAY_MAX_MS = 1_000;
const REQUEST_TIMEOUT_MS = 5_000;
const DRAIN_DEADLINE_MS = 5_000;

export interface DispatchProducer {
  /** Resolves once the broker has the job. */
  send(job: Json): Promise<void>;
  close(): Promise<void>;
}

export interface DispatchConsumer {
  /** Works off what is in the topic, for a bounded time, then leaves. */
  close(): Promise<void>;
}

export async function openDispatchProducer(brokers: readonly string[]): Promise<DispatchProducer> {
  const kafka = client("orders", brokers);
  await createTopic(kafka);
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  return {
    async send(job) {
      const message = { key: String(job.orderId), value: JSON.stringify(job) };
      const results = await producer.send({ topic: TOPIC, acks: -1, messages: [message] });
      // kafkajs answers an empty list, and no error, where the partition does not exist.
      if (results.length > 0) return;
      throw new StackError("CALL_FAILED", `cannot send the dispatch: ${TOPIC} has no partition`);
    },
    close: () => producer.disconnect(),
  };
}

/** Each job is worked off `delayMs` after it was sent, at least once, in the topic's order. */
export async function openDispatchConsumer(request: {
  brokers: readonly string[];
  delayMs: number;
  work: (job: Json) => Promise<void>;
}): Promise<DispatchConsumer> {
  const kafka = client("shipping", request.brokers);
  await createTopic(kafka);
  const progress = new Progress();
  const consumer = kafka.consumer({ groupId: GROUP });
  await consumer.connect();
  await consumer.subscribe({ topics: [TOPIC], fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message }) => {
      const dueMs = Number(message.timestamp) + request.delayMs;
      await delay(Math.min(Math.max(dueMs - Date.now(), 0), request.delayMs));
      const job = parseObject(message.value?.toString("utf8") ?? "");
      if (job?.orderId) await request.work(job);
      else console.error(`dispatch ${message.offset} is no job and was left out`);
      progress.reached(BigInt(message.offset) + 1n);
    },
  });
  return {
    async close() {
      await progress.until(await endOffset(kafka), DRAIN_DEADLINE_MS);
      await consumer.disconnect();
    },
  };
}

function client(clientId: string, brokers: readonly string[]): Kafka {
  const kafka = new Kafka({
    clientId,
    brokers: [...brokers],
    logLevel: logLevel.ERROR,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retry: { retries: RETRIES_MAX, maxRetryTime: RETRY_DELAY_MAX_MS },
  });
  return instrumentKafka(kafka);
}

async function createTopic(kafka: Kafka): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  if (!(await admin.listTopics()).includes(TOPIC)) {
    await admin.createTopics({
      waitForLeaders: true,
      topics: [{ topic: TOPIC, numPartitions: 1 }],
    });
  }
  await admin.disconnect();
}

async function endOffset(kafka: Kafka): Promise<bigint> {
  const admin = kafka.admin();
  await admin.connect();
  const [partition] = await admin.fetchTopicOffsets(TOPIC);
  await admin.disconnect();
  return BigInt(partition?.high ?? 0);
}

/** The next offset to work off, and a way to wait for it. */
class Progress {
  #nextOffset = 0n;
  #target: { offset: bigint; resolve: () => void } | undefined;

  reached(nextOffset: bigint): void {
    this.#nextOffset = nextOffset;
    if (this.#target && nextOffset >= this.#target.offset) this.#target.resolve();
  }

  /** Resolves at the offset, or at the deadline: what is left stays in the topic. */
  async until(offset: bigint, deadlineMs: number): Promise<void> {
    if (this.#nextOffset >= offset) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#target = { offset, resolve };
    const deadline = setTimeout(resolve, deadlineMs);
    await promise;
    clearTimeout(deadline);
  }
}
