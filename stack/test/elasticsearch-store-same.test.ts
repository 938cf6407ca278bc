/** The same records in both stores, and the same answers (queries: elasticsearch-queries). */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ATTRIBUTE, REPORT } from "@clew/instrumentation/names";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { IncomingRecord, TransactionStatus } from "../../collector/src/record.ts";
import type { Page, StoreReader } from "../../collector/src/store/store.ts";
import { numberedReport } from "../../collector/test/ledger-cases.ts";
import { openEmbeddedStore } from "../../collector/test/open-embedded-store.ts";
import {
  batchOf,
  deadLetter,
  deadLetterAct,
  type FixtureValue,
  logRecord,
  NOON_NS,
  resourceBytes,
  spanRecord,
} from "../../collector/test/record-fixtures.ts";
import { requireElasticsearch } from "../backends/elasticsearch-java.ts";
import { ElasticsearchStores, type OpenStore } from "./elasticsearch-stores.ts";

vi.setConfig({ testTimeout: 240_000, hookTimeout: 600_000 });

const SEED = 20_261_121;
const RECORDS = 4000;
const BATCH_RECORDS = 500;
const TRANSACTIONS = 150;
const SERVICES = ["orders", "payments", "shipping"];
const PAGES_MAX = 500;
const MS_NS = 1_000_000n;
const HOSTILE: readonly FixtureValue[] = [
  ...[Number.NaN, Number.POSITIVE_INFINITY, -0.5, 2 ** 60, "", "ü".repeat(300), null, true],
  ...[-(2n ** 63n), 2n ** 63n - 1n, new Uint8Array([0, 255]), [1n, [2n, "x"], null]],
  { "": "empty", "a.b": 1n, a: { b: { c: [{ d: null }] } }, constructor: "x", ["__proto__"]: 1n },
];

describe.skipIf(!requireElasticsearch("both stores, compared"))("both stores", () => {
  const stores = new ElasticsearchStores();
  const dir = mkdtempSync(join(tmpdir(), "clew-same-"));
  const records = makeRecords();
  let one: Omit<OpenStore, "streams">;
  let other: Omit<OpenStore, "streams">;

  beforeAll(async () => {
    one = await openEmbeddedStore(dir);
    other = stores.open();
    const letters = Array.from({ length: 30 }, (_, i) =>
      deadLetter(`letter-${i}`, {
        ...{ refusedNs: NOON_NS + BigInt(i % 7) * MS_NS, transactionId: `t${i % 9}` },
        ...{ service: SERVICES[i % 3] ?? "", runId: "run-1", sequence: 100_000 + i },
        ...{ detail: `field ${i} is too long` },
      }),
    );
    const acts = letters.slice(0, 10).map(({ id }) => deadLetterAct(id, { atNs: NOON_NS * 2n }));
    for (const { writer } of [one, other]) {
      for (let i = 0; i < records.length; i += BATCH_RECORDS) {
        const batch = records.slice(i, i + BATCH_RECORDS);
        const result = await writer.write(batchOf(batch));
        expect(result).toEqual({ created: batch.length, existing: 0, refused: [] });
      }
      await writer.write(batchOf([], { deadLetters: letters, deadLetterActs: acts }));
    }
  });
  afterAll(async () => {
    for (const { reader, writer } of [one, other]) {
      await reader.stop();
      await writer.stop();
    }
    rmSync(dir, { recursive: true });
  });

  const same = async <T>(ask: (reader: StoreReader) => Promise<T>): Promise<T> => {
    const answer = await ask(one.reader);
    expect(await ask(other.reader)).toEqual(answer);
    return answer;
  };

  it("give the same records of each transaction, and add it up to the same", async () => {
    for (let i = 0; i < TRANSACTIONS; i++) {
      const transactionId = `t${i}`;
      const found = await same((reader) =>
        all((cursor) => reader.transactionRecords({ transactionId, limit: 17, ...cursor })),
      );
      expect(found.length).toBeGreaterThan(0);
      expect(await same((reader) => reader.findTransaction(transactionId))).toBeDefined();
      await same(async (reader) => {
        const { items } = await reader.countSpanLogs(transactionId);
        return items.map((item) => JSON.stringify(item, text)).toSorted();
      });
    }
  });

  it.each<{ name: string; filter: object; atLeast?: number }>([
    { name: "all", filter: {}, atLeast: TRANSACTIONS },
    { name: "a service's", filter: { service: "payments" } },
    { name: "those of a status", filter: { status: "failed" satisfies TransactionStatus } },
    { name: "completed ones", filter: { status: "completed" satisfies TransactionStatus } },
    { name: "long ones", filter: { minDurationMs: 40_000 } },
    { name: "an operation's", filter: { operation: "POST /1" } },
    { name: "those with words", filter: { query: "card declined", service: "orders" } },
    { name: "those of a time", filter: { fromNs: NOON_NS, toNs: NOON_NS + 20_000n * MS_NS } },
  ])("list the same transactions: $name", async ({ filter, atLeast = 1 }) => {
    const listed = await same((reader) =>
      all((cursor) => reader.listTransactions({ ...filter, limit: 23, ...cursor })),
    );
    expect(listed.length).toBeGreaterThanOrEqual(atLeast);
  });

  it("give the same logs, newest first, also to the word and of a time", async () => {
    const filters = [{}, { query: "declined" }, { service: "orders", minSeverityNumber: 13 }];
    for (const filter of [...filters, { fromNs: NOON_NS + 5n, toNs: NOON_NS + 30_000n * MS_NS }]) {
      const found = await same((reader) =>
        all((cursor) => reader.searchLogs({ ...filter, order: "newest", limit: 301, ...cursor })),
      );
      expect(found.length).toBeGreaterThan(10);
    }
  });

  it("give the same figures of services, ledgers of runs, and dead letters", async () => {
    const services = await same(async (reader) =>
      (await reader.services({})).map((service) => ({
        ...service,
        operations: service.operations.toSorted((a, b) => (a.operation < b.operation ? -1 : 1)),
      })),
    );
    expect(services).toHaveLength(SERVICES.length);
    const runIds = ["run-0", "run-1", "run-2", "nobody"];
    const ledgers = await same((reader) => reader.ledgers({ runIds }));
    expect(ledgers).toHaveLength(3);
    expect(ledgers.some(({ logs }) => logs.gaps.length > 3)).toBe(true);
    await same((reader) => all((cursor) => reader.runs({ limit: 2, ...cursor })));
    await same((reader) => all((cursor) => reader.listRunIds({ limit: 2, ...cursor })));
    await same((reader) => all((cursor) => reader.deadLetters({ limit: 7, ...cursor })));
    const groups = await same((reader) => reader.deadLetterGroups({ limit: 9 }));
    expect(groups.items.length).toBeGreaterThan(1);
  });
});

type Cursor = { readonly cursor?: string };

async function all<T>(read: (cursor: Cursor) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < PAGES_MAX; page++) {
    const more: Page<T> = await read(cursor === null ? {} : { cursor });
    expect(more.isCut).toBe(false);
    items.push(...more.items);
    cursor = more.cursor;
    if (cursor === null) return items;
  }
  throw new Error("cannot read all pages: there is no end to them");
}

function text(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}

/** Numbers from 0 up to `below`, the same in each run (a linear congruential generator). */
function randomizer(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * below);
  };
}

function makeRecords(): IncomingRecord[] {
  const random = randomizer(SEED);
  const runs = SERVICES.map((service, i) => {
    const runId = `run-${i}`;
    const resource = resourceBytes({ "service.name": service, [ATTRIBUTE.runId]: runId });
    return { runId, service, resource, log: 0, span: 0 };
  });
  const records = Array.from({ length: RECORDS }, (_, i) => {
    const run = runs[i % runs.length] ?? { runId: "", log: 0, span: 0 };
    return makeRecord({ i, run, random });
  });
  const figures = (i: number) => ({ [REPORT.logsEmitted]: 2000 + i, [REPORT.spansEmitted]: 900 });
  const reports = runs.map(({ runId, service }, i) =>
    numberedReport(90_000 + i, { runId, service, figures: figures(i) }),
  );
  // Some numbers were never stored.
  const kept = records.filter(({ sequence }) => sequence % 97 !== 0 && sequence !== 400);
  return [...kept, ...reports];
}

interface Making {
  readonly i: number;
  readonly run: { readonly runId: string; log: number; span: number };
  readonly random: (below: number) => number;
}

function makeRecord({ i, run, random }: Making): IncomingRecord {
  const isSpan = random(4) === 0;
  const sequence = isSpan ? ++run.span : ++run.log;
  const { log: _, span: __, ...of } = run;
  const transaction = i < 2 * TRANSACTIONS ? i % TRANSACTIONS : random(TRANSACTIONS);
  // Times to the millisecond where a store may know no more: see `SpanLogCount`.
  const timeNs = NOON_NS + BigInt(transaction * 300 + random(60_000)) * MS_NS;
  const common = {
    ...{ ...of, sequence, timeNs, numberedNs: NOON_NS + BigInt(i) * MS_NS + 7n },
    ...{ transactionId: `t${transaction}`, receivedNs: NOON_NS + BigInt(i) * 1000n },
    ...{ traceId: (transaction + 1).toString(16).padStart(32, "0") },
    attributes: { n: BigInt(i), hostile: HOSTILE[random(HOSTILE.length)] ?? null, "": "no key" },
  };
  if (isSpan) {
    return spanRecord(`span-${i}`, {
      ...common,
      ...{ isEntry: random(5) === 0, isError: random(9) === 0, spanKind: random(6) },
      ...{ durationNs: BigInt(random(90_000_000)), text: `POST /${random(9)}` },
      ...(random(30) === 0 && { transactionStatus: "failed" as const }),
      spanId: (i + 1).toString(16).padStart(16, "0"),
    });
  }
  const spanId = random(3) === 0 ? "" : (random(50) + 1).toString(16).padStart(16, "0");
  return logRecord(`log-${i}`, {
    ...common,
    ...{ spanId, severityNumber: random(24), isAfterSpan: random(20) === 0 },
    ...{
      isTransactionEvent: random(10) === 0,
      text: `card ${random(9) ? "paid" : "DECLINED"} ${i}`,
    },
    ...(random(40) === 0 && { deadlineNs: timeNs + BigInt(random(1000)) * MS_NS }),
    ...(random(50) === 0 && { body: { nested: [HOSTILE[random(8)] ?? null] } }),
  });
}
