import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { KafkaBroker } from "../backends/kafka-broker.ts";
import { requireJava } from "../backends/required-programs.ts";
import {
  IndexingBus,
  isReady,
  LogLoad,
  logsOf,
  metricOf,
  sendLogs,
  textsOf,
  until,
} from "./kafka-indexing-bus.ts";
import { suiteWith } from "./kafka-suite.ts";

const TEST_MS = 180_000;

describe.skipIf(!requireJava("the collector with Kafka as its bus"))("Kafka as the bus", () => {
  const broker = new KafkaBroker();
  const keep = suiteWith(broker);

  const start = async (bus: IndexingBus) => keep(await bus.startCollector());

  test(
    "finds by the query API what was sent, commits it, and tells the lag",
    async () => {
      const bus = new IndexingBus(broker.brokers);
      await bus.createTopics(2);
      const collector = await start(bus);
      const texts = ["one", "three", "two"];
      expect(await sendLogs(collector.otlpUrl, logsOf("order-1", texts))).toBe(200);
      await until(async () => expect(await textsOf(collector, "order-1")).toEqual(texts));
      await until(async () => expect(await bus.offsets()).toEqual({ committed: 1, end: 1 }));
      expect(await isReady(collector)).toBe(true);
      expect(await metricOf(collector, "clew_bus_lag_records")).toBe(0);
      expect(await metricOf(collector, "clew_bus_lag_seconds")).toBe(0);
    },
    TEST_MS,
  );

  test(
    "has everything it acknowledged, once, though it is killed under load",
    async () => {
      const bus = new IndexingBus(broker.brokers);
      await bus.createTopics(3);
      const collector = await start(bus);
      const load = new LogLoad("killed");
      for (const round of [1, 2]) {
        load.start(collector.otlpUrl);
        await until(async () => expect(load.acknowledged.length).toBeGreaterThan(round * 1500));
        await collector.halt();
        await collector.resume();
      }
      await load.stop();
      expect(load.acknowledged.length).toBeGreaterThan(3000);
      await until(async () => {
        const found = new Set(await textsOf(collector, "killed"));
        expect(load.acknowledged.filter((text) => !found.has(text))).toEqual([]);
      });
      const found = await textsOf(collector, "killed");
      expect(new Set(found).size).toBe(found.length);
    },
    TEST_MS,
  );

  test(
    "keeps a message that is no OTLP as a dead letter, and goes on behind it",
    async () => {
      const bus = new IndexingBus(broker.brokers);
      await bus.createTopics();
      const collector = await start(bus);
      await bus.publish("logs", [Buffer.from("no protobuf"), logsOf("behind", ["the next"])]);
      await until(async () => expect(await textsOf(collector, "behind")).toEqual(["the next"]));
      const undecodable = 'clew_dead_letters_total{reason="undecodable"}';
      await until(async () => expect(await metricOf(collector, undecodable)).toBe(1));
      await until(async () => expect(await bus.offsets()).toEqual({ committed: 2, end: 2 }));
    },
    TEST_MS,
  );

  test(
    "stores what others published once, though it is read twice",
    async () => {
      const bus = new IndexingBus(broker.brokers);
      await bus.createTopics();
      const values = ["a", "b", "c"].map((text) => logsOf("foreign", [text, `${text} too`]));
      await bus.publish("logs", values);
      const collector = await start(bus);
      const texts = ["a", "a too", "b", "b too", "c", "c too"];
      await until(async () => expect(await textsOf(collector, "foreign")).toEqual(texts));
      await collector.halt("SIGINT");
      await bus.deleteGroup();
      await collector.resume();
      await until(async () => {
        expect(await metricOf(collector, "clew_index_existing_records_total")).toBe(6);
      });
      expect(await textsOf(collector, "foreign")).toEqual(texts);
    },
    TEST_MS,
  );

  test(
    "indexes a request that is larger than the broker's messages",
    async () => {
      const bus = new IndexingBus(broker.brokers);
      await bus.createTopics();
      const collector = await start(bus);
      // Random digits, so that no compression brings it below the limit of 1 MiB.
      const texts = Array.from({ length: 400 }, () => randomBytes(5_000).toString("hex"));
      expect(await sendLogs(collector.otlpUrl, logsOf("large", texts))).toBe(200);
      expect((await bus.offsets()).end).toBeGreaterThan(1);
      await until(async () => {
        expect(await textsOf(collector, "large")).toEqual(texts.toSorted());
      });
    },
    TEST_MS,
  );

  test(
    "waits for topics that are not there yet",
    async () => {
      const bus = new IndexingBus(broker.brokers);
      const collector = await start(bus);
      expect(await isReady(collector)).toBe(false);
      expect(await sendLogs(collector.otlpUrl, logsOf("early", ["lost"]))).toBe(503);
      await bus.createTopics();
      await until(async () => expect(await isReady(collector)).toBe(true));
      expect(await sendLogs(collector.otlpUrl, logsOf("early", ["first"]))).toBe(200);
      await until(async () => expect(await textsOf(collector, "early")).toContain("first"));
    },
    TEST_MS,
  );
});
