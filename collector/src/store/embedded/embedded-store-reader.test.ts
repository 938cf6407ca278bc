import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  batchOf,
  DAY_NS,
  logRecord,
  NOON_NS,
  SECOND_NS,
  spanRecord,
} from "../../../test/record-fixtures.ts";
import type { IncomingRecord } from "../../record.ts";
import type { LogFilter, Page, StoreReader, StoreWriter } from "../store.ts";
import { openEmbeddedStoreReader } from "./embedded-store-reader.ts";
import { openEmbeddedStoreWriter } from "./embedded-store-writer.ts";

const SEED = 20_260_301;
const PAGES_MAX = 2000;

let dir = "";
let writer: StoreWriter;
let reader: StoreReader;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "clew-store-"));
  writer = openEmbeddedStoreWriter({ dir });
  reader = openEmbeddedStoreReader({ dir });
});
afterEach(async () => {
  await reader.stop();
  await writer.stop();
  rmSync(dir, { recursive: true, force: true });
});

it("counts each of 1000 batches with redelivered records once", async () => {
  const random = seeded(SEED);
  const model = new Map<string, IncomingRecord>();
  const sent: IncomingRecord[] = [];
  let created = 0;
  for (let batch = 0; batch < 1000; batch++) {
    const records = Array.from({ length: 1 + random(6) }, (_, i) => {
      const repeated = random(3) === 0 ? sent[random(sent.length)] : undefined;
      if (repeated === undefined) return randomRecord(`${batch}-${i}`, random);
      const later = { receivedNs: NOON_NS + BigInt(random(3)) * DAY_NS, mayRepeat: true };
      return random(2) === 0 ? repeated : { ...repeated, ...later };
    });
    created += (await writer.write(batchOf(records, { next: batch + 1 }))).created;
    for (const record of records) if (!model.has(record.id)) model.set(record.id, record);
    sent.push(...records.filter((record) => model.get(record.id) === record));
  }
  const all = [...model.values()];
  expect(all.length).toBeGreaterThan(2000);
  expect(created).toBe(all.length);
  for (const [transactionId, records] of byTransaction(all)) {
    expect(await reader.findTransaction(transactionId)).toEqual(summaryOf(transactionId, records));
    const page = await reader.transactionRecords({ transactionId, limit: 1000 });
    expect(page.items.map(({ id }) => id).toSorted()).toEqual(
      records.map(({ id }) => id).toSorted(),
    );
  }
  const [orders] = await reader.services({});
  const spans = all.filter(({ kind }) => kind === "span");
  expect(orders).toMatchObject({ logs: all.length - spans.length, spans: spans.length });
  const counted = spans.filter(({ spanKind, isEntry }) => [2, 5].includes(spanKind) || isEntry);
  expect(orders?.operations.reduce((sum, { count }) => sum + count, 0)).toBe(counted.length);
  expect(await logIds({})).toHaveLength(all.length - spans.length);
});

describe("with several zones, and times out of order", () => {
  const WORDS = ["all", "half", "rare", "never"];
  let records: IncomingRecord[] = [];
  beforeEach(async () => {
    const random = seeded(SEED);
    records = Array.from({ length: 30_000 }, (_, i) => {
      // Nearly in order; now and then a clock that is a day fast or slow.
      const skew = random(4000) === 0 ? (random(2) - 0.5) * 86_400_000 : random(2000);
      const timeNs = NOON_NS + BigInt(i * 10 + skew) * 1_000_000n;
      const text = `all ${i % 2 ? "half" : "other"} ${i % 3000 ? "" : "rare"}`;
      const receivedNs = i < 24_000 ? NOON_NS : NOON_NS + DAY_NS;
      const severityNumber = i % 100 ? 9 : 17;
      const service = i % 11 ? "orders" : "payments";
      return logRecord(`r${i}`, { timeNs, receivedNs, text, severityNumber, service });
    });
    for (let i = 0; i < records.length; i += 5000) {
      await writer.write(batchOf(records.slice(i, i + 5000)));
    }
  });

  it("finds the same as looking at every record does", async () => {
    const newest = records.toSorted((a, b) => Number(b.timeNs - a.timeNs) || comparePlaces(b, a));
    const check = async (filter: Partial<LogFilter>) => {
      const wanted = newest.filter((record) => isWanted(record, filter));
      const pages = await Promise.all([logIds(filter), tailIds(filter)]);
      expect(pages[0], JSON.stringify(filter.query)).toEqual(wanted.map(({ id }) => id));
      const inOrder = records.filter((record) => isWanted(record, filter));
      expect(pages[1]).toEqual(inOrder.map(({ id }) => id));
    };
    for (const query of ["", ...WORDS, "all half", "rare half", '"all half"']) {
      await check({ query });
      await check({ query, service: "payments", minSeverityNumber: 17 });
    }
    const [from, to] = [NOON_NS + 50n * SECOND_NS, NOON_NS + 52n * SECOND_NS];
    for (const query of ["", "half"]) await check({ query, fromNs: from, toNs: to });
  });

  it("loses nothing where the time limit cuts a search into pieces", async () => {
    let clockMs = 0;
    const impatient = openEmbeddedStoreReader({ dir, queryTimeLimitMs: 3, nowMs: () => clockMs++ });
    let cuts = 0;
    for (const order of ["newest", "oldest"] as const) {
      for (const query of ["rare", "half", ""]) {
        const filter = { query, minSeverityNumber: 17, order, limit: 50 };
        const wanted = records.filter((record) => isWanted(record, filter));
        const got: string[] = [];
        let cursor: string | null | undefined;
        for (let page = 0; page < PAGES_MAX && cursor !== null; page++) {
          const after = cursor === undefined ? {} : { cursor };
          const { items, isCut, ...rest } = await impatient.searchLogs({ ...filter, ...after });
          got.push(...items.map(({ id }) => id));
          cuts += Number(isCut);
          cursor = order === "oldest" && !isCut && items.length < 50 ? null : rest.cursor;
        }
        expect(got.toSorted()).toEqual(wanted.map(({ id }) => id).toSorted());
      }
    }
    expect(cuts).toBeGreaterThan(10);
    await impatient.stop();
  });
});

it("ends a page before it holds too much", async () => {
  const text = "x".repeat(3_000_000);
  const large = Array.from({ length: 12 }, (_, i) =>
    logRecord(`r${i}`, { text, transactionId: "t", timeNs: NOON_NS + BigInt(i) }),
  );
  await writer.write(batchOf(large));
  const page = await reader.transactionRecords({ transactionId: "t", limit: 1000 });
  expect(page.items.length).toBe(5);
  const pages = (cursor?: string) =>
    reader.transactionRecords({ transactionId: "t", limit: 9, ...(cursor ? { cursor } : {}) });
  expect(await idsOfPages(pages)).toEqual(large.map(({ id }) => id));
  expect((await logIds({ query: "" })).length).toBe(12);
  expect((await tailIds({})).length).toBe(12);
});

it("folds operations beyond the first 200 of a service into one", async () => {
  const spans = Array.from({ length: 300 }, (_, i) =>
    spanRecord(`s${i}`, { text: `GET /${i}`, spanKind: 2 }),
  );
  await writer.write(batchOf(spans));
  await writer.write(batchOf([spanRecord("one more", { text: "POST /new", spanKind: 2 })]));
  const [orders] = await reader.services({});
  expect(orders?.operations).toHaveLength(201);
  expect(orders?.operations[0]).toMatchObject({ operation: "other", count: 101 });
});

it("passes over a day that is not laid out, and is unavailable on a damaged one", async () => {
  await writer.write(batchOf([logRecord("a")]));
  writeFileSync(join(dir, "2026-03-02.db"), "");
  expect(await logIds({})).toEqual(["a"]);
  writeFileSync(join(dir, "2026-03-03.db"), "not a database ".repeat(999));
  await expect(logIds({})).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  rmSync(join(dir, "2026-03-03.db"));
  expect(await logIds({})).toEqual(["a"]);
});

it("takes times beyond what can be stored", async () => {
  const timeNs = 2n ** 64n - 1n;
  await writer.write(
    batchOf([logRecord("far", { timeNs, transactionId: "t" }), logRecord("near")]),
  );
  expect(await logIds({})).toEqual(["far", "near"]);
  expect(await logIds({ toNs: 2n ** 70n, fromNs: -(2n ** 70n) })).toHaveLength(2);
  expect(await reader.findTransaction("t")).toMatchObject({ startedNs: 2n ** 63n - 1n });
});

function randomRecord(id: string, random: (below: number) => number): IncomingRecord {
  const timeNs = NOON_NS + BigInt(random(100_000)) * 1_000_000n;
  const receivedNs = NOON_NS + BigInt(random(3)) * DAY_NS;
  const statuses = ["", "", "", "failed", "completed", "timed-out"] as const;
  const transactionStatus = statuses[random(statuses.length)] ?? "";
  const of = { transactionId: `t${random(150)}`, timeNs, receivedNs, transactionStatus };
  if (random(2) === 0) return logRecord(id, { ...of, severityNumber: random(24) });
  const durationNs = BigInt(random(5000)) * 1_000_000n;
  const entry = { isEntry: random(4) === 0, spanKind: random(6), isError: random(3) === 0 };
  return spanRecord(id, { ...of, ...entry, durationNs, text: `op${random(20)}` });
}

/** What the store must say of a transaction, worked out from all of its records at once. */
function summaryOf(transactionId: string, records: readonly IncomingRecord[]) {
  const ends = records.map(({ timeNs, durationNs }) => timeNs + durationNs);
  const [stated] = records
    .filter(({ transactionStatus }) => transactionStatus !== "")
    .map((record) => ({ ends: record.timeNs + record.durationNs, is: record.transactionStatus }))
    .toSorted((a, b) => Number(b.ends - a.ends) || (a.is < b.is ? 1 : -1));
  const [entry] = records
    .filter(({ kind, isEntry }) => kind === "span" && isEntry)
    .toSorted(
      (a, b) =>
        Number(a.timeNs - b.timeNs) ||
        (a.text === b.text ? Number(b.isError) - Number(a.isError) : a.text < b.text ? -1 : 1),
    );
  const ofEntry = entry === undefined ? "running" : entry.isError ? "failed" : "completed";
  return {
    ...{ transactionId, services: ["orders"], deadLetters: 0 },
    startedNs: records.map(({ timeNs }) => timeNs).toSorted((a, b) => Number(a - b))[0],
    endedNs: ends.toSorted((a, b) => Number(b - a))[0],
    operation: entry?.text ?? "",
    status: stated?.is ?? ofEntry,
    ...{ statedNs: stated?.ends ?? null, deadlineNs: null, events: 0 },
    logs: records.filter(({ kind }) => kind === "log").length,
    spans: records.filter(({ kind }) => kind === "span").length,
    errors: records.filter(({ isError }) => isError).length,
  };
}

function byTransaction(records: readonly IncomingRecord[]) {
  return Map.groupBy(records, ({ transactionId }) => transactionId);
}

function isWanted(record: IncomingRecord, filter: Partial<LogFilter>): boolean {
  const words = (filter.query ?? "").replaceAll('"', "").split(" ").filter(Boolean);
  return (
    words.every((word) => record.text.split(" ").includes(word)) &&
    (filter.service ?? record.service) === record.service &&
    record.severityNumber >= (filter.minSeverityNumber ?? 0) &&
    record.timeNs >= (filter.fromNs ?? 0n) &&
    record.timeNs < (filter.toNs ?? 2n ** 63n)
  );
}

/** By day, then order of writing. */
function comparePlaces(a: IncomingRecord, b: IncomingRecord): number {
  return Number(a.receivedNs - b.receivedNs) || Number(a.id.slice(1)) - Number(b.id.slice(1));
}

function logIds(filter: Partial<LogFilter>): Promise<string[]> {
  return idsOfPages((cursor) =>
    reader.searchLogs({ limit: 900, ...filter, order: "newest", ...(cursor ? { cursor } : {}) }),
  );
}

/** Until nothing more is there. */
function tailIds(filter: Partial<LogFilter>): Promise<string[]> {
  return idsOfPages(async (cursor) => {
    const after = cursor ? { cursor } : {};
    const page = await reader.searchLogs({ limit: 900, ...filter, order: "oldest", ...after });
    return page.items.length === 0 ? { ...page, cursor: null } : page;
  });
}

async function idsOfPages(read: (cursor?: string) => Promise<Page<{ id: string }>>) {
  const ids: string[] = [];
  let cursor: string | undefined;
  for (let i = 0; i < PAGES_MAX; i++) {
    const page = await read(cursor);
    expect(page.isCut).toBe(false);
    ids.push(...page.items.map(({ id }) => id));
    if (page.cursor === null) return ids;
    cursor = page.cursor;
  }
  throw new Error("cannot read all pages: there is no end to them");
}

/** A generator of numbers below a bound, the same for the same seed (mulberry32). */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % Math.max(1, below);
  };
}

it("refuses figures of services that would take longer than the time limit", async () => {
  const minutes = Array.from({ length: 1200 }, (_, i) => {
    const timeNs = NOON_NS + BigInt(i) * 60n * SECOND_NS;
    return spanRecord(`s${i}`, { text: "GET /", spanKind: 2, timeNs });
  });
  await writer.write(batchOf(minutes));
  let clockMs = 0;
  const impatient = openEmbeddedStoreReader({ dir, queryTimeLimitMs: 1, nowMs: () => clockMs++ });
  expect(await impatient.services({})).toHaveLength(1);
  const window = { fromNs: NOON_NS + SECOND_NS };
  const tooSlow = { code: "STORE_UNAVAILABLE", message: expect.stringContaining("time limit") };
  await expect(impatient.services(window)).rejects.toMatchObject(tooSlow);
  await impatient.stop();
});
