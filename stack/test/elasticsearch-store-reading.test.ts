/** What the contract of a store does not ask: amounts, rollovers, retention, faults and limits. */
import { REPORT } from "@clew/instrumentation/names";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { IncomingRecord } from "../../collector/src/record.ts";
import { GAPS_MAX } from "../../collector/src/store/ledger.ts";
import type { LogFilter, StoreReader } from "../../collector/src/store/store.ts";
import { allPages } from "../../collector/test/all-pages.ts";
import { numberedLog, numberedReport, numberedSpan } from "../../collector/test/ledger-cases.ts";
import {
  batchOf,
  DAY_NS,
  logRecord,
  NOON_NS,
  SECOND_NS,
} from "../../collector/test/record-fixtures.ts";
import { requireElasticsearch } from "../backends/elasticsearch-java.ts";
import { ElasticsearchStores, type OpenStore } from "./elasticsearch-stores.ts";

vi.setConfig({ testTimeout: 240_000, hookTimeout: 60_000 });

const BATCH_RECORDS = 5000;
const PAGES_MAX = 1000;
const WRITE_DEADLINE_MS = 60_000;
const at = (seconds: number) => NOON_NS + BigInt(seconds) * SECOND_NS;

describe.skipIf(!requireElasticsearch("reading from a real Elasticsearch"))("reading", () => {
  const stores = new ElasticsearchStores();
  const open: OpenStore[] = [];
  afterEach(async () => {
    for (const { reader, writer } of open.splice(0)) {
      await reader.stop();
      await writer.stop();
    }
  });
  const openStore = (streams = stores.newStreams()): OpenStore => {
    const store = stores.open(streams);
    open.push(store);
    return store;
  };
  describe("following logs", () => tails(stores, openStore));
  describe("pages", () => pages(stores, openStore));
  describe("ledgers", () => ledgers(openStore));
  describe("retention", () => retention(stores, openStore));
  describe("faults", () => faults(stores, openStore));
});

type OpenStoreFn = (streams?: OpenStore["streams"]) => OpenStore;

function tails(stores: ElasticsearchStores, openStore: OpenStoreFn): void {
  it("gives each log once that several indexers write at once, over rollovers", async () => {
    const first = openStore();
    const { streams, reader } = first;
    const [writers, batches, size] = [3, 40, 50];
    const write = async ({ writer }: OpenStore, name: number) => {
      for (let batch = 0; batch < batches; batch++) {
        const ids = Array.from({ length: size }, (_, i) => `${name}-${batch}-${i}`);
        const records = batchOf(ids.map((id) => logRecord(id)));
        // At a rollover the new index is not there at once; the indexer repeats a write as well.
        await vi.waitFor(() => writer.write(records), { timeout: WRITE_DEADLINE_MS });
        if (name === 0 && batch % 15 === 14) await stores.rollOver(streams.logs);
      }
    };
    let areWriting = true;
    const others = Array.from({ length: writers - 1 }, () => openStore(streams));
    const writing = Promise.all([first, ...others].map(write)).finally(() => {
      areWriting = false;
    });
    const seen: string[] = [];
    let cursor: string | undefined;
    for (let isLast = false; !isLast; ) {
      const wereWriting = areWriting;
      const after = cursor === undefined ? {} : { cursor };
      const page = await reader.searchLogs({ order: "oldest", limit: 97, ...after });
      seen.push(...page.items.map(({ id }) => id));
      cursor = String(page.cursor);
      isLast = !wereWriting && page.items.length === 0;
    }
    await writing;
    expect(seen).toHaveLength(writers * batches * size);
    expect(new Set(seen).size).toBe(seen.length);
  });
}

function pages(stores: ElasticsearchStores, openStore: OpenStoreFn): void {
  it("gives records that together are larger than an answer may be, over pages", async () => {
    const { writer, reader } = openStore();
    const ids = Array.from({ length: 45 }, (_, i) => `large-${i}`);
    for (const [i, id] of ids.entries()) {
      const text = `${i} ${"x".repeat(1024 * 1024)}`;
      await writer.write(batchOf([logRecord(id, { text, transactionId: "t", timeNs: at(i) })]));
    }
    const read = (cursor?: string) =>
      reader.transactionRecords({ transactionId: "t", limit: 1000, ...(cursor && { cursor }) });
    expect((await allPages(read)).map(({ id }) => id)).toEqual(ids);
    expect((await tail(reader, { limit: 1000 })).toSorted()).toEqual(ids.toSorted());
  });

  it("lists transactions of which thousands began in the same nanosecond", async () => {
    const { writer, reader } = openStore();
    const idOf = (i: number) => `t${String(i).padStart(5, "0")}`;
    const records = Array.from({ length: 4500 }, (_, i) => {
      const timeNs = i % 3 === 0 ? at(i) : at(0);
      return logRecord(`r${i}`, { transactionId: idOf(i), timeNs });
    });
    await writeAll(writer, [
      ...records,
      ...records.map((record) => ({ ...record, id: `later ${record.id}`, timeNs: at(90_000) })),
    ]);
    const read = (cursor?: string) =>
      reader.listTransactions({ limit: 700, ...(cursor && { cursor }) });
    const started = records.toSorted(
      (a, b) => Number(b.timeNs - a.timeNs) || (a.transactionId < b.transactionId ? 1 : -1),
    );
    const listed = (await allPages(read)).map(({ transactionId }) => transactionId);
    expect(listed).toEqual(started.map(({ transactionId }) => transactionId));
  });

  it("loses nothing where the time limit cuts a list into pieces", async () => {
    const { writer, streams } = openStore();
    const records = Array.from({ length: 5000 }, (_, i) => {
      const minDuration = i % 100 === 0 ? 50_000 : 0;
      const of = { transactionId: `t${i}`, timeNs: at(i) };
      const last = { ...of, timeNs: of.timeNs + BigInt(minDuration) * SECOND_NS };
      return [logRecord(`a${i}`, of), logRecord(`b${i}`, last)];
    });
    await writeAll(writer, records.flat());
    // It runs out after some looks at it, whatever the machine's speed.
    let looks = 0;
    const nowMs = () => Math.floor(looks++ / 30) * 1000;
    const reader = stores.openReader(streams, { nowMs, queryTimeLimitMs: 1000 });
    const found: string[] = [];
    let cuts = 0;
    let cursor: string | null = "";
    for (let pageNumber = 0; cursor !== null && pageNumber < PAGES_MAX; pageNumber++) {
      const filter = { minDurationMs: 1000, limit: 1000, ...(cursor && { cursor }) };
      const page: Awaited<ReturnType<StoreReader["listTransactions"]>> =
        await reader.listTransactions(filter);
      found.push(...page.items.map(({ transactionId }) => transactionId));
      if (page.isCut) cuts++;
      cursor = page.cursor;
    }
    await reader.stop();
    expect(found).toEqual(Array.from({ length: 50 }, (_, i) => `t${4900 - i * 100}`));
    expect(cuts).toBeGreaterThan(1);
  });
}

function ledgers(openStore: OpenStoreFn): void {
  it("finds the gaps in tens of thousands of numbers, without reading them", async () => {
    const { writer, reader } = openStore();
    const lost = new Set([1, 2, 777, 9000, 9001, 9002, 20_480, 31_999]);
    const numbers = Array.from({ length: 32_000 }, (_, i) => i + 1).filter((n) => !lost.has(n));
    // A second record with the number beside a lost one: as many records as numbers, and a gap.
    const twice = [776, 776 - 128].map((n) => ({ ...numberedSpan(n), id: `twice ${n}` }));
    await writeAll(writer, [...numbers.map((n) => numberedSpan(n)), ...twice]);
    const [ledger] = await reader.ledgers({ runIds: ["a"] });
    expect(ledger?.spans).toMatchObject({
      ...{ emitted: 32_000, stored: 32_000 - lost.size, missing: lost.size, isCut: false },
      gaps: [
        { first: 1, last: 2, fromNs: 0n, toNs: at(3) },
        { first: 777, last: 777, fromNs: at(776), toNs: at(778) },
        { first: 9000, last: 9002, fromNs: at(8999), toNs: at(9003) },
        { first: 20_480, last: 20_480, fromNs: at(20_479), toNs: at(20_481) },
        { first: 31_999, last: 31_999, fromNs: at(31_998), toNs: at(32_000) },
      ],
    });
  });

  it("counts what is missing where there are more gaps than anybody could read", async () => {
    const { writer, reader } = openStore();
    const records = Array.from({ length: 12_000 }, (_, i) => numberedLog(2 * i + 1));
    await writeAll(writer, records);
    const [ledger] = await reader.ledgers({ runIds: ["a"] });
    expect(ledger?.logs).toMatchObject({ emitted: 23_999, stored: 12_000, missing: 11_999 });
    expect(ledger?.logs.isCut).toBe(true);
    expect(ledger?.logs.gaps.length).toBeLessThanOrEqual(GAPS_MAX);
  });
}

function retention(stores: ElasticsearchStores, openStore: OpenStoreFn): void {
  it("never says of what retention deleted that it is missing", async () => {
    const { writer, reader, streams } = openStore();
    const on = (day: number) => ({ receivedNs: NOON_NS + BigInt(day) * DAY_NS });
    const old = [1, 2, 3, 5].map((n) => numberedLog(n, on(0)));
    await writer.write(batchOf([...old, numberedLog(4, { ...on(0), runId: "over" })]));
    await stores.rollOver(streams.logs);
    const kept = [7, 8, 10].map((n) => numberedLog(n, on(1)));
    const later = { receivedNs: NOON_NS + DAY_NS + 3600n * SECOND_NS };
    const report = { ...numberedReport(5, { runId: "new" }), ...later };
    const others = [numberedLog(12, later), numberedLog(3, { ...later, runId: "new" }), report];
    await writer.write(batchOf([...kept, ...others]));
    const logsOf = async (runId: string) => {
      const [ledger] = await reader.ledgers({ runIds: [runId] });
      const { emitted, stored, missing, expired, gaps } = ledger?.logs ?? {};
      return {
        emitted,
        stored,
        missing,
        expired,
        gaps: gaps?.map(({ first, last }) => [first, last]),
      };
    };
    const before = { emitted: 12, stored: 8, missing: 4, expired: 0 };
    expect(await logsOf("a")).toEqual({
      ...before,
      gaps: [
        [4, 4],
        [6, 6],
        [9, 9],
        [11, 11],
      ],
    });
    await stores.deleteOldestIndex(streams.logs);
    // Of 9, whose neighbours came right after what was deleted, nobody knows.
    const after = { emitted: 12, stored: 4, missing: 1, expired: 7 };
    expect(await logsOf("a")).toEqual({ ...after, gaps: [[11, 11]] });
    expect(await reader.ledgers({ runIds: ["over"] })).toEqual([]);
    // It came an hour later, and reports: its first numbers were never stored.
    const fresh = { emitted: 5, stored: 2, missing: 3, expired: 0 };
    expect(await logsOf("new")).toEqual({
      ...fresh,
      gaps: [
        [1, 2],
        [4, 4],
      ],
    });
  });

  it("forgets reports with the index they are in", async () => {
    const { writer, reader, streams } = openStore();
    const reportOn = (day: number): IncomingRecord => {
      const figures = { [REPORT.logsEmitted]: day };
      const seen = { firstSeenNs: at(day), lastSeenNs: at(day), figures };
      return { ...numberedReport(day, seen), receivedNs: NOON_NS + BigInt(day) * DAY_NS };
    };
    await writer.write(batchOf([reportOn(1)]));
    await stores.rollOver(streams.logs);
    await writer.write(batchOf([reportOn(2)]));
    expect((await reader.findRun("a"))?.firstSeenNs).toBe(at(1));
    await stores.deleteOldestIndex(streams.logs);
    expect((await reader.findRun("a"))?.firstSeenNs).toBe(at(2));
  });
}

function faults(stores: ElasticsearchStores, openStore: OpenStoreFn): void {
  it("says in time that Elasticsearch does not answer, and reads on after it", async () => {
    const { writer, streams } = openStore();
    await writer.write(batchOf([logRecord("a", { transactionId: "t" })]));
    const reader = stores.openReader(streams, { queryTimeLimitMs: 1000 });
    stores.server.freeze();
    try {
      const unavailable = { code: "STORE_UNAVAILABLE" };
      await expect(reader.findTransaction("t")).rejects.toMatchObject(unavailable);
      await expect(reader.check()).rejects.toMatchObject(unavailable);
    } finally {
      stores.server.thaw();
    }
    await vi.waitFor(() => reader.check(), { timeout: 60_000 });
    expect(await reader.findTransaction("t")).toMatchObject({ logs: 1 });
    await reader.stop();
  });
}

async function writeAll(
  writer: OpenStore["writer"],
  records: readonly IncomingRecord[],
): Promise<void> {
  for (let start = 0; start < records.length; start += BATCH_RECORDS) {
    await writer.write(batchOf(records.slice(start, start + BATCH_RECORDS)));
  }
}

/** The ids of all logs there are, in the order in which they are given. */
async function tail(reader: StoreReader, filter: Pick<LogFilter, "limit">): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < PAGES_MAX; page++) {
    const after = cursor === undefined ? {} : { cursor };
    const found = await reader.searchLogs({ ...filter, order: "oldest", ...after });
    if (found.items.length === 0) return ids;
    ids.push(...found.items.map(({ id }) => id));
    cursor = String(found.cursor);
  }
  throw new Error("cannot follow the logs: there is no end to them");
}
