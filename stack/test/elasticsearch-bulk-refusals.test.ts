import { describe, expect, test } from "vitest";
import { batchOf, deadLetter, logRecord } from "../../collector/test/record-fixtures.ts";
import { requireJava } from "../backends/required-programs.ts";
import { BulkSuite } from "./elasticsearch-bulk-suite.ts";

const TEST_MS = 120_000;
/** A person's own mapping, in which bytes that cannot be read find no place. */
const CONFLICT = {
  template: { mappings: { properties: { clew: { properties: { payload: { type: "long" } } } } } },
};
const UNREADABLE = Buffer.from([0x2a, 0x7f]);

describe.skipIf(!requireJava("what Elasticsearch refuses"))(
  "what Elasticsearch refuses",
  () => {
    const suite = new BulkSuite();

    test("a document: it is named with status and reason, and the others are stored", async () => {
      await suite.ask("PUT", "/_component_template/clew@custom", CONFLICT);
      const streams = suite.newStreams();
      const writer = suite.openWriter({ streams });
      const wrong = { ...logRecord("wrong"), payload: UNREADABLE };
      const result = await writer.write(batchOf([logRecord("a"), wrong, logRecord("b")]));
      await suite.ask("DELETE", "/_component_template/clew@custom");
      expect(result).toMatchObject({ created: 2, existing: 0 });
      expect(result.refused).toEqual([
        { index: 1, status: 400, reason: expect.stringMatching(/document_parsing.*clew\.payload/) },
      ]);
      expect(await suite.ids(streams.logs)).toEqual(["a", "b"]);
    });

    test("ids that it takes none of, one by one", async () => {
      const streams = suite.newStreams();
      const writer = suite.openWriter({ streams });
      const ids = ["", "i".repeat(513), "i".repeat(512), "ä".repeat(257), 'quo"te\n', "a"];
      const { created, refused } = await writer.write(batchOf(ids.map((id) => logRecord(id))));
      expect(created).toBe(3);
      expect(refused.map(({ index, reason }) => `${index}: ${reason}`)).toEqual([
        "0: it has no id",
        "1: its id has 513 bytes: Elasticsearch takes 512",
        "3: its id has 514 bytes: Elasticsearch takes 512",
      ]);
    });

    test.each<[string, object, object, { code: string; message: RegExp }]>([
      [
        "writing",
        { blocks: { write: true } },
        { blocks: { write: null } },
        { code: "STORE_UNAVAILABLE", message: /403 cluster_block_exception.*block is removed/ },
      ],
      [
        "writing while its disk is full",
        { blocks: { read_only_allow_delete: true } },
        { blocks: { read_only_allow_delete: null } },
        { code: "STORE_FULL", message: /read-only-allow-delete/ },
      ],
    ])("%s: the whole batch waits, and it is said why", async (_, block, unblock, error) => {
      const streams = suite.newStreams();
      const writer = suite.openWriter({ streams });
      await writer.write(batchOf([logRecord("first")]));
      await suite.settings(streams.logs, block);
      const batch = batchOf([logRecord("a"), logRecord("b")]);
      await expect(writer.write(batch)).rejects.toMatchObject({
        code: error.code,
        message: expect.stringMatching(error.message),
      });
      await suite.settings(streams.logs, unblock);
      expect(await writer.write(batch)).toEqual({ created: 2, existing: 0, refused: [] });
    });

    test("every write of the cluster", async () => {
      const streams = suite.newStreams();
      const writer = suite.openWriter({ streams });
      await writer.write(batchOf([logRecord("first")]));
      const readOnly = (value: boolean | null) =>
        suite.ask("PUT", "/_cluster/settings", {
          persistent: { "cluster.blocks.read_only": value },
        });
      await readOnly(true);
      const batch = batchOf([logRecord("a")]);
      await expect(writer.write(batch)).rejects.toMatchObject({
        code: "STORE_UNAVAILABLE",
        message: expect.stringMatching(/403 cluster_block_exception/),
      });
      await readOnly(null);
      expect((await writer.write(batch)).created).toBe(1);
    });

    test("a stream that is closed", async () => {
      const streams = suite.newStreams();
      const writer = suite.openWriter({ streams });
      await writer.write(batchOf([logRecord("first")]));
      const index = await suite.writeIndex(streams.logs);
      await suite.ask("POST", `/${index}/_close`);
      const batch = batchOf([logRecord("a")]);
      await expect(writer.write(batch)).rejects.toMatchObject({
        code: "STORE_UNAVAILABLE",
        message: expect.stringMatching(/index_closed_exception/),
      });
      await suite.ask("POST", `/${index}/_open?wait_for_active_shards=1`);
      expect(await writer.write(batch)).toMatchObject({ created: 1, refused: [] });
    });

    test("a stream without a template: nothing is made up in its place", async () => {
      const streams = { logs: "no-template", traces: "no-template", deadLetters: "no-letters" };
      const writer = suite.openWriter({ streams });
      for (const batch of [
        batchOf([logRecord("a")]),
        batchOf([], { deadLetters: [deadLetter("d")] }),
      ])
        await expect(writer.write(batch)).rejects.toMatchObject({
          code: "STORE_UNAVAILABLE",
          message: expect.stringMatching(/404 index_not_found_exception.*clew setup/),
        });
      expect(await suite.ask("GET", "/_resolve/index/no-*")).toMatchObject({ indices: [] });
    });

    test("nothing that the writer stopped for", async () => {
      const streams = suite.newStreams();
      const writer = suite.openWriter({ streams });
      const writing = writer.write(batchOf([logRecord("a")]));
      await Promise.all([
        expect(writing).rejects.toMatchObject({ code: "STORE_STOPPED" }),
        writer.stop(),
      ]);
      await writer.stop();
      await expect(writer.write(batchOf([]))).rejects.toMatchObject({ code: "STORE_STOPPED" });
    });
  },
  TEST_MS,
);
