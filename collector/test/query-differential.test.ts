/** The embedded store finds what looking at every record does, for random queries. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { IncomingRecord, StoredRecord } from "../src/record.ts";
import { openEmbeddedStoreReader } from "../src/store/embedded/embedded-store-reader.ts";
import { openEmbeddedStoreWriter } from "../src/store/embedded/embedded-store-writer.ts";
import { matches } from "../src/store/query-language/matches.ts";
import { parseQuery } from "../src/store/query-language/parse-query.ts";
import type { LogFilter, StoreReader, StoreWriter } from "../src/store/store.ts";
import { queriedRecords } from "./queried-records.ts";
import { QueryGenerator } from "./query-generator.ts";
import { batchOf, DAY_NS } from "./record-fixtures.ts";

const SEED = 20_260_302;
const RECORDS = 1000;
const QUERIES = 120;
const PAGES_MAX = 1000;

let dir: string;
let writer: StoreWriter;
let reader: StoreReader;
let records: readonly IncomingRecord[];
let stored: readonly StoredRecord[];
const textOf = new Map<string, string>();

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "clew-queries-"));
  writer = await openEmbeddedStoreWriter({ dir });
  reader = openEmbeddedStoreReader({ dir });
  records = queriedRecords({ seed: SEED, count: RECORDS }).map((record, i) => ({
    ...record,
    receivedNs: record.receivedNs + (i > RECORDS / 2 ? DAY_NS : 0n),
  }));
  for (let i = 0; i < RECORDS; i += 500) await writer.write(batchOf(records.slice(i, i + 500)));
  for (const { id, text } of records) textOf.set(id, text);
  stored = await found({ query: "" });
});

afterAll(async () => {
  await reader.stop();
  await writer.stop();
  rmSync(dir, { recursive: true, force: true });
});

it("finds the records that match, each once, by time and in the order of writing", async () => {
  expect(stored.length).toBe(RECORDS);
  const generator = new QueryGenerator({ seed: SEED, records: stored });
  const order = new Map(records.map(({ id }, i) => [id, i]));
  let hits = 0;
  let halves = 0;
  for (let i = 0; i < QUERIES; i++) {
    const query = generator.query();
    const parsed = parseQuery(query);
    const wanted = stored
      .filter((record) => matches(parsed, record, { text: () => textOf.get(record.id) ?? "" }))
      .map(({ id }) => id);
    expect(ids(await found({ query })), query).toEqual(wanted);
    const inOrder = wanted.toSorted((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0));
    expect(ids(await followed({ query })), query).toEqual(inOrder);
    hits += Number(wanted.length > 0);
    halves += Number(wanted.length > RECORDS / 2);
  }
  // The queries are of every kind: of those that find little and of those that find much.
  expect(hits).toBeGreaterThan(QUERIES / 2);
  expect(halves).toBeLessThan(QUERIES / 2);
}, 300_000);

it("loses nothing where the time limit cuts a search that reads records", async () => {
  let clockMs = 0;
  const impatient = openEmbeddedStoreReader({ dir, queryTimeLimitMs: 1, nowMs: () => clockMs++ });
  let cuts = 0;
  for (const query of ["user.id:* or order", "-card -user.id:1*", "retry:true -service:orders"]) {
    const parsed = parseQuery(query);
    const wanted = stored.filter((record) =>
      matches(parsed, record, { text: () => textOf.get(record.id) ?? "" }),
    );
    expect(wanted.length).toBeGreaterThan(20);
    const got: string[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < PAGES_MAX; page++) {
      const after = cursor === undefined ? {} : { cursor };
      const filter = { query, limit: 50, order: "newest", ...after } as const;
      const { items, isCut, cursor: next } = await impatient.searchLogs(filter);
      got.push(...ids(items));
      cuts += Number(isCut);
      if (next === null) break;
      cursor = next;
    }
    expect(got, query).toEqual(ids(wanted));
  }
  expect(cuts).toBeGreaterThan(4);
  await impatient.stop();
});

function ids(found: readonly StoredRecord[]): string[] {
  return found.map(({ id }) => id);
}

function found(filter: Pick<LogFilter, "query">): Promise<StoredRecord[]> {
  return allPages((cursor) =>
    reader.searchLogs({ ...filter, ...cursor, limit: 1000, order: "newest" }),
  );
}

function followed(filter: Pick<LogFilter, "query">): Promise<StoredRecord[]> {
  return allPages(async (cursor) => {
    const page = await reader.searchLogs({ ...filter, ...cursor, limit: 1000, order: "oldest" });
    return page.items.length === 0 ? { ...page, cursor: null } : page;
  });
}

async function allPages(
  read: (cursor: { cursor?: string }) => ReturnType<StoreReader["searchLogs"]>,
): Promise<StoredRecord[]> {
  const items: StoredRecord[] = [];
  let cursor: { cursor?: string } = {};
  for (let page = 0; page < PAGES_MAX; page++) {
    const { items: more, cursor: next, isCut } = await read(cursor);
    expect(isCut).toBe(false);
    items.push(...more);
    if (next === null) return items;
    cursor = { cursor: next };
  }
  throw new Error("cannot read all pages: there is no end to them");
}
