/** What every store promises (store.ts), as one suite that each of them runs. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { allPages } from "../../test/all-pages.ts";
import { deadLetterCases } from "../../test/dead-letter-cases.ts";
import { ledgerCases } from "../../test/ledger-cases.ts";
import { queryCases } from "../../test/query-cases.ts";
import {
  batchOf,
  DAY_NS,
  deadLetter,
  logRecord,
  NOON_NS,
  resourceBytes,
  SECOND_NS,
  spanRecord,
} from "../../test/record-fixtures.ts";
import { runReportCases } from "../../test/run-report-cases.ts";
import { sourceCases } from "../../test/source-cases.ts";
import { spanLogCases } from "../../test/span-log-cases.ts";
import { traceCases } from "../../test/trace-cases.ts";
import { transactionStatusCases } from "../../test/transaction-status-cases.ts";
import type { IncomingRecord } from "../record.ts";
import type { LogFilter, StoreReader, StoreWriter } from "./store.ts";

export interface StoreUnderTest {
  readonly writer: StoreWriter;
  readonly reader: StoreReader;
  /** The same store after both were stopped. */
  reopen(): Promise<StoreUnderTest>;
}

/** What a store does by itself, and another leaves to its server. */
export interface StoreTraits {
  /** `expire` deletes days; else the server's own retention does, and `expire` nothing. */
  readonly expiresDays: boolean;
}

const PARTITION = "embedded/0";
const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const PAGES_MAX = 1000;

/** `open` gives an empty store each time. */
export function storeContract(
  name: string,
  open: () => Promise<StoreUnderTest>,
  traits: StoreTraits = { expiresDays: true },
): void {
  describe(`${name}, as a store`, () => {
    let store: StoreUnderTest;
    beforeEach(async () => {
      store = await open();
    });
    afterEach(async () => {
      await stopBoth(store);
    });
    const current = () => store;
    describe("write", () => writes(current, (next) => (store = next)));
    describe("findTransaction", () => transactions(current));
    describe("listTransactions", () => listings(current));
    describe("transactionRecords", () => timelines(current));
    describe("searchLogs, newest", () => searches(current));
    describe("searchLogs, query", () => texts(current));
    describe("query language", () => queryCases(current));
    describe("searchLogs, oldest", () => tails(current));
    describe("traces", () => traceCases(current));
    describe("sources", () => sourceCases(current));
    describe("services", () => services(current));
    describe("status", () => transactionStatusCases(current));
    describe("runs", () => runReportCases(current, traits));
    describe("dead letters", () => deadLetterCases(current));
    describe("ledger", () => ledgerCases(current, traits));
    describe("span log counts", () => spanLogCases(current));
    describe("stop", () => stops(current));
  });
}

type Current = () => StoreUnderTest;

function writes(current: Current, replace: (store: StoreUnderTest) => void): void {
  it("answers an empty batch", async () => {
    expect(await current().writer.write(batchOf([]))).toEqual(written(0, 0));
    await current().reader.check();
  });

  it("stores a record once, however often it comes", async () => {
    const { writer, reader } = current();
    const twice = [logRecord("a"), logRecord("b"), logRecord("a")];
    expect(await writer.write(batchOf(twice))).toEqual(written(2, 1));
    expect(await writer.write(batchOf(twice))).toEqual(written(0, 3));
    expect(await logIds(reader)).toEqual(["b", "a"]);
  });

  it("looks on all days for a record that may repeat", async () => {
    const { writer, reader } = current();
    await writer.write(batchOf([logRecord("a")]));
    const nextDay = { receivedNs: NOON_NS + DAY_NS, mayRepeat: true };
    const repeated = batchOf([logRecord("a", nextDay), logRecord("b", nextDay)]);
    expect(await writer.write(repeated)).toEqual(written(1, 1));
    expect((await logIds(reader)).toSorted()).toEqual(["a", "b"]);
  });

  it("keeps rows and positions over a restart", async () => {
    const { writer } = current();
    await writer.write(batchOf([logRecord("a")], { next: 7 }));
    await stopBoth(current());
    const again = await current().reopen();
    replace(again);
    const positions = await again.writer.positions();
    expect(positions.size === 0 || positions.get(PARTITION) === 7).toBe(true);
    expect(await again.writer.write(batchOf([logRecord("a")]))).toEqual(written(0, 1));
    expect(await logIds(again.reader)).toEqual(["a"]);
  });

  it("finds what was written, while it goes on being written", async () => {
    const { writer, reader } = current();
    for (let i = 0; i < 20; i++) {
      await writer.write(batchOf([logRecord(`r${i}`, { transactionId: "t" })]));
      expect((await reader.findTransaction("t"))?.logs).toBe(i + 1);
    }
  });
}

function transactions(current: Current): void {
  it("knows nothing of an ID that no record carries", async () => {
    const { reader } = current();
    expect(await reader.findTransaction("nobody")).toBeUndefined();
    await current().writer.write(batchOf([logRecord("a")]));
    expect(await reader.findTransaction("")).toBeUndefined();
    expect((await reader.transactionRecords({ transactionId: "nobody", limit: 9 })).items).toEqual(
      [],
    );
  });

  it("sums a transaction up over batches and days", async () => {
    const { writer, reader } = current();
    const of = { transactionId: "t" };
    const entry = {
      ...of,
      isEntry: true,
      spanKind: 2,
      text: "POST /orders",
      spanId: "a".repeat(16),
    };
    await writer.write(
      batchOf([logRecord("l1", { ...of, severityNumber: 17, timeNs: NOON_NS + 5n })]),
    );
    await writer.write(batchOf([spanRecord("s1", { ...entry, durationNs: 3n * SECOND_NS })]));
    const late = { ...of, receivedNs: NOON_NS + DAY_NS, service: "shipping" };
    await writer.write(batchOf([logRecord("l2", { ...late, timeNs: NOON_NS + 60n * SECOND_NS })]));
    await writer.write(batchOf([], { deadLetters: [deadLetter("d1", of), deadLetter("d1", of)] }));
    expect(await reader.findTransaction("t")).toEqual({
      ...{ transactionId: "t", startedNs: NOON_NS, endedNs: NOON_NS + 60n * SECOND_NS },
      ...{ operation: "POST /orders", status: "completed", services: ["orders", "shipping"] },
      ...{ logs: 2, spans: 1, errors: 1, deadLetters: 1, events: 0 },
      ...{ statedNs: null, deadlineNs: null },
    });
  });

  it("knows a transaction of which there is only a dead letter", async () => {
    const { writer, reader } = current();
    await writer.write(batchOf([], { deadLetters: [deadLetter("d", { transactionId: "t" })] }));
    expect(await reader.findTransaction("t")).toMatchObject({ logs: 0, spans: 0, deadLetters: 1 });
  });

  it("tells the status: stated, else the entry span's, else running", async () => {
    const entry = { isEntry: true, timeNs: NOON_NS };
    const stated = (status: "failed" | "compensated", seconds: bigint) =>
      logRecord(`${status}${seconds}`, {
        transactionStatus: status,
        timeNs: NOON_NS + seconds * SECOND_NS,
      });
    const check = async (transactionId: string, records: IncomingRecord[], want: string) => {
      for (const record of records) {
        const named = { ...record, id: `${transactionId}-${record.id}`, transactionId };
        await current().writer.write(batchOf([named]));
      }
      expect((await current().reader.findTransaction(transactionId))?.status, transactionId).toBe(
        want,
      );
    };
    await check("only-logs", [logRecord("l", { severityNumber: 21 })], "running");
    await check("inner-span", [spanRecord("s", { isError: true })], "running");
    await check("entry-ok", [spanRecord("s", entry)], "completed");
    await check("entry-error", [spanRecord("s", { ...entry, isError: true })], "failed");
    await check("stated", [stated("compensated", 1n), spanRecord("s", entry)], "compensated");
    await check("later", [stated("compensated", 9n), stated("failed", 5n)], "compensated");
    const second = spanRecord("s2", { ...entry, isError: true, timeNs: NOON_NS + 1n });
    await check("first-entry", [second, spanRecord("s1", entry)], "completed");
  });
}

function listings(current: Current): void {
  it("gives them newest start first, each once, in pages, and filters", async () => {
    const { writer, reader } = current();
    const records: IncomingRecord[] = [];
    for (let i = 0; i < 25; i++) {
      const transactionId = `t${String(i).padStart(2, "0")}`;
      const timeNs = NOON_NS + BigInt(i) * SECOND_NS;
      const span = { transactionId, timeNs, isEntry: true, text: i % 2 ? "odd" : "even" };
      const service = i % 5 ? "orders" : "payments";
      records.push(spanRecord(`s${i}`, { ...span, service, durationNs: BigInt(i) * SECOND_NS }));
      const nextDay = { receivedNs: NOON_NS + DAY_NS, timeNs: timeNs + 1n, transactionId };
      records.push(logRecord(`l${i}`, { ...nextDay, text: i % 7 ? "fine" : "card declined" }));
    }
    await writer.write(batchOf(records));
    const list = async (filter: object) => {
      const pages = (cursor?: string) =>
        reader.listTransactions({ ...filter, limit: 4, ...(cursor ? { cursor } : {}) });
      return (await allPages(pages)).map(({ transactionId }) => Number(transactionId.slice(1)));
    };
    const newestFirst = Array.from({ length: 25 }, (_, i) => 24 - i);
    expect(await list({})).toEqual(newestFirst);
    expect(await list({ operation: "odd" })).toEqual(newestFirst.filter((i) => i % 2));
    expect(await list({ service: "payments" })).toEqual([20, 15, 10, 5, 0]);
    expect(await list({ status: "failed" })).toEqual([]);
    expect(await list({ minDurationMs: 22_000 })).toEqual([24, 23, 22]);
    expect(await list({ query: "declined card" })).toEqual([21, 14, 7, 0]);
    expect(await list({ query: "odd", minDurationMs: 20_000 })).toEqual([23, 21]);
    const window = { fromNs: NOON_NS + 3n * SECOND_NS, toNs: NOON_NS + 6n * SECOND_NS };
    expect(await list(window)).toEqual([5, 4, 3]);
  });
}

function timelines(current: Current): void {
  it("gives the records of all days by time, then by order of writing, in pages", async () => {
    const { writer, reader } = current();
    const transactionId = "t";
    const records = Array.from({ length: 30 }, (_, i) => {
      const receivedNs = NOON_NS + BigInt(i % 3) * DAY_NS;
      const timeNs = NOON_NS + BigInt((i * 7) % 10) * SECOND_NS;
      return logRecord(`r${i}`, { transactionId, receivedNs, timeNs });
    });
    await writer.write(batchOf([...records, logRecord("other", { transactionId: "u" })]));
    const pages = (cursor?: string) =>
      reader.transactionRecords({ transactionId, limit: 7, ...(cursor ? { cursor } : {}) });
    const got = (await allPages(pages)).map(({ id }) => id);
    const byTime = records.toSorted(
      (a, b) => Number(a.timeNs - b.timeNs) || Number(a.receivedNs - b.receivedNs),
    );
    expect(got).toEqual(byTime.map(({ id }) => id));
  });

  it("filters by kind, service and severity", async () => {
    const { writer, reader } = current();
    const of = { transactionId: "t" };
    const records = [
      logRecord("info", { ...of, severityNumber: 9 }),
      logRecord("error", { ...of, severityNumber: 17, service: "payments" }),
      logRecord("fatal", { ...of, severityNumber: 21 }),
      spanRecord("span", of),
      spanRecord("failed", { ...of, isError: true }),
    ];
    await writer.write(batchOf(records));
    const check = async (filter: object, want: string[]) => {
      const { items } = await reader.transactionRecords({ ...of, ...filter, limit: 100 });
      expect(items.map(({ id }) => id)).toEqual(want);
    };
    await check({}, ["info", "error", "fatal", "span", "failed"]);
    await check({ kind: "span" }, ["span", "failed"]);
    await check({ kind: "log", service: "orders" }, ["info", "fatal"]);
    await check({ service: "nobody" }, []);
    await check({ minSeverityNumber: 9 }, ["info", "error", "fatal", "failed"]);
    await check({ minSeverityNumber: 17 }, ["error", "fatal", "failed"]);
    await check({ minSeverityNumber: 18 }, ["fatal"]);
  });

  it("gives a record back as it came", async () => {
    const { writer, reader } = current();
    const ids = { transactionId: "t", traceId: TRACE, spanId: "00f067aa0ba902b7" };
    const timeNs = NOON_NS + 123_456_789n;
    const resource = resourceBytes({ "service.name": "orders", "host.name": "m1" });
    const log = { ...ids, timeNs, resource, severityNumber: 13, severityText: "WARN" };
    await writer.write(batchOf([logRecord("l", { ...log, text: "löw", attributes: { n: 5n } })]));
    const { items } = await reader.transactionRecords({ transactionId: "t", limit: 1 });
    expect(items).toEqual([
      {
        ...{ id: "l", kind: "log", time: "2026-03-01T12:00:00.123456789Z" },
        ...{ receivedAt: "2026-03-01T12:00:00.000000000Z", ...ids, parentSpanId: null },
        ...{ service: "orders", severityText: "WARN", severityNumber: 13, message: "löw" },
        ...{ body: null, isError: false, attributes: { n: 5 }, scope: "fixture", span: null },
        resource: { "service.name": "orders", "host.name": "m1" },
      },
    ]);
  });
}

function searches(current: Current): void {
  it("orders by time over all days, however the records came, in pages", async () => {
    const { writer, reader } = current();
    const records = Array.from({ length: 60 }, (_, i) => {
      const receivedNs = NOON_NS + BigInt(i % 2) * DAY_NS;
      return logRecord(`r${i}`, { receivedNs, timeNs: NOON_NS + BigInt((i * 37) % 60) });
    });
    for (let i = 0; i < 60; i += 6) await writer.write(batchOf(records.slice(i, i + 6)));
    const newest = records.toSorted((a, b) => Number(b.timeNs - a.timeNs)).map(({ id }) => id);
    expect(await logIds(reader, { limit: 7 })).toEqual(newest);
    expect(await logIds(reader, { limit: 7, query: "text" })).toEqual(newest);
    const window = { fromNs: NOON_NS + 10n, toNs: NOON_NS + 20n };
    const inside = records.filter(({ timeNs }) => timeNs >= window.fromNs && timeNs < window.toNs);
    expect((await logIds(reader, window)).toSorted()).toEqual(
      inside.map(({ id }) => id).toSorted(),
    );
  });

  it("gives many logs of the very same time each once", async () => {
    const { writer, reader } = current();
    const records = Array.from({ length: 30 }, (_, i) =>
      logRecord(`r${i}`, { receivedNs: NOON_NS + BigInt(i % 3) * DAY_NS }),
    );
    await writer.write(batchOf(records));
    for (const query of ["", "text"]) {
      const got = await logIds(reader, { limit: 4, query });
      expect(got).toHaveLength(30);
      expect(new Set(got).size).toBe(30);
    }
  });

  it("keeps its place while newer logs are written", async () => {
    const { writer, reader } = current();
    const old = Array.from({ length: 6 }, (_, i) =>
      logRecord(`o${i}`, { timeNs: NOON_NS + BigInt(i) }),
    );
    await writer.write(batchOf(old));
    const first = await reader.searchLogs({ limit: 3, order: "newest" });
    await writer.write(batchOf([logRecord("new", { timeNs: NOON_NS + SECOND_NS })]));
    const rest = { limit: 9, order: "newest", cursor: String(first.cursor) } as const;
    const second = await reader.searchLogs(rest);
    const got = [...first.items, ...second.items].map(({ id }) => id);
    expect(got).toEqual(["o5", "o4", "o3", "o2", "o1", "o0"]);
  });

  it("filters by service and severity", async () => {
    const { writer, reader } = current();
    const at = (severityNumber: number, service: string) =>
      logRecord(`${service}${severityNumber}`, { severityNumber, service });
    await writer.write(batchOf([at(9, "orders"), at(17, "orders"), at(17, "payments")]));
    for (const query of ["", "text"]) {
      expect(await logIds(reader, { query, service: "nobody" })).toEqual([]);
      expect(await logIds(reader, { query, service: "orders" })).toHaveLength(2);
      const severe = { query, service: "orders", minSeverityNumber: 10 };
      expect(await logIds(reader, severe)).toEqual(["orders17"]);
    }
  });
}

function texts(current: Current): void {
  it("finds words, phrases and beginnings, whatever their case and accents", async () => {
    const { writer, reader } = current();
    const texts = ["Charge card DECLINED", "card charge ok", "Café crème brûlée", "日本 order-42"];
    const logs = texts.map((text, i) => logRecord(`r${i}`, { text, timeNs: NOON_NS - BigInt(i) }));
    await writer.write(batchOf([...logs, spanRecord("s", { text: "charge card" })]));
    const check = async (query: string, want: number[]) => {
      expect(await logIds(reader, { query }), query).toEqual(want.map((i) => `r${i}`));
    };
    await check("", [0, 1, 2, 3]);
    await check("card charge", [0, 1]);
    await check('"charge card"', [0]);
    await check('"card charge" ok', [1]);
    await check("cafe BRULEE", [2]);
    await check("decl*", [0]);
    await check("decl", []);
    await check("order-42", [3]);
    await check("日本", [3]);
    await check("charge order", []);
  });

  it("refuses a cursor it did not give", async () => {
    const { reader } = current();
    const list = await reader.searchLogs({ limit: 1, order: "oldest" });
    for (const cursor of ["", "nonsense", "e30", "WzFd", "a".repeat(9999), String(list.cursor)]) {
      const search = reader.searchLogs({ cursor, limit: 1, order: "newest" });
      await expect(search, cursor).rejects.toMatchObject({ code: "PARAMETER_INVALID" });
    }
  });
}

function tails(current: Current): void {
  it("gives each log once, in the order of writing, also one that comes late", async () => {
    const { writer, reader } = current();
    for (const query of ["", "text"]) {
      const seen: string[] = [];
      let cursor: string | undefined;
      for (let i = 0; i < 12; i++) {
        const late = logRecord(`${query}late${i}`, { timeNs: NOON_NS - BigInt(i) * SECOND_NS });
        const nextDay = { receivedNs: NOON_NS + BigInt(i % 3) * DAY_NS };
        await writer.write(batchOf([late, logRecord(`${query}day${i}`, nextDay)]));
        do {
          const after = cursor === undefined ? {} : { cursor };
          const page = await reader.searchLogs({ ...after, query, limit: 2, order: "oldest" });
          seen.push(...page.items.map(({ id }) => id));
          cursor = String(page.cursor);
          if (page.items.length < 2) break;
        } while (seen.length < PAGES_MAX);
      }
      const mine = seen.filter((id) => id.startsWith(query === "" ? "late" : "textlate"));
      const prefix = query === "" ? "late" : "textlate";
      expect(mine).toEqual(Array.from({ length: 12 }, (_, i) => `${prefix}${i}`));
      expect(new Set(seen).size).toBe(seen.length);
    }
  });

  it("begins at a time, with a cursor to go on from even where nothing is", async () => {
    const { writer, reader } = current();
    const follow = { fromNs: NOON_NS + SECOND_NS, limit: 10, order: "oldest" } as const;
    await writer.write(batchOf([logRecord("before")]));
    const empty = await reader.searchLogs(follow);
    expect(empty.items).toEqual([]);
    await writer.write(batchOf([logRecord("after", { timeNs: NOON_NS + 2n * SECOND_NS })]));
    const page = await reader.searchLogs({ ...follow, cursor: String(empty.cursor) });
    expect(page.items.map(({ id }) => id)).toEqual(["after"]);
  });
}

function services(current: Current): void {
  it("counts logs, spans and the work done for others", async () => {
    const { writer, reader } = current();
    const server = (id: string, ms: bigint, more: object = {}) =>
      spanRecord(id, { text: "GET /", spanKind: 2, durationNs: ms * 1_000_000n, ...more });
    const slow = Array.from({ length: 99 }, (_, i) => server(`f${i}`, 10n));
    const records = [...slow, server("slow", 1000n, { isError: true }), logRecord("l1")];
    records.push(spanRecord("client", { text: "GET /away", spanKind: 3 }));
    records.push(logRecord("l2", { severityNumber: 17, timeNs: NOON_NS + 600n * SECOND_NS }));
    await writer.write(batchOf(records));
    await writer.write(batchOf(records));
    const [orders, ...others] = await reader.services({});
    expect(others).toEqual([]);
    expect(orders).toMatchObject({ service: "orders", logs: 2, errorLogs: 1, spans: 101 });
    expect(orders?.lastSeenNs).toBe(NOON_NS + 600n * SECOND_NS);
    expect(orders?.operations).toHaveLength(1);
    const [figures] = orders?.operations ?? [];
    expect(figures).toMatchObject({ operation: "GET /", count: 100, errors: 1 });
    expect(figures?.p50Ms).toBeGreaterThan(9);
    expect(figures?.p50Ms).toBeLessThan(11);
    expect(figures?.p99Ms).toBeLessThan(11);
    const later = { fromNs: NOON_NS + 300n * SECOND_NS };
    expect(await reader.services(later)).toMatchObject([{ logs: 1, errorLogs: 1, spans: 0 }]);
    expect(await reader.services({ toNs: NOON_NS })).toEqual([]);
  });
}

function stops(current: Current): void {
  it("may be called twice, and refuses what comes after", async () => {
    const { writer, reader } = current();
    for (let i = 0; i < 2; i++) await stopBoth(current());
    const stopped = { code: "STORE_STOPPED" };
    await expect(writer.write(batchOf([logRecord("a")]))).rejects.toMatchObject(stopped);
    await expect(writer.positions()).rejects.toMatchObject(stopped);
    await expect(reader.findTransaction("t")).rejects.toMatchObject(stopped);
  });
}

async function stopBoth({ writer, reader }: StoreUnderTest): Promise<void> {
  await reader.stop();
  await writer.stop();
}

function written(created: number, existing: number) {
  return { created, existing, refused: [] };
}

/** The ids of all pages, newest first. */
async function logIds(reader: StoreReader, filter: Partial<LogFilter> = {}): Promise<string[]> {
  const pages = (cursor?: string) =>
    reader.searchLogs({ limit: 100, ...filter, order: "newest", ...(cursor ? { cursor } : {}) });
  return (await allPages(pages)).map(({ id }) => id);
}
