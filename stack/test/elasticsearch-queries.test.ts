import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { StoredRecord } from "../../collector/src/record.ts";
import type { StoreReader, StoreWriter } from "../../collector/src/store/store.ts";
import { openEmbeddedStore } from "../../collector/test/open-embedded-store.ts";
import { queriedRecords } from "../../collector/test/queried-records.ts";
import { QueryGenerator } from "../../collector/test/query-generator.ts";
import { batchOf } from "../../collector/test/record-fixtures.ts";
import { requireElasticsearch } from "../backends/elasticsearch-java.ts";
import { ElasticsearchStores } from "./elasticsearch-stores.ts";

const SEED = 20_260_303;
const RECORDS = 1000;
const QUERIES = 300;
const PAGES_MAX = 100;
const TEST_MS = 240_000;

describe.skipIf(!requireElasticsearch("queries on both stores"))("a query on both stores", () => {
  const stores = new ElasticsearchStores();
  let dir: string;
  const opened: (StoreWriter | StoreReader)[] = [];
  let embedded: StoreReader;
  let elasticsearch: StoreReader;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "clew-queries-"));
    const one = await openEmbeddedStore(dir);
    embedded = one.reader;
    const other = stores.open();
    elasticsearch = other.reader;
    opened.push(one.reader, one.writer, other.reader, other.writer);
    const records = queriedRecords({ seed: SEED, count: RECORDS });
    for (let i = 0; i < RECORDS; i += 250) {
      const batch = batchOf(records.slice(i, i + 250));
      const results = [await one.writer.write(batch), await other.writer.write(batch)];
      for (const result of results) expect(result).toMatchObject({ created: 250, refused: [] });
    }
  }, TEST_MS);

  afterAll(async () => {
    for (const part of opened) await part.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  test(
    "finds the same records, in the same order, with the same content",
    async () => {
      const stored = await found(embedded, "");
      expect(stored).toHaveLength(RECORDS);
      // As they are answered: JSON knows no -0.
      const answered = JSON.stringify(await found(elasticsearch, ""));
      expect(JSON.parse(answered)).toEqual(JSON.parse(JSON.stringify(stored)));
      const generator = new QueryGenerator({ seed: SEED, records: stored });
      let hits = 0;
      for (let i = 0; i < QUERIES; i++) {
        const query = generator.query();
        const wanted = ids(await found(embedded, query));
        expect(ids(await found(elasticsearch, query)), query).toEqual(wanted);
        hits += Number(wanted.length > 0);
      }
      expect(hits).toBeGreaterThan(QUERIES / 2);
    },
    TEST_MS,
  );
});

function ids(records: readonly StoredRecord[]): string[] {
  return records.map(({ id }) => id);
}

async function found(reader: StoreReader, query: string): Promise<StoredRecord[]> {
  const records: StoredRecord[] = [];
  let cursor: { cursor?: string } = {};
  for (let page = 0; page < PAGES_MAX; page++) {
    const filter = { query, limit: 1000, order: "newest", ...cursor } as const;
    const { items, isCut, cursor: next } = await reader.searchLogs(filter);
    expect(isCut).toBe(false);
    records.push(...items);
    if (next === null) return records;
    cursor = { cursor: next };
  }
  throw new Error("cannot read all pages: there is no end to them");
}
