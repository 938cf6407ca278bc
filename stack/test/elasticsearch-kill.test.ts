import { describe, expect, test } from "vitest";
import { requireJava } from "../backends/required-programs.ts";
import { documentsOf, doubles } from "./elasticsearch-documents.ts";
import { ElasticsearchSuite } from "./elasticsearch-suite.ts";
import { isReady, LogLoad, metricOf, until } from "./kafka-indexing-bus.ts";
import type { RealCollector } from "./real-collector.ts";

const TEST_MS = 240_000;
const STREAM = "logs-clew-default";

describe.skipIf(!requireJava("Elasticsearch that fails"))("Elasticsearch that fails", () => {
  const suite = new ElasticsearchSuite();
  const { elasticsearch } = suite;

  test.each<[string, () => Promise<void>, () => Promise<void>]>([
    ["killed", () => elasticsearch.crash(), () => elasticsearch.restart()],
    ["frozen", async () => elasticsearch.freeze(), async () => elasticsearch.thaw()],
    ["stopped", async () => elasticsearch.kill("SIGTERM"), () => elasticsearch.restart()],
  ])(
    "%s under load: nothing is lost or doubled, and it is said why nothing moves",
    async (how, fail, mend) => {
      const collector = await suite.startCollector();
      const load = new LogLoad(how, () => isReady(collector));
      load.start(collector.otlpUrl, 1);
      await until(async () => expect(await storedLogs(collector)).toBeGreaterThan(300));
      await fail();
      // A request that was under way is given up by then; a frozen server carries it out later.
      await until(async () => expect(await whyNotReady(collector)).toMatch(/indexer: .*Elastics/));
      const before = load.acknowledged.length;
      await until(async () => expect(load.acknowledged.length).toBeGreaterThan(before + 100));
      await mend();
      await until(async () => expect(await isReady(collector)).toBe(true));
      await load.stop();
      await expectEachOnce(collector, load, how);
    },
    TEST_MS,
  );

  test(
    "away when the collector starts: records wait, and nothing is written before the templates",
    async () => {
      await elasticsearch.crash();
      const collector = await suite.startCollector();
      const load = new LogLoad("away", () => isReady(collector));
      load.start(collector.otlpUrl, 1);
      await until(async () => expect(load.acknowledged.length).toBeGreaterThan(200));
      expect(await whyNotReady(collector)).toMatch(/does not answer/);
      await elasticsearch.restart();
      await until(async () => expect(await isReady(collector)).toBe(true));
      await load.stop();
      await expectEachOnce(collector, load, "away");
    },
    TEST_MS,
  );

  async function expectEachOnce(
    collector: RealCollector,
    load: LogLoad,
    transactionId: string,
  ): Promise<void> {
    await until(async () => expect(await metricOf(collector, "clew_bus_lag_records")).toBe(0));
    const documents = await documentsOf(elasticsearch, STREAM);
    expect(doubles(documents.map(({ _id }) => _id))).toEqual([]);
    const stored = documents.map(({ _source }) => _source.message);
    const ours = stored.filter((text) => text.startsWith(`${transactionId} `));
    expect(ours.toSorted()).toEqual(load.acknowledged.toSorted());
  }
});

function storedLogs(collector: RealCollector): Promise<number> {
  return metricOf(collector, 'clew_index_records_total{kind="log"}');
}

async function whyNotReady(collector: RealCollector): Promise<string> {
  const response = await fetch(`${collector.queryUrl}/readyz`);
  expect(response.status).toBe(503);
  return response.text();
}
