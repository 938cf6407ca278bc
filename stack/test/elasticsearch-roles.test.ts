import { describe, expect, test } from "vitest";
import { requireJava } from "../backends/required-programs.ts";
import { documentsOf, doubles } from "./elasticsearch-documents.ts";
import { ElasticsearchSuite } from "./elasticsearch-suite.ts";
import {
  isReady,
  LogLoad,
  logsOf,
  metricOf,
  sendLogs,
  textsOf,
  until,
} from "./kafka-indexing-bus.ts";
import type { RealCollector } from "./real-collector.ts";

const TEST_MS = 120_000;

describe.skipIf(!requireJava("records in Elasticsearch"))("records in Elasticsearch", () => {
  const suite = new ElasticsearchSuite();

  test(
    "come through one process, by the embedded bus, also after it was killed",
    async () => {
      const collector = await suite.startCollector();
      expect(await isReady(collector)).toBe(true);
      const load = new LogLoad("embedded");
      load.start(collector.otlpUrl);
      await until(async () => expect(load.acknowledged.length).toBeGreaterThan(300));
      await collector.halt("SIGKILL");
      await load.stop();
      await collector.resume();
      await expectStored(collector, load);
    },
    TEST_MS,
  );

  test(
    "come through one process, by Kafka",
    async () => {
      const bus = await suite.openBus();
      const collector = await suite.startCollector({}, bus);
      expect(await sendLogs(collector.otlpUrl, logsOf("whole", ["one", "two"]))).toBe(200);
      await until(async () => expect(await textsOf(collector, "whole")).toEqual(["one", "two"]));
      expect(await metricOf(collector, 'clew_index_records_total{kind="log"}')).toBe(2);
      expect(await metricOf(collector, "clew_elasticsearch_bulk_requests_total")).toBe(1);
      expect(await metricOf(collector, "clew_elasticsearch_bulk_repeats_total")).toBe(0);
    },
    TEST_MS,
  );

  test(
    "come through three processes, each with a role of its own",
    async () => {
      const bus = await suite.openBus(2);
      const [ingest, index, query] = (await Promise.all(
        ["ingest", "index", "query"].map((role) => suite.startCollector({ CLEW_ROLES: role }, bus)),
      )) as [RealCollector, RealCollector, RealCollector];
      expect(await sendLogs(ingest.otlpUrl, logsOf("split", ["one", "two"]))).toBe(200);
      await until(async () => expect(await textsOf(query, "split")).toEqual(["one", "two"]));
      expect(await partsOf(ingest)).toEqual(["bus"]);
      expect(await partsOf(index)).toEqual(["bus", "indexer", "store"]);
      expect(await partsOf(query)).toEqual(["store"]);
      await until(async () => expect(await metricOf(query, "clew_bus_lag_records")).toBe(0));
      const page = await fetch(`${index.queryUrl}/`);
      expect(page.status).toBe(404);
      expect(await page.text()).toContain("CLEW_ROLES=index");
    },
    TEST_MS,
  );

  test(
    "that cannot be read become dead letters, by way of Kafka",
    async () => {
      const bus = await suite.openBus();
      const roles = ["ingest,index", "query"].map((role) =>
        suite.startCollector({ CLEW_ROLES: role }, bus),
      );
      const [writing, query] = (await Promise.all(roles)) as [RealCollector, RealCollector];
      await bus.publish("logs", [Buffer.from("no protobuf")]);
      await until(async () => {
        const answer = await fetch(`${query.queryUrl}/api/v1/dead-letters`);
        expect(await answer.text()).toContain('"undecodable"');
      });
      expect(await bus.endOf("dead-letters")).toBe(1);
      expect((await bus.offsets()).committed).toBe(1);
      expect(await metricOf(writing, 'clew_dead_letters_total{reason="undecodable"}')).toBe(1);
    },
    TEST_MS,
  );

  test(
    "are heard of by a live tail of another process",
    async () => {
      const bus = await suite.openBus();
      const query = await suite.startCollector({ CLEW_ROLES: "query" }, bus);
      const others = await suite.startCollector({ CLEW_ROLES: "ingest,index" }, bus);
      const leave = new AbortController();
      const tail = await fetch(`${query.queryUrl}/api/v1/logs/tail`, { signal: leave.signal });
      const heard = hear(tail);
      expect(await sendLogs(others.otlpUrl, logsOf("tail", ["heard of"]))).toBe(200);
      expect(await heard).toContain("heard of");
      leave.abort();
    },
    TEST_MS,
  );

  async function expectStored(collector: RealCollector, load: LogLoad): Promise<void> {
    await until(async () => expect(await metricOf(collector, "clew_bus_lag_records")).toBe(0));
    const documents = await documentsOf(suite.elasticsearch, "logs-clew-default");
    const texts = documents.map(({ _source }) => _source.message);
    expect(doubles(texts)).toEqual([]);
    const stored = new Set(texts);
    expect(load.acknowledged.filter((text) => !stored.has(text))).toEqual([]);
    expect(await textsOf(collector, "embedded")).toHaveLength(texts.length);
  }
});

async function partsOf(collector: RealCollector): Promise<string[]> {
  const response = await fetch(`${collector.queryUrl}/readyz`);
  const { parts } = (await response.json()) as { parts: { name: string; isReady: boolean }[] };
  expect(parts.every(({ isReady }) => isReady)).toBe(true);
  return parts.map(({ name }) => name);
}

/** The tail's text up to its first record. */
async function hear({ body }: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const part of body ?? []) {
    text += decoder.decode(part as Uint8Array, { stream: true });
    if (text.includes("data: {")) break;
  }
  return text;
}
