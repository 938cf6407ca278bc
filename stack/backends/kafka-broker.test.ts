import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import {
  type DispatchConsumer,
  openDispatchConsumer,
  openDispatchProducer,
} from "../demo/dispatch-topic.ts";
import { freePorts } from "./free-ports.ts";
import { KafkaBroker } from "./kafka-broker.ts";
import { isKafkaReady } from "./kafka-probe.ts";
import { requireJava } from "./required-programs.ts";

const FIRST_START_MS = 400_000;
const FAULT_MS = 120_000;

describe.skipIf(!requireJava("the real Kafka broker"))("a real Kafka broker", () => {
  const kafka = new KafkaBroker();
  const opened: DispatchConsumer[] = [];
  beforeAll(() => kafka.start(), FIRST_START_MS);
  afterAll(async () => {
    await Promise.all(opened.map((consumer) => consumer.close()));
    await kafka.stop();
  });

  test(
    "keeps what it acknowledged through a crash, and is frozen and thawed",
    async () => {
      const producer = await openDispatchProducer(kafka.brokers);
      await producer.send({ orderId: "before the crash", item: "lamp" });
      await kafka.crash();
      expect(await isKafkaReady(portOf(kafka))).toBe(false);
      await kafka.restart();
      await producer.send({ orderId: "after the crash", item: "kite" });
      kafka.freeze();
      expect(await isKafkaReady(portOf(kafka))).toBe(false);
      kafka.thaw();
      await producer.send({ orderId: "after the frost", item: "drum" });
      await producer.close();

      const worked: unknown[] = [];
      const work = async ({ orderId }: { orderId?: unknown }) => void worked.push(orderId);
      opened.push(await openDispatchConsumer({ brokers: kafka.brokers, delayMs: 0, work }));
      // Kafka delivers at least once, in the order of the topic.
      await vi.waitFor(() => {
        expect([...new Set(worked)]).toEqual([
          "before the crash",
          "after the crash",
          "after the frost",
        ]);
      }, FAULT_MS);
    },
    FAULT_MS * 2,
  );
});

test("stop is safe before start, and twice", async () => {
  const kafka = new KafkaBroker();
  await kafka.stop();
  await kafka.stop();
});

test("a port nobody listens on is not ready", async () => {
  const [port] = await freePorts(1);
  expect(await isKafkaReady(port as number)).toBe(false);
});

function portOf(kafka: KafkaBroker): number {
  return Number(kafka.brokers[0]?.split(":")[1]);
}
