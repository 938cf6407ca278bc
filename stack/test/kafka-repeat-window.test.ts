import { describe, expect, test } from "vitest";
import type { DeliveredMessage } from "../../collector/src/bus/bus.ts";
import { readKafkaConfig } from "../../collector/src/bus/kafka/config.ts";
import type { KafkaConsumer } from "../../collector/src/bus/kafka/kafka-consumer.ts";
import { openKafkaReader } from "../../collector/src/bus/kafka/kafka-reader.ts";
import type { RepeatBounds } from "../../collector/src/bus/repeat-window.ts";
import { KafkaBroker } from "../backends/kafka-broker.ts";
import { requireJava } from "../backends/required-programs.ts";
import { IndexingBus, until } from "./kafka-indexing-bus.ts";
import { suiteWith } from "./kafka-suite.ts";

const TEST_MS = 120_000;
const MIB = 1024 * 1024;
const BOUNDS: RepeatBounds = { messagesMax: 5, bytesMax: MIB };

describe.skipIf(!requireJava("a store without positions"))("a store without positions", () => {
  const broker = new KafkaBroker();
  const keep = suiteWith(broker);

  test(
    "is written no further than the bound beyond the last commit, which the next one knows",
    async () => {
      const bus = new IndexingBus(broker.brokers);
      await bus.createTopics();
      const first = await open(bus);
      await bus.publish("logs", numbered(1));
      await commit(first, await read(first, 1));
      await bus.publish("logs", numbered(19));
      const given = await read(first, 5);
      expect(given.map(({ offset }) => offset)).toEqual(offsets(1, 6));
      await commit(first, given.slice(0, 2));
      expect((await read(first, 2)).map(({ offset }) => offset)).toEqual([6, 7]);
      await first.stop();
      const second = await open(bus);
      const again = await readAll(second, 20);
      expect(again.map(({ offset }) => offset)).toEqual(offsets(3, 20));
      expect(repeats(again)).toEqual(offsets(3, 8));
      await until(async () => expect(await bus.offsets()).toEqual({ committed: 20, end: 20 }));
      await second.stop();
      await bus.resetOffsets();
      const third = await open(bus);
      const anew = await readAll(third, 20);
      expect(repeats(anew)).toEqual(offsets(0, 20));
    },
    TEST_MS,
  );

  test(
    "knows what was read by whoever goes on in the midst of a topic that is read again",
    async () => {
      const bus = new IndexingBus(broker.brokers);
      await bus.createTopics();
      await bus.publish("logs", numbered(20));
      const first = await open(bus);
      const given = await read(first, 5);
      expect(repeats(given)).toEqual(offsets(0, 5));
      await commit(first, given);
      await until(async () => expect((await bus.offsets()).committed).toBe(5));
      await first.stop();
      await bus.publish("logs", numbered(20));
      const second = await open(bus);
      const rest = await readAll(second, 40);
      // 20 lay there when nothing was known; as many as the bound after it may be a zombie's.
      expect(repeats(rest)).toEqual(offsets(5, 25));
    },
    TEST_MS,
  );

  async function open(bus: IndexingBus): Promise<KafkaConsumer> {
    const config = readKafkaConfig(bus.env);
    if (config === undefined) throw new Error("cannot read: no broker is named");
    const report = () => undefined;
    return keep(await openKafkaReader({ config, from: new Map(), report, repeatBounds: BOUNDS }));
  }
});

/** Until it has so many; then no more may come without a commit. */
async function read(reader: KafkaConsumer, count: number): Promise<DeliveredMessage[]> {
  const messages: DeliveredMessage[] = [];
  while (messages.length < count) {
    const signal = AbortSignal.timeout(30_000);
    const more = await reader.read({ maxBytes: MIB, signal });
    expect(more).not.toEqual([]);
    messages.push(...more);
  }
  const over = new AbortController();
  const more = reader.read({ maxBytes: MIB, signal: over.signal });
  over.abort();
  expect(await more).toEqual([]);
  return messages;
}

/** Commits each as it comes, up to this offset. */
async function readAll(reader: KafkaConsumer, end: number): Promise<DeliveredMessage[]> {
  const messages: DeliveredMessage[] = [];
  while ((messages.at(-1)?.offset ?? -1) + 1 < end) {
    const more = await reader.read({ maxBytes: MIB, signal: AbortSignal.timeout(30_000) });
    expect(more).not.toEqual([]);
    messages.push(...more);
    await commit(reader, more);
  }
  return messages;
}

async function commit(reader: KafkaConsumer, messages: readonly DeliveredMessage[]): Promise<void> {
  const last = messages.at(-1);
  if (last === undefined) return;
  await reader.commit({ partition: last.partition, offset: last.offset + 1 });
}

function repeats(messages: readonly DeliveredMessage[]): number[] {
  return messages.filter(({ headers }) => headers.repeat).map(({ offset }) => offset);
}

function offsets(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

function numbered(count: number): Buffer[] {
  return Array.from({ length: count }, (_, i) => Buffer.from(`message ${i}`));
}
