import { describe, expect, test } from "vitest";
import { seededRandom } from "../../bench/src/seeded-random.ts";
import { requireJava } from "../backends/required-programs.ts";
import { documentsOf, doubles, rollOver } from "./elasticsearch-documents.ts";
import { ElasticsearchSuite } from "./elasticsearch-suite.ts";
import {
  type IndexingBus,
  LogLoad,
  logsOf,
  metricOf,
  sendLogs,
  until,
} from "./kafka-indexing-bus.ts";

const TEST_MS = 240_000;
const STREAM = "logs-clew-default";
const SEED = 20_261_121;
const KILLS = 5;
const RECORDS_BETWEEN_MAX = 1500;

describe.skipIf(!requireJava("indexers that are killed"))("indexers that are killed", () => {
  const suite = new ElasticsearchSuite();

  test(
    "store every acknowledged record once, over rollovers, whoever is killed when",
    async () => {
      const random = seededRandom(SEED);
      const bus = await suite.openBus(4);
      const ingest = await suite.startCollector({ CLEW_ROLES: "ingest" }, bus);
      const indexers = await Promise.all([
        suite.startCollector({ CLEW_ROLES: "index" }, bus),
        suite.startCollector({ CLEW_ROLES: "index" }, bus),
      ]);
      const load = new LogLoad("killed", () => bus.offsets());
      load.start(ingest.otlpUrl);
      await until(async () => expect((await bus.offsets()).committed).toBeGreaterThan(20));
      for (let kill = 0; kill < KILLS; kill++) {
        const next = load.acknowledged.length + random.whole(RECORDS_BETWEEN_MAX);
        await until(async () => expect(load.acknowledged.length).toBeGreaterThan(next));
        // One of them, or both.
        const choice = 1 + random.whole(3);
        const victims = indexers.filter((_, i) => (choice >> i) % 2 === 1);
        await Promise.all(victims.map((victim) => victim.halt("SIGKILL")));
        await rollOver(suite.elasticsearch, STREAM);
        await Promise.all(victims.map((victim) => victim.resume()));
      }
      await load.stop();
      await expectEachOnce(bus, load);
    },
    TEST_MS,
  );

  test.each<[string, (bus: IndexingBus) => Promise<void>]>([
    ["what was not committed", (bus) => bus.takeBackCommits()],
    ["what an operator wants read again", (bus) => bus.resetOffsets()],
  ])(
    "store %s once, behind a rollover",
    async (_name, takeBack) => {
      const bus = await suite.openBus(2);
      const collector = await suite.startCollector({}, bus);
      const texts = Array.from({ length: 40 }, (_, i) => `${bus.prefix} ${i}`);
      for (const text of texts) {
        expect(await sendLogs(collector.otlpUrl, logsOf("again", [text]))).toBe(200);
      }
      await untilCommitted(bus);
      await collector.halt("SIGINT");
      await rollOver(suite.elasticsearch, STREAM);
      await takeBack(bus);
      await collector.resume();
      await untilCommitted(bus);
      const documents = await documentsOf(suite.elasticsearch, STREAM);
      const stored = documents.map(({ _source }) => _source.message);
      const ours = stored.filter((text) => text.startsWith(bus.prefix));
      expect(ours.toSorted()).toEqual(texts.toSorted());
      expect(await metricOf(collector, "clew_index_existing_records_total")).toBe(texts.length);
    },
    TEST_MS,
  );

  async function untilCommitted(bus: IndexingBus): Promise<void> {
    await until(async () => {
      const { committed, end } = await bus.offsets();
      expect(committed).toBe(end);
    });
  }

  async function expectEachOnce(bus: IndexingBus, load: LogLoad): Promise<void> {
    await untilCommitted(bus);
    const documents = await documentsOf(suite.elasticsearch, STREAM);
    expect(doubles(documents.map(({ _id }) => _id))).toEqual([]);
    const stored = documents
      .map(({ _source }) => _source.message)
      .filter((text) => text.startsWith("killed "));
    expect(stored.toSorted()).toEqual(load.acknowledged.toSorted());
    expect(new Set(documents.map(({ _index }) => _index)).size).toBeGreaterThan(2);
    expect(stored.length).toBeGreaterThan(1000);
  }
});
