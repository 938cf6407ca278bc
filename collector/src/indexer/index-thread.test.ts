import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MessageChannel } from "node:worker_threads";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { logsRequest } from "../../test/otlp-fixtures.ts";
import { EmbeddedBus } from "../bus/embedded-bus.ts";
import { openEmbeddedStoreWriter } from "../store/embedded/embedded-store-writer.ts";
import { type IndexThread, type IndexThreadOptions, startIndexThread } from "./index-thread.ts";

let dataDir: string;
let bus: EmbeddedBus;
let reports: string[];
const threads: IndexThread[] = [];

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "clew-index-"));
  reports = [];
  bus = await EmbeddedBus.open({
    dir: join(dataDir, "bus"),
    maxInFlightBytes: 2 ** 26,
    nowNs: () => BigInt(Date.now()) * 1_000_000n,
  });
});

afterEach(async () => {
  for (const thread of threads.splice(0)) await thread.stop();
  await bus.stop();
  rmSync(dataDir, { recursive: true });
});

test("moves records from the bus into the store, in a thread of its own", async () => {
  await publish(["one", "two"]);
  const onStored = vi.fn();
  const onStats = vi.fn();
  const thread = await start({ onStored, onStats });
  expect(thread.stats).toMatchObject({ isRunning: true, restarts: 0 });
  await publish(["three"]);
  await vi.waitFor(() => expect(thread.stats.stored).toEqual({ log: 3, span: 0 }));
  await vi.waitFor(async () => expect((await bus.lag()).messages).toBe(0));
  expect(onStored).toHaveBeenCalled();
  expect(onStats).toHaveBeenLastCalledWith(thread.stats);
  await thread.stop();
  await thread.stop();
  expect(thread.stats).toMatchObject({ isRunning: false, stored: { log: 3, span: 0 } });
  const store = openEmbeddedStoreWriter({ dir: join(dataDir, "store") });
  expect(await store.positions()).toEqual(new Map([["embedded/0", 2]]));
  await store.stop();
  expect(reports).toEqual([]);
});

test("a new thread goes on where the last one ended", async () => {
  await publish(["one"]);
  const first = await start();
  await vi.waitFor(async () => expect((await bus.lag()).messages).toBe(0));
  await first.stop();
  await publish(["two"]);
  const second = await start();
  await vi.waitFor(() => expect(second.stats.stored.log).toBe(1));
  expect(second.stats.existing).toBe(0);
});

test("the bus hears what the store already has, as after a crash between the two", async () => {
  await publish(["one"]);
  const first = await start();
  await vi.waitFor(async () => expect((await bus.lag()).messages).toBe(0));
  await first.stop();
  await bus.stop();
  rmSync(join(dataDir, "bus", "committed"));
  bus = await EmbeddedBus.open({
    dir: join(dataDir, "bus"),
    maxInFlightBytes: 2 ** 26,
    nowNs: () => 1n,
  });
  expect((await bus.lag()).messages).toBe(1);
  await start();
  await vi.waitFor(async () => expect((await bus.lag()).messages).toBe(0));
});

test("says what of the bus is damaged, and stores what lies around it", async () => {
  for (const text of ["one", "two", "three"]) await publish([text]);
  const segment = join(dataDir, "bus", `${"0".repeat(20)}.log`);
  const bytes = readFileSync(segment);
  bytes[bytes.indexOf("two")] = 0;
  writeFileSync(segment, bytes);
  const thread = await start();
  await vi.waitFor(async () => expect((await bus.lag()).messages).toBe(0));
  await vi.waitFor(() => expect(thread.stats.stored.log).toBe(2));
  expect(reports.join()).toMatch(/^damage in .*checksum does not match/);
});

test("says why it cannot start", async () => {
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(join(dataDir, "store"), "a file where the folder should be");
  await expect(start()).rejects.toMatchObject({
    name: "ClewError",
    message: expect.stringContaining("cannot"),
  });
});

test("a thread that dies is started again, its figures go on, and the process lives", async () => {
  const workerUrl = new URL("../../test/dying-worker.ts", import.meta.url);
  const openBus = vi.fn(() => ({ kind: "embedded" as const, port: new MessageChannel().port1 }));
  const thread = await start({ workerUrl, openBus });
  await vi.waitFor(() => expect(thread.stats.restarts).toBeGreaterThanOrEqual(3), 20_000);
  await thread.stop();
  const { restarts, stored, lastError, isRunning } = thread.stats;
  expect(stored.log).toBeGreaterThanOrEqual(restarts);
  expect(lastError).toBe("cannot index: out of luck");
  expect(isRunning).toBe(false);
  expect(openBus.mock.calls.length).toBeGreaterThanOrEqual(restarts);
  expect(reports[0]).toMatch(/out of luck; it starts again in 200 ms/);
});

async function start(options: Partial<IndexThreadOptions> = {}): Promise<IndexThread> {
  const thread = await startIndexThread({
    dataDir,
    openBus: () => ({ kind: "embedded", port: bus.consumerPort() }),
    transactionKeys: ["transaction_id"],
    retentionDays: 7,
    report: (line) => reports.push(line),
    ...options,
  });
  threads.push(thread);
  return thread;
}

let requests = 0;

async function publish(texts: readonly string[]): Promise<void> {
  const value = logsRequest([{ resource: {}, records: texts.map((body) => ({ body })) }]);
  const receivedNs = BigInt(Date.now()) * 1_000_000n;
  const requestId = `request-${requests++}`;
  const headers = { requestId, part: 0, records: texts.length, receivedNs, repeat: false };
  await bus.publish({ topic: "logs", headers, value });
}
