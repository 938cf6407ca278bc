/** Messages in Kafka as our receiver writes them, but without compression, as its peer would. */
import { randomUUID } from "node:crypto";
import { readKafkaConfig } from "../../../collector/src/bus/kafka/config.ts";
import { createKafkaClient } from "../../../collector/src/bus/kafka/kafka-client.ts";
import { encodeHeaders } from "../../../collector/src/bus/kafka/kafka-headers.ts";
import { indexGroup } from "../../../collector/src/bus/kafka/kafka-reader.ts";
import { kafkaSettings } from "../config.ts";
import { encodeLogRequest, RECORDS_PER_REQUEST, stampLogRequest } from "../log-requests.ts";
import { PARTITIONS, TOPIC_PREFIX } from "../receive/bench-topics.ts";

export interface BenchMessage {
  /** The name at the broker. */
  readonly topic: string;
  readonly records: number;
  readonly value: Buffer;
}

const DISTINCT_REQUESTS = 16;
const IN_FLIGHT = 4;
const ALL_REPLICAS = -1;
const SEND_DEADLINE_MS = 30_000;
const DELETE_ATTEMPTS_MAX = 100;
const DELETE_EVERY_MS = 100;

/** Requests of logs with the numbers from 0 to `requests`, each its own by what it is stamped. */
export function* logMessages(of: {
  readonly topic: string;
  readonly runId: string;
  readonly requests: number;
}): Generator<BenchMessage> {
  const { topic, runId, requests } = of;
  const startNs = BigInt(Date.now()) * 1_000_000n;
  const pool = Array.from({ length: DISTINCT_REQUESTS }, (_, seed) =>
    encodeLogRequest({ runId, seed, startNs }),
  );
  for (let number = 0; number < requests; number++) {
    const request = pool[number % pool.length];
    if (request === undefined) return;
    // The stamped bytes are written over by a later number while this one may be under way.
    const value = Buffer.from(stampLogRequest(request, number));
    yield { topic, records: RECORDS_PER_REQUEST, value };
  }
}

/** Resolves once Kafka acknowledged all of them, spread evenly over the partitions. */
export async function fillTopic(
  brokers: readonly string[],
  messages: Iterable<BenchMessage>,
): Promise<void> {
  const producer = client(brokers).producer();
  await producer.connect();
  const rest = messages[Symbol.iterator]();
  let sent = 0;
  const sendInTurn = async () => {
    for (let next = rest.next(); next.done !== true; next = rest.next()) {
      const { topic, records, value } = next.value;
      const headers = encodeHeaders({
        requestId: randomUUID(),
        ...{ part: 0, records, repeat: false },
        receivedNs: BigInt(Date.now()) * 1_000_000n,
      });
      const message = { partition: sent++ % PARTITIONS, headers, value };
      const answer = await producer.send({
        ...{ topic, acks: ALL_REPLICAS, timeout: SEND_DEADLINE_MS },
        messages: [message],
      });
      if (answer.length !== 1) throw new Error(`cannot fill ${topic}: Kafka kept nothing`);
    }
  };
  try {
    await Promise.all(Array.from({ length: IN_FLIGHT }, sendInTurn));
  } finally {
    await producer.disconnect();
  }
}

/** So that our next indexer begins with the first message again. Waits until the last one left. */
export async function forgetOffsets(brokers: readonly string[]): Promise<void> {
  const admin = client(brokers).admin();
  await admin.connect();
  try {
    const groupId = indexGroup(TOPIC_PREFIX);
    for (let attempt = 1; ; attempt++) {
      const { groups } = await admin.describeGroups([groupId]);
      const state = groups[0]?.state;
      if (state === "Dead") return;
      if (state === "Empty") {
        await admin.deleteGroups([groupId]);
        return;
      }
      if (attempt > DELETE_ATTEMPTS_MAX)
        throw new Error(`cannot delete ${groupId}: it is ${state}`);
      await new Promise((resolve) => setTimeout(resolve, DELETE_EVERY_MS));
    }
  } finally {
    await admin.disconnect();
  }
}

function client(brokers: readonly string[]): ReturnType<typeof createKafkaClient> {
  const config = readKafkaConfig(kafkaSettings(brokers));
  if (config === undefined) throw new Error("cannot ask Kafka: no broker is named");
  return createKafkaClient({ config, clientId: "clew-bench" });
}
