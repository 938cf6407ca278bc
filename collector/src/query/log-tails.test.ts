import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ClewError } from "../errors.ts";
import type { StoredRecord } from "../record.ts";
import type { LogFilter, Page, StoreReader } from "../store/store.ts";
import { HEARTBEAT_MS, LogTails, TAILS_MAX } from "./log-tails.ts";

/** The order of writing of a store; a cursor is the number of records before it. */
class FakeLogs implements Pick<StoreReader, "searchLogs"> {
  readonly written: string[] = [];
  readonly asked: LogFilter[] = [];
  readonly #listeners = new Set<() => void>();
  fault: Error | undefined;

  onStored(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  write(...ids: string[]): void {
    this.written.push(...ids);
    for (const listener of this.#listeners) listener();
  }

  async searchLogs(filter: LogFilter): Promise<Page<StoredRecord>> {
    this.asked.push(filter);
    if (this.fault) throw this.fault;
    const from = filter.cursor === undefined ? 0 : Number(filter.cursor);
    const ids = this.written.slice(from, from + filter.limit);
    const items = ids.map((id) => ({ id }) as StoredRecord);
    return { items, cursor: String(from + ids.length), isCut: false };
  }
}

let store: FakeLogs;
let tails: LogTails;
let ending: AbortController;

beforeEach(() => {
  vi.useFakeTimers();
  store = new FakeLogs();
  ending = new AbortController();
  const reader = { searchLogs: (filter: LogFilter) => store.searchLogs(filter) } as StoreReader;
  tails = new LogTails({ reader, news: store, nowNs: () => 7n });
});

afterEach(() => {
  ending.abort();
  vi.useRealTimers();
});

function open(cursor?: string, cutOff: () => void = () => undefined) {
  const request = { filter: {}, signal: ending.signal, cutOff };
  return tails.open(cursor === undefined ? request : { ...request, cursor });
}

/** Takes events until one contains the text. */
async function readUntil(stream: ReadableStream<Uint8Array>, wanted: string): Promise<string> {
  const reader = stream.getReader();
  let text = "";
  while (!text.includes(wanted)) {
    const reading = reader.read();
    await vi.advanceTimersByTimeAsync(HEARTBEAT_MS * 2);
    const { done, value } = await reading;
    if (done) throw new Error(`the stream ended at ${text}`);
    text += new TextDecoder().decode(value);
  }
  reader.releaseLock();
  return text;
}

test("begins now, and gives what is stored afterwards, once and in order", async () => {
  const stream = await open();
  expect(store.asked[0]).toMatchObject({ fromNs: 7n, order: "oldest" });
  expect(await readUntil(stream, "heartbeat")).toContain("id: 0\n\n");
  store.write("a", "b");
  const text = await readUntil(stream, "heartbeat");
  expect(text).toContain('data: {"id":"a"}\n\nid: 2\ndata: {"id":"b"}\n\n');
  store.write("c");
  const more = await readUntil(stream, "heartbeat");
  expect(more).toContain('id: 3\ndata: {"id":"c"}\n\n');
  expect(more).not.toContain('"b"');
});

test("goes on behind the client's last event", async () => {
  store.write("a", "b", "c");
  const text = await readUntil(await open("2"), "heartbeat");
  expect(text.match(/data: .*/g)).toEqual(['data: {"id":"c"}']);
});

test("reads page after page, and only as fast as the client takes them", async () => {
  store.write(...Array.from({ length: 450 }, (_, i) => `r${i}`));
  const stream = await open();
  await vi.advanceTimersByTimeAsync(HEARTBEAT_MS * 5);
  expect(store.asked).toHaveLength(1);
  const text = await readUntil(stream, '"r449"');
  expect(text.match(/^data: /gm)).toHaveLength(450);
  expect(text.match(/^id: .*/gm)).toEqual(["id: 200", "id: 400", "id: 450"]);
});

test("a storm of news is one search", async () => {
  const stream = await open();
  await readUntil(stream, "heartbeat");
  const before = store.asked.length;
  for (let i = 0; i < 1000; i++) store.write(`r${i}`);
  await readUntil(stream, '"r199"');
  expect(store.asked.length).toBe(before + 1);
});

test("errors of the first search have a status, later ones are an event", async () => {
  store.fault = new ClewError("STORE_UNAVAILABLE", "cannot read: it is gone");
  await expect(open()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  store.fault = undefined;
  const stream = await open();
  await readUntil(stream, "heartbeat");
  store.fault = new ClewError("STORE_UNAVAILABLE", "cannot read: it is gone");
  store.write("a");
  expect(await readUntil(stream, "problem")).toContain("STORE_UNAVAILABLE");
});

test("takes so many clients, refuses the next, and takes it when one went away", async () => {
  const streams = await Promise.all(Array.from({ length: TAILS_MAX }, () => open()));
  expect(store.listeners).toBe(TAILS_MAX);
  await expect(open()).rejects.toMatchObject({ code: "QUERY_OVERLOADED" });
  await streams[0]?.cancel();
  await (await open()).cancel();
  ending.abort();
  await Promise.all(streams.map((stream) => stream.cancel()));
  await vi.waitFor(() => expect(store.listeners).toBe(0));
});

test("a client that takes nothing any more is cut off", async () => {
  const cutOff = vi.fn();
  const stream = await open(undefined, cutOff);
  await readUntil(stream, "heartbeat");
  await vi.advanceTimersByTimeAsync(30_000);
  expect(cutOff).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(31_000);
  expect(cutOff).toHaveBeenCalledOnce();
});

test("stop ends every tail", async () => {
  const stream = await open();
  await readUntil(stream, "heartbeat");
  const reader = stream.getReader();
  const reading = reader.read();
  tails.stop();
  await vi.advanceTimersByTimeAsync(1000);
  expect((await reading).done).toBe(true);
});
