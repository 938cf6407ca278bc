import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { logsRequest, tracesRequest } from "../../test/otlp-fixtures.ts";
import type { BusConsumer, DeliveredMessage, Position, Topic } from "../bus/bus.ts";
import { EmbeddedBus } from "../bus/embedded-bus.ts";
import { ClewError } from "../errors.ts";
import type { IncomingRecord } from "../record.ts";
import type { DeadLetter } from "../store/dead-letter.ts";
import type { StoreWriter, WriteBatch, WriteResult } from "../store/store.ts";
import { encodeDeadLetter } from "./dead-letter-message.ts";
import { Indexer, type IndexerStats } from "./indexer.ts";
import { MessageDecoder } from "./message-decoder.ts";
import { TransactionKeys } from "./transaction-keys.ts";

const KEYS = ["transaction_id"];
const NOW_NS = 1_772_366_400_000_000_000n;
const UNAVAILABLE = new ClewError("STORE_UNAVAILABLE", "cannot write: the store is away");
const FOR_GOOD = new ClewError("INTERNAL", "cannot write: this can never be");

/** Holds what a store would, and fails as it is told; it stands for faults only. */
class FaultyStore implements StoreWriter {
  readonly records = new Map<string, IncomingRecord>();
  readonly deadLetters = new Map<string, DeadLetter>();
  readonly batches: WriteBatch[] = [];
  readonly offsets = new Map<string, number>();
  /** Throws where it is given a batch that cannot be written now. */
  fault: (batch: WriteBatch, call: number) => void = () => undefined;
  refuses: (record: IncomingRecord) => boolean = () => false;
  #calls = 0;

  async positions(): Promise<ReadonlyMap<string, number>> {
    return new Map(this.offsets);
  }

  async write(batch: WriteBatch): Promise<WriteResult> {
    this.fault(batch, this.#calls++);
    this.batches.push(batch);
    const refused = [...batch.records.entries()]
      .filter(([, record]) => this.refuses(record))
      .map(([index]) => ({ index, reason: "cannot be mapped", status: 400 }));
    const taken = batch.records.filter((record) => !this.refuses(record));
    const existing = taken.filter(({ id }) => this.records.has(id)).length;
    for (const record of taken) this.records.set(record.id, record);
    for (const letter of batch.deadLetters) this.deadLetters.set(letter.id, letter);
    if (refused.length === 0) {
      for (const { partition, offset } of batch.nextPositions) this.offsets.set(partition, offset);
    }
    return { created: taken.length - existing, existing, refused };
  }

  async expire(): Promise<readonly string[]> {
    return [];
  }

  async stop(): Promise<void> {
    this.batches.length = 0;
  }
}

let dir: string;
let bus: EmbeddedBus;
let store: FaultyStore;
let delaysMs: number[];
let progress: IndexerStats[];
const running: Indexer[] = [];

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "clew-indexer-"));
  bus = await EmbeddedBus.open({ dir, maxInFlightBytes: 2 ** 26, nowNs: () => 1n });
  store = new FaultyStore();
  delaysMs = [];
  progress = [];
});

afterEach(async () => {
  for (const indexer of running.splice(0)) await indexer.stop();
  await bus.stop();
  rmSync(dir, { recursive: true });
});

test("stores every record of every message, once, and commits", async () => {
  await publishLogs(["a", "b"]);
  await publish("traces", spans(["1", "2", "3"]));
  await publishLogs(["c"]);
  const indexer = await start();
  await settled();
  expect([...store.records.values()].map(({ kind }) => kind).toSorted()).toEqual(
    ["log", "log", "log", "span", "span", "span"], // by id, each once
  );
  expect(indexer.stats()).toMatchObject({ stored: { log: 3, span: 3 }, existing: 0 });
  expect(store.offsets.get("embedded/0")).toBe(3);
  await indexer.stop();
  // From the beginning again, as after a crash before anything was committed.
  const again = await start(new Map([["embedded/0", 0]]));
  await vi.waitFor(() => expect(again.stats().stored).toEqual({ log: 3, span: 3 }));
  expect(again.stats().existing).toBe(6);
  expect(store.records.size).toBe(6);
});

test("tries again while the store is away, says so, and commits nothing meanwhile", async () => {
  await publishLogs(["a"]);
  const seen: number[] = [];
  store.fault = (_batch, call) => {
    seen.push(store.records.size);
    if (call < 9) throw UNAVAILABLE;
  };
  const indexer = await start();
  await settled();
  expect(seen).toEqual(Array(10).fill(0));
  expect(progress[0]?.lastError).toContain("the store is away");
  expect(indexer.stats().lastError).toBeUndefined();
  expect(delaysMs).toHaveLength(9);
  expect(delaysMs[1]).toBeGreaterThan(delaysMs[0] as number);
  expect(Math.max(...delaysMs)).toBeLessThanOrEqual(5000);
  expect(store.records.size).toBe(1);
});

test("makes dead letters of what the store refuses, before its offset is committed", async () => {
  await publishLogs(["good 1", "bad 1", "good 2"]);
  await publishLogs(["bad 2"]);
  store.refuses = ({ text }) => text.startsWith("bad");
  let lettersWhenMoved = 0;
  store.fault = (batch) => {
    const isMoving = batch.nextPositions.length > 0 && batch.records.length === 0;
    if (isMoving) lettersWhenMoved += batch.deadLetters.length;
  };
  const indexer = await start();
  await settled();
  expect(textsOf(store.records.values())).toEqual(["good 1", "good 2"]);
  expect(store.deadLetters.size).toBe(2);
  expect(lettersWhenMoved).toBe(2);
  expect(indexer.stats().deadLetters).toEqual({ undecodable: 0, refused: 2 });
  for (const letter of store.deadLetters.values()) {
    expect(letter).toMatchObject({ reason: "refused", detail: "cannot be mapped", topic: "logs" });
    expect(letter).toMatchObject({ status: 400, receivedNs: 1n, refusedNs: NOW_NS, piece: null });
    expect(letter.transactionId).toBe("tx");
    // The original is an export request with this one record.
    const [record] = decodeOriginal(letter);
    expect(record).toMatchObject({ service: "orders", transactionId: "tx" });
    expect(record?.text).toMatch(/^bad/);
  }
});

test("finds the one record that a batch can never be written with", async () => {
  const texts = Array.from({ length: 100 }, (_, i) => `text ${i}`);
  await publishLogs(texts);
  store.fault = ({ records }) => {
    if (records.some(({ text }) => text === "text 37")) throw FOR_GOOD;
  };
  const indexer = await start();
  await settled();
  expect(textsOf(store.records.values())).toEqual(texts.filter((t) => t !== "text 37").toSorted());
  expect([...store.deadLetters.values()].map(({ detail }) => detail)).toEqual([FOR_GOOD.message]);
  expect(indexer.stats()).toMatchObject({ stored: { log: 99 }, deadLetters: { refused: 1 } });
});

test("stalls while dead letters cannot be written, and loses none", async () => {
  await publishLogs(["good", "bad"]);
  store.refuses = ({ text }) => text === "bad";
  let isLetterBoxShut = true;
  store.fault = ({ deadLetters }) => {
    if (deadLetters.length > 0 && isLetterBoxShut) throw FOR_GOOD;
  };
  const indexer = await start();
  await vi.waitFor(() => expect(delaysMs.length).toBeGreaterThan(20));
  expect(indexer.stats().lastError).toBe(FOR_GOOD.message);
  expect(await bus.lag()).toMatchObject({ messages: 1 });
  expect(store.offsets.size).toBe(0);
  isLetterBoxShut = false;
  await settled();
  expect(store.deadLetters.size).toBe(1);
});

test("keeps what it cannot decode as a dead letter, and stores what is beside it", async () => {
  const garbage = Buffer.from("this is no protobuf");
  await publishLogs(["before"]);
  await publish("logs", garbage);
  await publish("metrics", Buffer.alloc(0));
  await publishLogs(["after"]);
  const indexer = await start();
  await settled();
  expect(textsOf(store.records.values())).toEqual(["after", "before"]);
  const letters = [...store.deadLetters.values()];
  expect(letters.map(({ reason, topic }) => `${reason} ${topic}`)).toEqual([
    "undecodable logs",
    "undecodable metrics",
  ]);
  expect(Buffer.from(letters[0]?.original ?? [])).toEqual(garbage);
  expect(indexer.stats().deadLetters).toEqual({ undecodable: 2, refused: 0 });
});

test("keeps a message of many parts that breaks off as a dead letter too", async () => {
  const texts = Array.from({ length: 9001 }, (_, i) => `${i}`);
  const whole = logsRequest([
    { resource: { "service.name": "orders" }, records: texts.map((body) => ({ body })) },
  ]);
  const broken = Buffer.concat([whole, Buffer.from([0x0a, 0x05, 0xff])]);
  await publish("logs", broken);
  await start();
  await settled();
  // The parts before are stored; the part that breaks off is in the dead letter, which is whole.
  expect(store.records.size).toBe(8000);
  const [letter, ...others] = [...store.deadLetters.values()];
  expect(letter).toMatchObject({ reason: "undecodable", topic: "logs" });
  expect(Buffer.from(letter?.original ?? []).equals(broken)).toBe(true);
  expect(others).toEqual([]);
});

test("brings dead letters from the bus into the store", async () => {
  const letter: DeadLetter = {
    id: "letter-1",
    ...{ receivedNs: 12n, refusedNs: 13n, transactionId: "tx", service: "orders" },
    ...{ runId: "run", sequence: 3, reason: "refused", status: 400, detail: "too deep – ü" },
    ...{ topic: "logs", original: Buffer.from([0, 1, 2]), piece: null },
  };
  const [message = Buffer.alloc(0)] = encodeDeadLetter(letter);
  await publish("dead-letters", message);
  await publish("dead-letters", message.subarray(0, 9));
  const indexer = await start();
  await settled();
  const [found, broken] = [...store.deadLetters.values()];
  expect(found && { ...found, original: Buffer.from(found.original) }).toEqual(letter);
  expect(broken).toMatchObject({ reason: "undecodable", topic: "dead-letters" });
  expect(indexer.stats().projected).toBe(1);
});

test("writes a large message in several parts, its position with the last", async () => {
  const texts = Array.from({ length: 9001 }, (_, i) => `${i}`);
  await publishLogs(texts);
  await start();
  await settled();
  expect(store.records.size).toBe(9001);
  const parts = store.batches.map(({ nextPositions }) => nextPositions.length);
  expect(parts.length).toBeGreaterThan(1);
  expect(parts).toEqual([...Array(parts.length - 1).fill(0), 1]);
});

test("by id: what was accepted is stored or dead-lettered, whatever fails", async () => {
  const accepted: string[] = [];
  for (let message = 0; message < 20; message++) {
    const texts = Array.from({ length: 25 }, (_, i) => `${message}/${i}`);
    accepted.push(...texts.map((_, i) => `request ${message}-0-${i}`));
    await publishLogs(texts);
  }
  store.refuses = ({ text }) => text.endsWith("/7");
  store.fault = ({ records }, call) => {
    if (call % 3 === 0) throw UNAVAILABLE;
    if (call % 7 === 0) throw new Error("not known");
    if (records.some(({ text }) => text.endsWith("/11"))) throw FOR_GOOD;
  };
  await start();
  await settled();
  const found = [...store.records.keys(), ...store.deadLetters.keys()];
  expect(found.toSorted()).toEqual(accepted.toSorted());
  for (const { text } of store.records.values()) expect(text).not.toMatch(/\/(7|11)$/);
});

test("stops while it stalls, and the next one goes on with the same records", async () => {
  await publishLogs(["a"]);
  store.fault = () => {
    throw UNAVAILABLE;
  };
  const first = await start();
  await vi.waitFor(() => expect(delaysMs.length).toBeGreaterThan(3));
  await first.stop();
  await first.stop();
  await first.run();
  expect(await bus.lag()).toMatchObject({ messages: 1 });
  store.fault = () => undefined;
  await start();
  await settled();
  expect(textsOf(store.records.values())).toEqual(["a"]);
});

test("ends when the bus does, and hears why the bus cannot be read", async () => {
  const ended = await start();
  await bus.stop();
  await ended.run();
  const broken = new Indexer({
    ...options(),
    consumer: {
      read: () => Promise.reject(new Error("the disk is gone")),
      commit: async () => undefined,
      stop: async () => undefined,
    },
  });
  await expect(broken.run()).rejects.toThrow("the disk is gone");
  await broken.stop();
});

test("stores one batch more while the bus is slow to answer a commit, and no second", async () => {
  const bus = new SlowBus(["a", "b", "c"]);
  const running = new Indexer({ ...options(), consumer: bus }).run();
  await vi.waitFor(() => expect(bus.events.at(-1)).toBe("commit 2"));
  bus.answer();
  await vi.waitFor(() => expect(bus.events.at(-1)).toBe("commit 3"));
  const firsts = ["read", "commit 1", "read", "commit 2"];
  expect(bus.events).toEqual([...firsts, "answer", "read", "commit 3"]);
  bus.answer();
  bus.answer();
  await running;
  expect(textsOf(store.records.values())).toEqual(["a", "b", "c"]);
});

test("ends with the reason where the bus refuses a commit, even the last", async () => {
  const bus = new SlowBus(["a"]);
  const running = new Indexer({ ...options(), consumer: bus }).run();
  await vi.waitFor(() => expect(bus.events.at(-1)).toBe("commit 1"));
  bus.answer(new Error("the bus cannot commit"));
  await expect(running).rejects.toThrow("the bus cannot commit");
});

test("moves every partition of a batch in the one act, and commits each", async () => {
  const at = [
    ["logs/0", 7],
    ["traces/1", 3],
    ["logs/0", 8],
  ] as const;
  const value = logsRequest([{ resource: {}, scope: "test", records: [{ body: "a" }] }]);
  const messages = at.map(([partition, offset]): DeliveredMessage => {
    const requestId = `${partition}@${offset}`;
    const headers = { requestId, part: 0, records: 1, receivedNs: 1n, repeat: false };
    return { topic: "logs", partition, offset, headers, value };
  });
  const reads = [messages, []];
  const committed: Position[] = [];
  const consumer: BusConsumer = {
    read: async () => reads.shift() ?? [],
    commit: async (position) => {
      committed.push(position);
    },
    stop: async () => undefined,
  };
  await new Indexer({ ...options(), consumer }).run();
  const want = [
    { partition: "logs/0", offset: 9 },
    { partition: "traces/1", offset: 4 },
  ];
  expect(store.batches.map(({ nextPositions }) => nextPositions)).toEqual([want]);
  expect(committed).toEqual(want);
  expect(store.records.size).toBe(3);
});

/** One message a read, then the end; answers commits when it is told. It stands for slowness. */
class SlowBus implements BusConsumer {
  readonly events: string[] = [];
  readonly #texts: readonly string[];
  readonly #commits: PromiseWithResolvers<void>[] = [];
  #offset = 0;

  constructor(texts: readonly string[]) {
    this.#texts = texts;
  }

  async read(): Promise<readonly DeliveredMessage[]> {
    const offset = this.#offset++;
    const text = this.#texts[offset];
    if (text === undefined) return [];
    this.events.push("read");
    const headers = { requestId: text, part: 0, records: 1, receivedNs: 1n, repeat: false };
    const value = logsRequest([{ resource: {}, scope: "test", records: [{ body: text }] }]);
    return [{ topic: "logs", partition: "embedded/0", offset, headers, value }];
  }

  commit({ offset }: Position): Promise<void> {
    this.events.push(`commit ${offset}`);
    const answer = Promise.withResolvers<void>();
    this.#commits.push(answer);
    return answer.promise;
  }

  answer(refusal?: Error): void {
    this.events.push("answer");
    const commit = this.#commits.shift();
    if (refusal === undefined) commit?.resolve();
    else commit?.reject(refusal);
  }

  async stop(): Promise<void> {
    this.events.push("stop");
  }
}

let published = 0;
beforeEach(() => {
  published = 0;
});

async function publish(topic: Topic, value: Buffer): Promise<void> {
  const requestId = `request ${published++}`;
  const headers = { requestId, part: 0, records: 1, receivedNs: 1n, repeat: false };
  await bus.publish({ topic, headers, value });
}

async function publishLogs(texts: readonly string[]): Promise<void> {
  const records = texts.map((body) => ({ body, attributes: { transaction_id: "tx" } }));
  const resource = { "service.name": "orders" };
  await publish("logs", logsRequest([{ resource, scope: "test", records }]));
}

function spans(names: readonly string[]): Buffer {
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  const all = names.map((name) => ({
    traceId,
    spanId: name.padStart(16, "a"),
    name,
    startNs: 1n,
    endNs: 2n,
  }));
  return tracesRequest([{ resource: {}, spans: all }]);
}

function options() {
  return {
    store,
    transactionKeys: KEYS,
    nowNs: () => NOW_NS,
    nowMs: () => performance.now(),
    random: () => 1,
    wait: (ms: number, signal: AbortSignal) => {
      delaysMs.push(ms);
      return new Promise<void>((resolve, reject) => {
        setImmediate(() => (signal.aborted ? reject(new Error("aborted")) : resolve()));
      });
    },
    onProgress: (stats: IndexerStats) => progress.push(stats),
  };
}

async function start(from: ReadonlyMap<string, number> = new Map()): Promise<Indexer> {
  const indexer = new Indexer({ ...options(), consumer: await bus.openConsumer(from) });
  running.push(indexer);
  indexer
    .run()
    .catch((error: unknown) => progress.push({ ...indexer.stats(), lastError: `${error}` }));
  return indexer;
}

/** Until everything published is committed. */
async function settled(): Promise<void> {
  await vi.waitFor(async () => expect((await bus.lag()).messages).toBe(0), 20_000);
}

function textsOf(records: Iterable<IncomingRecord>): string[] {
  return [...records].map(({ text }) => text).toSorted();
}

function decodeOriginal({ original }: DeadLetter): IncomingRecord[] {
  const headers = { requestId: "", part: 0, records: 1, receivedNs: 1n, repeat: false };
  const message = { partition: "", offset: 0, topic: "logs" as const, headers, value: original };
  return [...new MessageDecoder(new TransactionKeys(KEYS)).decode(message, 10)].flat();
}
