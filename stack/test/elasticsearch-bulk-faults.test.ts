import { describe, expect, test } from "vitest";
import { ClewError } from "../../collector/src/errors.ts";
import type { IncomingRecord } from "../../collector/src/record.ts";
import type { StoreWriter } from "../../collector/src/store/store.ts";
import { batchOf, logRecord } from "../../collector/test/record-fixtures.ts";
import { requireJava } from "../backends/required-programs.ts";
import { BulkSuite } from "./elasticsearch-bulk-suite.ts";
import { documentsOf } from "./elasticsearch-documents.ts";

const TEST_MS = 240_000;
const KIBIBYTE = "x".repeat(1024);

describe.skipIf(!requireJava("Elasticsearch that cannot keep up"))(
  "Elasticsearch that cannot keep up",
  () => {
    const suite = new BulkSuite();
    const { elasticsearch } = suite;

    test("takes small requests only: they get smaller, a record too large is refused", async () => {
      await restartWith({ "http.max_content_length": "1mb" });
      const streams = suite.newStreams();
      const warnings: string[] = [];
      const warn = (line: string) => warnings.push(line);
      const writer = suite.openWriter({ streams, warn });
      const records = logs(5_000);
      const large = logRecord("large", { body: KIBIBYTE.repeat(1_500) });
      const result = await writer.write(
        batchOf([...records.slice(0, 9), large, ...records.slice(9)]),
      );
      expect(result).toMatchObject({ created: 5_000, existing: 0 });
      expect(result.refused).toEqual([
        { index: 9, status: 413, reason: expect.stringMatching(/^\d+ bytes: more than Elastic/) },
      ]);
      expect(warnings.join("\n")).toMatch(/requests are smaller from now on/);
      expect(await documentsOf(elasticsearch, streams.logs)).toHaveLength(5_000);
    });

    test("has no memory for a whole request: it is sent in smaller ones", async () => {
      await restartWith({ "indexing_pressure.memory.limit": "200kb" });
      const streams = suite.newStreams();
      const writer = suite.openWriter({ streams });
      expect(await writer.write(batchOf(logs(3_000)))).toMatchObject({
        created: 3_000,
        refused: [],
      });
      expect(await documentsOf(elasticsearch, streams.logs)).toHaveLength(3_000);
    });

    test("has no room in its queue: each document gets its turn", async () => {
      await restartWith({ "thread_pool.write.size": "1", "thread_pool.write.queue_size": "1" });
      const streams = suite.newStreams();
      const writers = Array.from({ length: 6 }, () => suite.openWriter({ streams }));
      const parts = writers.map((_, part) => logs(2_000, `w${part}-`));
      await Promise.all(writers.map((writer, part) => writeAll(writer, parts[part] ?? [])));
      expect(await documentsOf(elasticsearch, streams.logs)).toHaveLength(12_000);
    });

    test("is killed in the middle of it: written again, each is there once", async () => {
      await restartWith({});
      const streams = suite.newStreams();
      const writer = suite.openWriter({ streams });
      const batch = batchOf(logs(40_000));
      const writing = writer.write(batch);
      await firstDocument(streams.logs);
      await elasticsearch.crash();
      const outcome = await settled(writing);
      await elasticsearch.restart();
      if (outcome === "rejected") await writer.write(batch);
      expect(await documentsOf(elasticsearch, streams.logs)).toHaveLength(40_000);
    });

    test("freezes: given up, looked for and written again, each is there once", async () => {
      const streams = suite.newStreams();
      const connection = { ...suite.connection, requestTimeoutMs: 1_000 };
      const writer = suite.openWriter({ streams, connection });
      await writer.write(batchOf([logRecord("first")]));
      elasticsearch.freeze();
      const batch = batchOf(logs(3_000));
      await expect(writer.write(batch)).rejects.toMatchObject({
        code: "STORE_UNAVAILABLE",
        message: expect.stringMatching(/Elasticsearch does not answer/),
      });
      elasticsearch.thaw();
      const patient = suite.openWriter({ streams });
      const repeated = batch.records.map((record) => ({ ...record, mayRepeat: true }));
      const { created, existing } = await patient.write(batchOf(repeated));
      expect(created + existing).toBe(3_000);
      expect(await documentsOf(elasticsearch, streams.logs)).toHaveLength(3_001);
    });

    async function restartWith(settings: Readonly<Record<string, string>>): Promise<void> {
      elasticsearch.configure(settings);
      await elasticsearch.restart();
    }

    async function firstDocument(stream: string): Promise<void> {
      await expect
        .poll(() => suite.ask("GET", `/${stream}*/_stats/indexing?filter_path=_all.primaries`), {
          timeout: TEST_MS,
        })
        .toMatchObject({ _all: { primaries: { indexing: { index_total: expect.any(Number) } } } });
    }
  },
  TEST_MS,
);

function logs(count: number, prefix = "r") {
  return Array.from({ length: count }, (_, n) =>
    logRecord(`${prefix}${n}`, { body: `record ${n} ${KIBIBYTE.slice(0, 600)}` }),
  );
}

/** As the indexer does it: for ever, where the writer says that nothing is taken now. */
async function writeAll(writer: StoreWriter, records: readonly IncomingRecord[]): Promise<void> {
  for (;;) {
    const written = await writer.write(batchOf(records)).catch((error: ClewError) => error);
    if (!(written instanceof ClewError)) return expect(written.refused).toEqual([]);
    expect(written.code).toBe("STORE_UNAVAILABLE");
  }
}

async function settled(promise: Promise<unknown>): Promise<"fulfilled" | "rejected"> {
  const [result] = await Promise.allSettled([promise]);
  return result.status;
}
