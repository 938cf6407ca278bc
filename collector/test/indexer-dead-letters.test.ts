/** What the indexer does with letters and acts: real bus, real store, faults where told. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { MessageHeaders, OutgoingMessage, Topic } from "../src/bus/bus.ts";
import { EmbeddedBus } from "../src/bus/embedded-bus.ts";
import { ClewError } from "../src/errors.ts";
import {
  decodeDeadLetterMessage,
  encodeDeadLetter,
  encodeDeadLetterActs,
} from "../src/indexer/dead-letter-message.ts";
import { BusDeadLetterSink, type DeadLetterSink } from "../src/indexer/dead-letter-sink.ts";
import { Indexer } from "../src/indexer/indexer.ts";
import type { DeadLetter } from "../src/store/dead-letter.ts";
import { openEmbeddedStoreReader } from "../src/store/embedded/embedded-store-reader.ts";
import { openEmbeddedStoreWriter } from "../src/store/embedded/embedded-store-writer.ts";
import type { StoreReader, StoreWriter } from "../src/store/store.ts";
import { logsRequest } from "./otlp-fixtures.ts";
import { deadLetter, deadLetterAct, NOON_NS, SECOND_NS } from "./record-fixtures.ts";

const AWAY = new ClewError("BUS_UNAVAILABLE", "cannot publish: the bus is away");
const WAIT_MS = 20_000;

let dir: string;
let bus: EmbeddedBus;
let writer: StoreWriter;
let reader: StoreReader;
let nowNs: bigint;
let waits: number;
const running: Indexer[] = [];

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "clew-indexer-"));
  bus = await EmbeddedBus.open({
    dir: join(dir, "bus"),
    maxInFlightBytes: 2 ** 26,
    nowNs: () => 1n,
  });
  writer = openEmbeddedStoreWriter({ dir: join(dir, "store"), recordBytesMax: 2048 });
  reader = openEmbeddedStoreReader({ dir: join(dir, "store") });
  nowNs = NOON_NS;
  waits = 0;
});

afterEach(async () => {
  for (const indexer of running.splice(0)) await indexer.stop();
  await bus.stop();
  await Promise.all([writer.stop(), reader.stop()]);
  rmSync(dir, { recursive: true, force: true });
});

async function start(sink?: DeadLetterSink): Promise<Indexer> {
  const indexer = new Indexer({
    consumer: await bus.openConsumer(new Map()),
    store: writer,
    transactionKeys: ["transaction_id"],
    ...(sink === undefined ? {} : { deadLetterSink: sink }),
    nowNs: () => nowNs,
    nowMs: () => performance.now(),
    random: () => 0,
    wait: (_ms, signal) => {
      waits++;
      return new Promise((resolve, reject) => {
        setImmediate(() => (signal.aborted ? reject(new Error("aborted")) : resolve(undefined)));
      });
    },
    onProgress: () => undefined,
  });
  running.push(indexer);
  void indexer.run();
  return indexer;
}

async function publish(
  topic: Topic,
  value: Uint8Array,
  headers: Partial<MessageHeaders> = {},
): Promise<void> {
  const own = { requestId: "request", part: 0, records: 1, receivedNs: NOON_NS, repeat: false };
  await bus.publish({ topic, headers: { ...own, ...headers }, value });
}

/** Too large for the store. */
const LARGE = logsRequest([
  {
    resource: { "service.name": "orders", "clew.run.id": "run" },
    records: [
      {
        body: "L".repeat(4000),
        attributes: { "log.record.uid": "run-7", transaction_id: "order-1" },
      },
    ],
  },
]);

async function settled(): Promise<void> {
  await vi.waitFor(async () => expect((await bus.lag()).messages).toBe(0), WAIT_MS);
}

describe("letters and acts from the bus", () => {
  it("are brought into the store, in whichever batches they come", async () => {
    for (const value of encodeDeadLetter(deadLetter("d", { transactionId: "t" }))) {
      await publish("dead-letters", value);
    }
    await publish("dead-letters", encodeDeadLetterActs([deadLetterAct("d")]));
    const indexer = await start();
    await settled();
    expect(await reader.findDeadLetter("d")).toMatchObject({ state: "replayed", refusals: 1 });
    expect(indexer.stats()).toMatchObject({ projected: 2 });
    const discarded = deadLetterAct("d", { act: "discarded", atNs: NOON_NS + 5n * SECOND_NS });
    await publish("dead-letters", encodeDeadLetterActs([discarded]));
    await settled();
    expect((await reader.findDeadLetter("d"))?.state).toBe("discarded");
  });

  it("are one letter again where they came in pieces", async () => {
    const original = Buffer.alloc(1_200_000, "piece by piece ");
    const pieces = encodeDeadLetter(deadLetter("d", { original }));
    for (const value of pieces.toReversed()) await publish("dead-letters", value);
    await start();
    await settled();
    const found = await reader.findDeadLetter("d");
    expect(found).toMatchObject({ isWhole: true, refusals: 1 });
    expect(Buffer.from(found?.original ?? []).equals(original)).toBe(true);
  });

  it("of a newer collector are kept for one that can read them", async () => {
    const json = Buffer.from(JSON.stringify({ kind: "acts", version: 99, acts: [] }));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(json.length);
    await publish("dead-letters", Buffer.concat([length, json]), { requestId: "newer" });
    await start();
    await settled();
    const found = await reader.findDeadLetter("newer-0");
    expect(found).toMatchObject({ reason: "undecodable", topic: "dead-letters" });
    expect(found?.detail).toContain("its version is 99");
  });
});

describe("what the indexer itself refuses", () => {
  it("says of which run it was, with which number", async () => {
    await publish("logs", LARGE);
    await start();
    await settled();
    expect(await reader.findDeadLetter("run-7")).toMatchObject({
      ...{ runId: "run", sequence: 7, service: "orders", transactionId: "order-1" },
      ...{ refusedNs: NOON_NS, receivedNs: NOON_NS, status: null, reason: "refused" },
    });
  });

  it("is open again after a replay, though that was timed by a clock that is ahead", async () => {
    await publish("logs", LARGE);
    await start();
    await settled();
    const atNs = NOON_NS + 30n * SECOND_NS;
    const headers = { repeat: true, recordId: "run-7", replayedNs: atNs };
    await publish("logs", LARGE, { ...headers, requestId: "another" });
    await publish("dead-letters", encodeDeadLetterActs([deadLetterAct("run-7", { atNs })]));
    await settled();
    expect(await reader.findDeadLetter("run-7")).toMatchObject({ state: "open", refusals: 2 });
    expect(await reader.findTransaction("order-1")).toMatchObject({ deadLetters: 1 });
  });
});

describe("letters that go to the bus first", () => {
  it("are durable there before an offset moves, and come back into the store", async () => {
    const order: string[] = [];
    const publishAndTell = async (message: OutgoingMessage) => {
      order.push(`letter, ${(await bus.lag()).messages} behind`);
      return bus.publish(message);
    };
    const maxMessageBytes = bus.maxMessageBytes;
    await publish("logs", LARGE);
    await publish("logs", Buffer.from("no protobuf"), { requestId: "garbage" });
    await start(new BusDeadLetterSink({ maxMessageBytes, publish: publishAndTell }));
    await settled();
    expect(order).toEqual(["letter, 2 behind", "letter, 3 behind"]);
    const { items } = await reader.deadLetters({ limit: 10 });
    expect(items.map(({ id }) => id).toSorted()).toEqual(["garbage-0", "run-7"]);
    expect(items.map(({ refusals }) => refusals)).toEqual([1, 1]);
  });

  it("hold everything up while they cannot be written, and none is lost", async () => {
    let isAway = true;
    const letters: DeadLetter[] = [];
    const sink: DeadLetterSink = {
      publish: async (given) => {
        if (isAway) throw AWAY;
        letters.push(...given);
      },
    };
    await publish("logs", LARGE);
    const indexer = await start(sink);
    await vi.waitFor(() => expect(waits).toBeGreaterThan(20), WAIT_MS);
    expect(indexer.stats().lastError).toBe(AWAY.message);
    expect(await bus.lag()).toMatchObject({ messages: 1 });
    expect(await writer.positions()).toEqual(new Map());
    isAway = false;
    await settled();
    expect(letters.map(({ id }) => id)).toEqual(["run-7"]);
    expect(indexer.stats().lastError).toBeUndefined();
    expect(await writer.positions()).toEqual(new Map([["embedded/0", 1]]));
  });

  it("end with the indexer that waits for them", async () => {
    const sink: DeadLetterSink = { publish: () => Promise.reject(AWAY) };
    await publish("logs", LARGE);
    const indexer = await start(sink);
    await vi.waitFor(() => expect(waits).toBeGreaterThan(3), WAIT_MS);
    await indexer.stop();
    expect(await bus.lag()).toMatchObject({ messages: 1 });
  });
});

describe("the sink that writes to a bus", () => {
  it("makes messages that any bus takes, whatever the letter's id is", async () => {
    const sent: OutgoingMessage[] = [];
    const maxMessageBytes = 64 * 1024;
    const sink = new BusDeadLetterSink({
      maxMessageBytes,
      publish: async (message) => void sent.push(message),
    });
    const letter = deadLetter("x".repeat(10_000), { original: Buffer.alloc(100_000) });
    await sink.publish([letter]);
    expect(sent.length).toBeGreaterThan(1);
    for (const { topic, headers, value } of sent) {
      expect(topic).toBe("dead-letters");
      expect(value.length).toBeLessThanOrEqual(maxMessageBytes);
      expect(headers.requestId.length).toBeLessThan(64);
    }
    expect(sent.map(({ headers }) => [headers.part, headers.records])).toEqual(
      sent.map((_, part) => [part, part === 0 ? 1 : 0]),
    );
    const pieces = sent.flatMap(({ value }) => decodeDeadLetterMessage(value).deadLetters);
    expect(new Set(pieces.map(({ id }) => id))).toEqual(new Set([letter.id]));
  });
});
