/** What the bus port promises (bus.ts), as one suite that every bus passes. */
import { randomFillSync } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Bus, BusConsumer, DeliveredMessage, OutgoingMessage, Position } from "./bus.ts";

export interface BusUnderTest {
  readonly bus: Bus;
  /** Ends the bus as its process's end would, and opens the same queue again. */
  reopen(): Promise<Bus>;
  /** Ends whatever is open and removes the queue. */
  remove(): Promise<void>;
}

const NO_POSITIONS: ReadonlyMap<string, number> = new Map();
const READ_BYTES = 1024 * 1024;
const MIB = 1024 * 1024;
const IN_FLIGHT_BYTES = 64 * MIB;
/** Until a partition that is chosen by the bus has as many as a test needs. */
const PUBLISHES_MAX = 200;

/** How a bus is opened for one test, and how long a test of it may take. */
export interface BusOpener {
  readonly open: (options: { maxInFlightBytes: number }) => Promise<BusUnderTest>;
  readonly timeoutMs: number;
}

export function busContract(name: string, { open, timeoutMs }: BusOpener): void {
  describe(`${name}: the bus's promises`, { timeout: timeoutMs }, () => {
    let subject: BusUnderTest;
    const it: Subject = {
      get bus() {
        return subject.bus;
      },
      reopen: () => subject.reopen(),
    };

    beforeEach(async () => {
      subject = await open({ maxInFlightBytes: IN_FLIGHT_BYTES });
    }, timeoutMs);

    afterEach(() => subject.remove(), timeoutMs);

    describe("delivery", () => testDelivery(it));
    describe("sizes", () => testSizes(it));
    describe("keeping", () => testKeeping(it));
    describe("bounds", () => testBounds(it));
    describe("lag", () => testLag(it));
    describe("ending", () => testEnding(it));
  });
}

/** The bus of the test that runs; a test that opens it again uses the one it gets. */
type Subject = Pick<BusUnderTest, "bus" | "reopen">;

function testDelivery(it: Subject): void {
  test("gives back each message as it was published", async () => {
    const { bus } = it;
    const sent = [
      message({ topic: "logs", requestId: "a", value: Buffer.from([0, 1, 255]) }),
      message({ topic: "traces", requestId: "ü-b", part: 7, records: 4_000_000_000 }),
      message({ topic: "metrics", requestId: "", value: Buffer.alloc(0), repeat: true }),
      message({ topic: "dead-letters", requestId: "d", receivedNs: 2n ** 63n - 1n }),
    ];
    for (const each of sent) await bus.publish(each);
    const delivered = await take(await bus.openConsumer(NO_POSITIONS), sent.length);
    expect(delivered.map(withoutPosition).toSorted(byTopic)).toEqual(sent.toSorted(byTopic));
  });

  test("gives back what a replay says of its record, and nothing of it elsewhere", async () => {
    const { bus } = it;
    const own = message({ requestId: "r", repeat: true });
    const replays = [{ recordId: "ü-run-17", replayedNs: 2n ** 63n - 1n }, { replayedNs: 1n }];
    const sent = replays.map((replay) => ({ ...own, headers: { ...own.headers, ...replay } }));
    for (const each of [...sent, own]) await bus.publish(each);
    const reopened = await it.reopen();
    const delivered = await take(await reopened.openConsumer(NO_POSITIONS), 3);
    const heads = delivered.map(({ headers }) => headers);
    for (const { headers } of [...sent, own]) expect(heads).toContainEqual(headers);
    expect(heads.filter((headers) => "recordId" in headers)).toHaveLength(1);
    expect(heads.filter((headers) => "replayedNs" in headers)).toHaveLength(2);
    for (const { value } of delivered) expect(Buffer.compare(value, own.value)).toBe(0);
  });

  test("keeps the order of a partition, and counts its offsets from 0 without a gap", async () => {
    const { bus } = it;
    const positions: Position[] = [];
    for (let i = 0; i < 50; i++) positions.push(await bus.publish(numbered(i)));
    expectDense(positions);
    const delivered = await take(await bus.openConsumer(NO_POSITIONS), 50);
    expectDense(delivered);
    expectSameOrder(delivered, positions);
  });

  test("takes 2000 publishes at once, each with a position of its own", async () => {
    const { bus } = it;
    const consumer = await bus.openConsumer(NO_POSITIONS);
    const numbers = Array.from({ length: 2000 }, (_, i) => i);
    const positions = await Promise.all(numbers.map((i) => bus.publish(numbered(i))));
    expect(new Set(positions.map(key)).size).toBe(2000);
    const delivered = await take(consumer, 2000);
    expectDense(delivered);
    expectSameOrder(delivered, positions);
  });

  test("gives messages to a consumer that waits since before they were published", async () => {
    const { bus } = it;
    const consumer = await bus.openConsumer(NO_POSITIONS);
    for (let i = 0; i < 20; i++) {
      const waiting = consumer.read({
        maxBytes: READ_BYTES,
        signal: new AbortController().signal,
      });
      await bus.publish(numbered(i));
      expect((await waiting).map(ids)).toEqual([String(i)]);
    }
  });
}

function testSizes(it: Subject): void {
  test("passes what is as large as it takes, also beyond the bytes a read asks for", async () => {
    const { bus } = it;
    const sizes = [Math.floor(bus.maxMessageBytes / 4), 1, bus.maxMessageBytes, 3];
    // Random, so that no compression makes it smaller than it seems.
    const values = sizes.map((bytes) => randomFillSync(Buffer.alloc(bytes)));
    for (const [i, value] of values.entries()) {
      await bus.publish(message({ requestId: String(i), value }));
    }
    const consumer = await bus.openConsumer(NO_POSITIONS);
    const maxBytes = Math.floor(bus.maxMessageBytes / 8);
    const delivered = await take(consumer, values.length, maxBytes);
    for (const each of delivered) {
      expect(Buffer.compare(each.value, values[Number(ids(each))] as Buffer)).toBe(0);
    }
  });

  test("reads about as many bytes as were asked for", async () => {
    const { bus } = it;
    for (let i = 0; i < 64; i++) await bus.publish(message({ value: Buffer.alloc(1024) }));
    const consumer = await bus.openConsumer(NO_POSITIONS);
    const signal = AbortSignal.timeout(10_000);
    let total = 0;
    while (total < 64) {
      const messages = await consumer.read({ maxBytes: 8 * 1024, signal });
      expect(messages.length).toBeGreaterThan(0);
      expect(messages.length).toBeLessThanOrEqual(8);
      total += messages.length;
    }
  });
}

function testKeeping(it: Subject): void {
  test("has every acknowledged message after it was opened again", async () => {
    const { bus } = it;
    const numbers = Array.from({ length: 300 }, (_, i) => i);
    await Promise.all(numbers.map((i) => bus.publish(numbered(i))));
    const reopened = await it.reopen();
    await reopened.publish(numbered(300));
    const delivered = await take(await reopened.openConsumer(NO_POSITIONS), 301);
    expectDense(delivered);
    expect(new Set(delivered.map(ids)).size).toBe(301);
  });

  test("delivers again what was read and not committed", async () => {
    const { bus } = it;
    for (let i = 0; i < 10; i++) await bus.publish(numbered(i));
    const first = await bus.openConsumer(NO_POSITIONS);
    expect(await take(first, 10)).toHaveLength(10);
    await first.stop();
    expect(await take(await bus.openConsumer(NO_POSITIONS), 10)).toHaveLength(10);
    const reopened = await it.reopen();
    expect(await take(await reopened.openConsumer(NO_POSITIONS), 10)).toHaveLength(10);
  });

  test("goes on after what was committed, in this process and the next", async () => {
    const { bus } = it;
    const positions: Position[] = [];
    for (let i = 0; i < 10; i++) positions.push(await bus.publish(numbered(i)));
    const first = await bus.openConsumer(NO_POSITIONS);
    await take(first, 10);
    for (const position of positions.slice(0, 4)) await first.commit(after(position));
    await first.stop();
    const second = await bus.openConsumer(NO_POSITIONS);
    expect(sortedIds(await take(second, 6))).toEqual(["4", "5", "6", "7", "8", "9"]);
    const reopened = await it.reopen();
    const third = await reopened.openConsumer(NO_POSITIONS);
    expect(sortedIds(await take(third, 6))).toEqual(["4", "5", "6", "7", "8", "9"]);
  });

  test("starts where it is told, before or after what was committed", async () => {
    const { bus } = it;
    const positions: Position[] = [];
    for (let i = 0; i < 10; i++) positions.push(await bus.publish(numbered(i)));
    const first = await bus.openConsumer(NO_POSITIONS);
    await take(first, 10);
    for (const position of positions.slice(0, 5)) await first.commit(after(position));
    await first.stop();
    const later = await bus.openConsumer(startAt(positions, 7));
    expect(sortedIds(await take(later, 3))).toEqual(["7", "8", "9"]);
    await later.stop();
    const reopened = await it.reopen();
    const earlier = await reopened.openConsumer(startAt(positions, 2));
    expect(sortedIds(await take(earlier, 8))).toEqual(["2", "3", "4", "5", "6", "7", "8", "9"]);
  });

  test("a commit further back changes nothing", async () => {
    const { bus } = it;
    const positions = await publishUntil(bus, 3);
    const same = positions.filter(({ partition }) => partition === positions.at(-1)?.partition);
    const consumer = await bus.openConsumer(NO_POSITIONS);
    await take(consumer, positions.length);
    await consumer.commit(after(same[1] as Position));
    await consumer.commit(after(same[0] as Position));
    await consumer.stop();
    const again = await take(await bus.openConsumer(NO_POSITIONS), positions.length - 2);
    const left = again.filter(({ partition }) => partition === same[0]?.partition);
    expect(left.map(key)).toEqual(same.slice(2).map(key));
  });
}

function testBounds(it: Subject): void {
  test("refuses what it may not hold, keeps what it took, and takes more later", async () => {
    const { bus } = it;
    const value = Buffer.alloc(Math.min(8 * MIB, bus.maxMessageBytes));
    const count = Math.ceil(IN_FLIGHT_BYTES / value.length) + 4;
    const publishes = Array.from({ length: count }, (_, i) =>
      bus.publish(message({ requestId: String(i), value })),
    );
    const settled = await Promise.allSettled(publishes);
    const taken = settled.filter(({ status }) => status === "fulfilled");
    const refused = settled.filter(({ status }) => status === "rejected");
    expect(refused.length).toBeGreaterThan(0);
    for (const each of refused) {
      expect(each).toMatchObject({ reason: { code: "BUS_OVERLOADED" } });
    }
    await bus.publish(message({ requestId: "later" }));
    const delivered = await take(await bus.openConsumer(NO_POSITIONS), taken.length + 1);
    expect(delivered.map(ids)).toContain("later");
    expectDense(delivered);
  });

  test("refuses a message that could never be taken", async () => {
    const { bus } = it;
    const value = Buffer.alloc(bus.maxMessageBytes + 1);
    await expect(bus.publish(message({ value }))).rejects.toMatchObject({
      code: "BUS_MESSAGE_TOO_LARGE",
    });
    await bus.check();
  });
}

function testLag(it: Subject): void {
  test("counts what was published and not committed, also after it was opened again", async () => {
    const { bus } = it;
    expect(await bus.lag()).toEqual({ messages: 0, records: 0, seconds: 0 });
    const positions: Position[] = [];
    for (let i = 0; i < 5; i++) positions.push(await bus.publish(message({ records: 10 })));
    expect(await bus.lag()).toMatchObject({ messages: 5, records: 50 });
    expect((await bus.lag()).seconds).toBeGreaterThan(0);
    const consumer = await bus.openConsumer(NO_POSITIONS);
    await take(consumer, 5);
    for (const position of positions.slice(0, 3)) await consumer.commit(after(position));
    await vi.waitFor(async () => {
      expect(await bus.lag()).toMatchObject({ messages: 2, records: 20 });
    });
    const reopened = await it.reopen();
    expect(await reopened.lag()).toMatchObject({ messages: 2, records: 20 });
    const again = await reopened.openConsumer(NO_POSITIONS);
    await take(again, 2);
    for (const position of positions.slice(3)) await again.commit(after(position));
    await vi.waitFor(async () => {
      expect(await reopened.lag()).toEqual({ messages: 0, records: 0, seconds: 0 });
    });
  });
}

function testEnding(it: Subject): void {
  test("a read ends empty once its signal aborts, before or while it waits", async () => {
    const { bus } = it;
    const consumer = await bus.openConsumer(NO_POSITIONS);
    const aborted = AbortSignal.abort();
    expect(await consumer.read({ maxBytes: READ_BYTES, signal: aborted })).toEqual([]);
    const controller = new AbortController();
    const waiting = consumer.read({ maxBytes: READ_BYTES, signal: controller.signal });
    controller.abort();
    expect(await waiting).toEqual([]);
    await bus.publish(numbered(0));
    expect((await take(consumer, 1)).map(ids)).toEqual(["0"]);
  });

  test("a waiting read ends empty once the consumer, or the bus, stops", async () => {
    const { bus } = it;
    const { signal } = new AbortController();
    const first = await bus.openConsumer(NO_POSITIONS);
    const waiting = first.read({ maxBytes: READ_BYTES, signal });
    await first.stop();
    await first.stop();
    expect(await waiting).toEqual([]);
    expect(await first.read({ maxBytes: READ_BYTES, signal })).toEqual([]);
    const second = await bus.openConsumer(NO_POSITIONS);
    const waitingToo = second.read({ maxBytes: READ_BYTES, signal });
    await bus.stop();
    expect(await waitingToo).toEqual([]);
  });

  test("stops twice, before the first publish too, and then refuses", async () => {
    const { bus } = it;
    await bus.stop();
    await bus.stop();
    await expect(bus.publish(numbered(0))).rejects.toMatchObject({ code: "BUS_STOPPED" });
    await expect(bus.check()).rejects.toMatchObject({ code: "BUS_STOPPED" });
  });

  test("stop lets what was accepted become durable", async () => {
    const { bus } = it;
    const publishes = Array.from({ length: 100 }, (_, i) => bus.publish(numbered(i)));
    await Promise.all([bus.stop(), bus.stop()]);
    expect(await Promise.all(publishes)).toHaveLength(100);
    const reopened = await it.reopen();
    expect(await take(await reopened.openConsumer(NO_POSITIONS), 100)).toHaveLength(100);
  });
}

/** Publishes until one partition has `count` messages. */
async function publishUntil(bus: Bus, count: number): Promise<Position[]> {
  const positions: Position[] = [];
  for (let i = 0; i < PUBLISHES_MAX; i++) {
    const position = await bus.publish(numbered(i));
    positions.push(position);
    if (position.offset === count - 1) return positions;
  }
  throw new Error(`no partition took ${count} of ${PUBLISHES_MAX} messages`);
}

/** Reads until `count` messages came. */
async function take(
  consumer: BusConsumer,
  count: number,
  maxBytes = READ_BYTES,
): Promise<DeliveredMessage[]> {
  const signal = AbortSignal.timeout(30_000);
  const messages: DeliveredMessage[] = [];
  while (messages.length < count) {
    const more = await consumer.read({ maxBytes, signal });
    if (more.length === 0) break;
    messages.push(...more);
  }
  expect(messages).toHaveLength(count);
  return messages;
}

interface MessageFields {
  topic?: OutgoingMessage["topic"];
  requestId?: string;
  part?: number;
  records?: number;
  receivedNs?: bigint;
  repeat?: boolean;
  value?: Buffer;
}

function message(fields: MessageFields): OutgoingMessage {
  const { topic = "logs", value = Buffer.from("value"), ...headers } = fields;
  return {
    topic,
    headers: {
      requestId: "request",
      part: 0,
      records: 1,
      receivedNs: 1_700_000_000_000_000_000n,
      repeat: false,
      ...headers,
    },
    value,
  };
}

function numbered(number: number): OutgoingMessage {
  return message({ requestId: String(number), value: Buffer.from(`value ${number}`) });
}

function withoutPosition({ topic, headers, value }: DeliveredMessage): OutgoingMessage {
  return { topic, headers, value: Buffer.from(value) };
}

function ids({ headers }: DeliveredMessage): string {
  return headers.requestId;
}

function key({ partition, offset }: Position): string {
  return `${partition}@${offset}`;
}

function after({ partition, offset }: Position): Position {
  return { partition, offset: offset + 1 };
}

function byTopic(a: OutgoingMessage, b: OutgoingMessage): number {
  return a.topic.localeCompare(b.topic);
}

/** Between partitions there is no order. */
function sortedIds(messages: readonly DeliveredMessage[]): string[] {
  return messages.map(ids).toSorted((a, b) => Number(a) - Number(b));
}

/** Where a consumer begins that shall get `positions[index]` and what was published after it. */
function startAt(positions: readonly Position[], index: number): ReadonlyMap<string, number> {
  const start = new Map<string, number>();
  for (const [i, { partition, offset }] of positions.entries()) {
    if (i < index) start.set(partition, offset + 1);
    else if (!start.has(partition)) start.set(partition, offset);
  }
  return start;
}

function expectDense(positions: readonly Position[]): void {
  const next = new Map<string, number>();
  for (const { partition, offset } of positions) {
    expect(offset).toBe(next.get(partition) ?? 0);
    next.set(partition, offset + 1);
  }
}

/** `positions[i]` is where the message numbered i was put. */
function expectSameOrder(delivered: readonly DeliveredMessage[], positions: readonly Position[]) {
  expect(delivered.length).toBe(positions.length);
  for (const each of delivered) {
    expect(key(each)).toBe(key(positions[Number(each.headers.requestId)] as Position));
  }
}
