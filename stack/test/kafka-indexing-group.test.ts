import { describe, expect, test } from "vitest";
import type { BusConsumer, DeliveredMessage } from "../../collector/src/bus/bus.ts";
import { readKafkaConfig } from "../../collector/src/bus/kafka/config.ts";
import type { KafkaConsumer } from "../../collector/src/bus/kafka/kafka-consumer.ts";
import { openKafkaReader } from "../../collector/src/bus/kafka/kafka-reader.ts";
import { KafkaBroker } from "../backends/kafka-broker.ts";
import { requireJava } from "../backends/required-programs.ts";
import { IndexingBus, LogLoad, logsOf, textsOf, until } from "./kafka-indexing-bus.ts";
import { suiteWith } from "./kafka-suite.ts";

const TEST_MS = 240_000;
const MIB = 1024 * 1024;

describe.skipIf(!requireJava("a group of indexers"))("a group of indexers", () => {
  const broker = new KafkaBroker();
  let reports: string[];
  const keep = suiteWith(broker);

  const startCollector = async (bus: IndexingBus) => keep(await bus.startCollector());

  async function openReader(
    bus: IndexingBus,
    more: { prefetchBytesMax?: number; from?: ReadonlyMap<string, number> } = {},
  ): Promise<KafkaConsumer> {
    const config = readKafkaConfig(bus.env);
    if (config === undefined) throw new Error("cannot read: no broker is named");
    reports = [];
    const report = (line: string) => reports.push(line);
    const reader = await openKafkaReader({ config, from: new Map(), report, ...more });
    return keep(reader);
  }

  test(
    "every message is indexed by some collector, while others join, leave and are killed",
    async () => {
      const bus = new IndexingBus(broker.brokers);
      await bus.createTopics(4);
      const first = await startCollector(bus);
      const load = new LogLoad("shared");
      load.start(first.otlpUrl);
      await until(async () => expect(load.acknowledged.length).toBeGreaterThan(500));
      const second = await startCollector(bus);
      await until(async () => expect(await bus.members()).toBe(2));
      await until(async () => expect(await textsOf(second, "shared")).not.toEqual([]));
      const atKill = load.acknowledged.length;
      await second.halt("SIGKILL");
      await until(async () => expect(await bus.members()).toBe(1));
      await until(async () => expect(load.acknowledged.length).toBeGreaterThan(atKill + 500));
      const third = await startCollector(bus);
      await until(async () => expect(await bus.members()).toBe(2));
      await third.halt("SIGINT");
      await load.stop();
      await until(async () => {
        const { committed, end } = await bus.offsets();
        expect(committed).toBe(end);
      });
      await first.halt("SIGINT");
      // One after the other, each with what it stored itself: nothing is left for it to read.
      const found = new Set<string>();
      for (const collector of [first, second, third]) {
        await collector.resume();
        const texts = await textsOf(collector, "shared");
        expect(new Set(texts).size).toBe(texts.length);
        for (const text of texts) found.add(text);
        await collector.halt("SIGINT");
      }
      expect(load.acknowledged.filter((text) => !found.has(text))).toEqual([]);
    },
    TEST_MS,
  );

  test(
    "nothing is committed that no reader has, while readers join and leave",
    async () => {
      const bus = new IndexingBus(broker.brokers);
      await bus.createTopics(4);
      const read = new Set<string>();
      const drains: Promise<void>[] = [];
      const open = async () => {
        const reader = await openReader(bus);
        drains.push(drain(reader, read));
        return reader;
      };
      await open();
      await bus.publish("logs", numbered(0, 200));
      const second = await open();
      await until(async () => expect(await bus.members()).toBe(2));
      await bus.publish("logs", numbered(200, 400));
      await expectCommittedRead(bus, read);
      await second.stop();
      await expectCommittedRead(bus, read);
      await bus.publish("logs", numbered(400, 600));
      const third = await open();
      await until(async () => expect(read.size).toBe(600));
      await until(async () => expect(await bus.offsets()).toEqual({ committed: 600, end: 600 }));
      await third.stop();
    },
    TEST_MS,
  );

  test(
    "a reader that stands still keeps its place in the group, and holds no more than its bound",
    async () => {
      const bus = new IndexingBus(broker.brokers);
      await bus.createTopics(2);
      const large = Array.from({ length: 160 }, () => logsOf("still", ["x".repeat(100_000)]));
      await bus.publish("logs", large);
      const reader = await openReader(bus, { prefetchBytesMax: MIB });
      await until(async () => expect(reader.prefetchedBytes).toBeGreaterThan(MIB / 2));
      const other = await startCollector(bus);
      await until(async () => expect(await bus.members()).toBe(2));
      await other.halt("SIGKILL");
      // The broker throws out who sends no heartbeats; the other stays, though it reads nothing.
      await until(async () => expect(await bus.members()).toBe(1));
      expect(reader.prefetchedBytes).toBeLessThanOrEqual(MIB);
      const next = new Map<string, number>();
      const signal = AbortSignal.timeout(60_000);
      await until(async () => {
        for (const { partition, offset } of await reader.read({ maxBytes: MIB / 4, signal })) {
          expect(offset).toBe(next.get(partition) ?? offset);
          next.set(partition, offset + 1);
          expect(reader.prefetchedBytes).toBeLessThanOrEqual(MIB);
        }
        expect([...next.values()].reduce((sum, end) => sum + end, 0)).toBe(160);
      });
      expect(reports).toEqual([]);
    },
    TEST_MS,
  );

  test(
    "begins with all that is kept where its positions were counted in another topic",
    async () => {
      const bus = new IndexingBus(broker.brokers);
      await bus.createTopics();
      await bus.publish("logs", numbered(0, 5));
      const from = new Map([["logs/0", 1000]]);
      const reader = await openReader(bus, { from });
      const read = new Set<string>();
      const done = drain(reader, read);
      await until(async () => expect(read.size).toBe(5));
      await until(async () => expect(await bus.offsets()).toEqual({ committed: 5, end: 5 }));
      expect(reports).toEqual(["logs/0 ends at 5, its consumer is at 1000: reading all again"]);
      await reader.stop();
      await done;
    },
    TEST_MS,
  );
});

function numbered(from: number, to: number): Buffer[] {
  return Array.from({ length: to - from }, (_, i) => Buffer.from(`message ${from + i}`));
}

/** Reads and commits until the consumer stops, as an indexer with a store does. */
async function drain(reader: BusConsumer, read: Set<string>): Promise<void> {
  const { signal } = new AbortController();
  for (;;) {
    const messages = await reader.read({ maxBytes: MIB, signal });
    if (messages.length === 0) return;
    for (const message of messages) {
      read.add(keyOf(message));
      const { partition, offset } = message;
      // Rejects where the consumer has stopped: then another reads it again.
      await reader.commit({ partition, offset: offset + 1 }).catch(() => undefined);
    }
  }
}

function keyOf({ partition, offset }: DeliveredMessage): string {
  return `${partition}@${offset}`;
}

/** Looks a few times while everything moves. */
async function expectCommittedRead(bus: IndexingBus, read: ReadonlySet<string>): Promise<void> {
  for (let look = 0; look < 5; look++) {
    const { committed } = await bus.offsets();
    expect(committed).toBeLessThanOrEqual(read.size);
  }
}
