import { randomBytes, randomFillSync } from "node:crypto";
import { Kafka, logLevel } from "kafkajs";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { KafkaConfig } from "../../collector/src/bus/kafka/config.ts";
import { setUpKafka } from "../../collector/src/bus/kafka/kafka-setup.ts";
import { topicName } from "../../collector/src/bus/kafka/kafka-topics.ts";
import { KafkaBroker } from "../backends/kafka-broker.ts";
import { requireJava } from "../backends/required-programs.ts";
import { BusHarness, kafkaConfig, logsMessage, MIB } from "./kafka-bus-harness.ts";

const FIRST_START_MS = 400_000;
const FAULT_MS = 120_000;
const RECOVERY = { timeout: 60_000, interval: 50 };

describe.skipIf(!requireJava("faults of a real Kafka"))("the Kafka bus, when", () => {
  const kafka = new KafkaBroker();
  const harness = new BusHarness();
  beforeAll(() => kafka.start(), FIRST_START_MS);
  afterEach(() => harness.stop(), FAULT_MS);
  afterAll(() => kafka.stop());

  async function topics(): Promise<KafkaConfig> {
    const config = kafkaConfig(kafka.brokers);
    await setUpKafka(config);
    return config;
  }

  test(
    "the broker is away: refuses at once after a while, and recovers by itself",
    async () => {
      const bus = await harness.open(await topics());
      await bus.publish(logsMessage("before"));
      await kafka.crash();
      const first = bus.publish(logsMessage("first"));
      await expect(first).rejects.toMatchObject({ code: "BUS_UNAVAILABLE" });
      await expect(bus.check()).rejects.toMatchObject({ code: "BUS_UNAVAILABLE" });
      await vi.waitFor(async () => {
        // The watch's own words: refused before anything was tried, so that nothing piles up.
        await expect(bus.publish(logsMessage("x"))).rejects.toMatchObject({
          code: "BUS_UNAVAILABLE",
          message: expect.stringMatching(/^cannot use Kafka: /),
        });
      }, RECOVERY);
      await kafka.restart();
      await vi.waitFor(() => bus.check(), RECOVERY);
      const { partition, offset } = await bus.publish(logsMessage("after"));
      expect([partition, offset]).toEqual([
        expect.stringMatching(/^logs\/\d$/),
        expect.any(Number),
      ]);
      expect(harness.reports.at(-1)).toBe("Kafka takes messages again");
    },
    FAULT_MS,
  );

  test(
    "the broker is away at the start: opens, and works once it is there",
    async () => {
      const config = await topics();
      await kafka.crash();
      const bus = await harness.open(config);
      await expect(bus.check()).rejects.toMatchObject({ code: "BUS_UNAVAILABLE" });
      await expect(bus.publish(logsMessage("x"))).rejects.toMatchObject({
        code: "BUS_UNAVAILABLE",
      });
      await kafka.restart();
      await vi.waitFor(() => bus.check(), RECOVERY);
      await bus.publish(logsMessage("x"));
    },
    FAULT_MS,
  );

  test(
    "the broker is frozen: settles every publish within its bounds, and goes on when thawed",
    async () => {
      const maxInFlightBytes = 4 * MIB;
      const bus = await harness.open(await topics(), { maxInFlightBytes });
      await bus.publish(logsMessage("before"));
      kafka.freeze();
      try {
        const value = randomBytes(MIB / 2);
        const publishes = Array.from({ length: 20 }, (_, i) =>
          bus.publish(logsMessage(`${i}`, value)),
        );
        const settled = Promise.allSettled(publishes);
        await expect(publishes.at(-1)).rejects.toMatchObject({ code: "BUS_OVERLOADED" });
        await vi.waitFor(
          () => expect(bus.check()).rejects.toMatchObject({ code: "BUS_UNAVAILABLE" }),
          RECOVERY,
        );
        kafka.thaw();
        await vi.waitFor(() => bus.check(), RECOVERY);
        const outcomes = (await settled).map(({ status }) => status);
        expect(outcomes.slice(0, 7)).toEqual(Array.from({ length: 7 }, () => "fulfilled"));
      } finally {
        kafka.thaw();
      }
      await bus.publish(logsMessage("after"));
    },
    FAULT_MS,
  );

  test(
    "the broker is frozen for long: every publish settles, and stop ends",
    async () => {
      const bus = await harness.open(await topics());
      await bus.publish(logsMessage("before"));
      kafka.freeze();
      try {
        await expect(bus.publish(logsMessage("x"))).rejects.toMatchObject({
          code: "BUS_UNAVAILABLE",
        });
        await bus.stop();
      } finally {
        kafka.thaw();
      }
    },
    FAULT_MS,
  );

  test("a topic is missing: says so, names clew setup, and works once it was run", async () => {
    const config = kafkaConfig(kafka.brokers);
    const bus = await harness.open(config);
    const topic = topicName(config.topicPrefix, "logs");
    const missing = {
      code: "BUS_UNAVAILABLE",
      message: `cannot use Kafka: topic ${topic} is not there; clew setup makes it`,
    };
    await expect(bus.check()).rejects.toMatchObject(missing);
    expect(harness.reports).toEqual([missing.message]);
    await setUpKafka(config);
    await vi.waitFor(() => bus.check(), RECOVERY);
    await bus.publish(logsMessage("x"));
  });

  test(
    "the topic was made again, with fewer partitions: nothing goes to those that are gone",
    async () => {
      const config = await topics();
      const bus = await harness.open(config);
      for (let i = 0; i < 6; i++) await bus.publish(logsMessage(`${i}`));
      const topic = topicName(config.topicPrefix, "logs");
      await withAdmin(kafka, async (admin) => {
        await admin.deleteTopics({ topics: [topic] });
        await vi.waitFor(
          () => admin.createTopics({ topics: [{ topic, numPartitions: 1 }] }),
          RECOVERY,
        );
      });
      await vi.waitFor(() => bus.publish(logsMessage("again")), RECOVERY);
      for (let i = 0; i < 6; i++) {
        expect((await bus.publish(logsMessage(`${i}`))).partition).toBe("logs/0");
      }
    },
    FAULT_MS,
  );

  test(
    "the topic's limit was lowered: takes it over, and refuses what is too large by it",
    async () => {
      const config = await topics();
      const bus = await harness.open(config);
      const before = bus.maxMessageBytes;
      const value = randomFillSync(Buffer.alloc(300_000));
      await bus.publish(logsMessage("fits", value));
      await withAdmin(kafka, async (admin) => {
        const configEntries = [{ name: "max.message.bytes", value: "200000" }];
        const name = topicName(config.topicPrefix, "logs");
        await admin.alterConfigs({
          validateOnly: false,
          resources: [{ type: 2, name, configEntries }],
        });
      });
      await vi.waitFor(async () => {
        await expect(bus.publish(logsMessage("large", value))).rejects.toMatchObject({
          code: "BUS_MESSAGE_TOO_LARGE",
        });
      }, RECOVERY);
      await vi.waitFor(() => expect(bus.maxMessageBytes).toBeGreaterThan(190_000), RECOVERY);
      expect(bus.maxMessageBytes).toBeLessThan(Math.min(before, 200_000));
      await bus.publish(logsMessage("small", value.subarray(0, bus.maxMessageBytes)));
    },
    FAULT_MS,
  );

  test(
    "the broker is killed under load, three times: has all that it acknowledged",
    async () => {
      const bus = await harness.open(await topics());
      const acknowledged = new Set<string>();
      let isOver = false;
      const send = async (sender: number) => {
        for (let i = 0; !isOver; i++) {
          const id = `${sender}-${i}`;
          const [outcome] = await Promise.allSettled([
            bus.publish(logsMessage(id, randomBytes(5000))),
          ]);
          if (outcome?.status === "fulfilled") acknowledged.add(id);
          else await vi.waitFor(() => bus.check(), RECOVERY);
        }
      };
      const senders = Array.from({ length: 20 }, (_, sender) => send(sender));
      for (let round = 1; round <= 3; round++) {
        const enough = acknowledged.size + 300;
        await vi.waitFor(() => expect(acknowledged.size).toBeGreaterThan(enough), RECOVERY);
        await kafka.crash();
        await kafka.restart();
      }
      await vi.waitFor(() => bus.check(), RECOVERY);
      isOver = true;
      await Promise.all(senders);
      const found = new Set<string>();
      const consumer = await bus.openConsumer(new Map());
      const signal = AbortSignal.timeout(FAULT_MS / 2);
      const missing = () => [...acknowledged].filter((id) => !found.has(id));
      while (missing().length > 0 && !signal.aborted) {
        const messages = await consumer.read({ maxBytes: MIB, signal });
        for (const { headers } of messages) found.add(headers.requestId);
      }
      expect(acknowledged.size).toBeGreaterThan(900);
      expect(missing()).toEqual([]);
    },
    2 * FAULT_MS,
  );
});

type Admin = ReturnType<Kafka["admin"]>;

async function withAdmin(kafka: KafkaBroker, act: (admin: Admin) => Promise<void>): Promise<void> {
  const client = new Kafka({ brokers: [...kafka.brokers], logLevel: logLevel.NOTHING });
  const admin = client.admin();
  await admin.connect();
  await act(admin);
  await admin.disconnect();
}
