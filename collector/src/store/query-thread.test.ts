import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Worker } from "node:worker_threads";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { batchOf, logRecord } from "../../test/record-fixtures.ts";
import { openEmbeddedStoreWriter } from "./embedded/embedded-store-writer.ts";
import { createQueryThread, type QueryThreadOptions } from "./query-thread.ts";
import { storeContract } from "./store.contract.ts";
import type { StoreReader, StoreWriter } from "./store.ts";

let dir = "";
const stores: (StoreReader | StoreWriter)[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "clew-query-"));
});
afterEach(async () => {
  for (const store of stores.splice(0)) await store.stop();
  rmSync(dir, { recursive: true, force: true });
});

storeContract("the embedded store behind a thread", async () => openBoth());

it("starts at the first call, stops when idle, starts again", async () => {
  const { writer, reader } = openBoth({ idleStopMs: 10 });
  const threads = new Set<Worker>();
  const watch = (thread: Worker) => {
    threads.add(thread);
    thread.once("exit", () => threads.delete(thread));
  };
  process.on("worker", watch);
  await writer.write(batchOf([logRecord("a", { transactionId: "t" })]));
  expect(threads.size).toBe(0);
  for (let round = 0; round < 3; round++) {
    const found = reader.findTransaction("t");
    await vi.waitFor(() => expect(threads.size).toBe(1));
    expect(await found).toMatchObject({ transactionId: "t", logs: 1 });
    await vi.waitFor(() => expect(threads.size).toBe(0));
  }
  process.off("worker", watch);
});

it("passes errors on with their code and message", async () => {
  const { reader } = openBoth();
  const search = reader.searchLogs({ query: '"', limit: 1, order: "newest" });
  await expect(search).rejects.toMatchObject({
    name: "ClewError",
    code: "STORE_QUERY_INVALID",
    message: expect.stringMatching(/^cannot read the search text: ./),
  });
  const nowhere = createQueryThread({ dir: join(dir, "nowhere") });
  stores.push(nowhere);
  await expect(nowhere.check()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
});

it("rejects a call that takes too long, and answers the next one", async () => {
  const { writer, reader } = openBoth({ callTimeLimitMs: 2000 });
  await writer.write(batchOf([logRecord("a", { transactionId: "t" })]));
  await writer.stop();
  // In rollback mode a reader waits for the one who holds the file, here longer than the limit.
  const path = join(dir, "2026-03-01.db");
  const blocker = new DatabaseSync(path);
  blocker.exec("PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE");
  const hanging = reader.findTransaction("t");
  await expect(hanging).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  blocker.exec("COMMIT");
  blocker.close();
  // On a busy machine a new thread may take longer than the limit itself.
  await vi.waitFor(
    async () => expect(await reader.findTransaction("t")).toMatchObject({ logs: 1 }),
    20_000,
  );
});

it("starts anew after its thread died", async () => {
  const { writer, reader } = openBoth();
  await writer.write(batchOf([logRecord("a", { transactionId: "t" })]));
  const born = once(process, "worker");
  const lost = expect(reader.findTransaction("t")).rejects.toMatchObject({
    code: "STORE_UNAVAILABLE",
    message: "cannot query: the query thread died",
  });
  const [thread] = (await born) as [Worker];
  await thread.terminate();
  await lost;
  expect(await reader.findTransaction("t")).toMatchObject({ logs: 1 });
});

it("bounds the calls that wait", async () => {
  const { reader } = openBoth();
  const calls = Array.from({ length: 300 }, () => reader.findTransaction("t"));
  const outcomes = await Promise.allSettled(calls);
  const refused = outcomes.filter(({ status }) => status === "rejected");
  expect(refused).toHaveLength(300 - 256);
  expect(refused[0]).toMatchObject({ reason: { code: "STORE_UNAVAILABLE" } });
  expect(await reader.findTransaction("t")).toBeUndefined();
});

it("rejects what waits when it is stopped", async () => {
  const { reader } = openBoth();
  const call = reader.findTransaction("t");
  const outcome = expect(call).rejects.toMatchObject({ code: "STORE_STOPPED" });
  await reader.stop();
  await outcome;
});

function openBoth(options: Partial<QueryThreadOptions> = {}) {
  const writer = openEmbeddedStoreWriter({ dir });
  const reader = createQueryThread({ dir, ...options });
  stores.push(writer, reader);
  return { writer, reader, reopen: async () => openBoth(options) };
}
