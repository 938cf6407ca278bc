/** Elasticsearch's own client for JavaScript against the `_bulk` door of `clew serve`. */
import { Client } from "@elastic/elasticsearch";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { RealCollector } from "./real-collector.ts";

const TOKEN = "token-of-a-shipper";
const START_MS = 60_000;
const WAIT = { timeout: 30_000, interval: 50 };
const DOCUMENTS = 5000;

let collector: RealCollector;
beforeAll(async () => {
  collector = await RealCollector.start({ CLEW_INGEST_TOKENS: TOKEN });
}, START_MS);
afterAll(async () => {
  await collector.stop();
});

function client(auth: NonNullable<ConstructorParameters<typeof Client>[0]>["auth"]): Client {
  return new Client({ node: collector.otlpUrl, ...(auth === undefined ? {} : { auth }) });
}

function documentsOf(id: string, count = DOCUMENTS) {
  return Array.from({ length: count }, (_, number) => ({
    "@timestamp": new Date(Date.UTC(2026, 0, 31) + number).toISOString(),
    message: `document ${number}`,
    "log.level": number % 10 === 0 ? "error" : "info",
    service: { name: "orders" },
    labels: { transaction_id: id },
    number,
  }));
}

async function logsOf(id: string): Promise<number> {
  return (await collector.api.findTransaction(id))?.counts.logs ?? 0;
}

test("helpers.bulk ships every document once, compressed, in many requests at once", async () => {
  const elastic = new Client({
    node: collector.otlpUrl,
    auth: { bearer: TOKEN },
    compression: true,
  });
  const onDrop = vi.fn();
  const stats = await elastic.helpers.bulk({
    datasource: documentsOf("client-bulk"),
    onDocument: () => ({ create: { _index: "logs-orders-default" } }),
    flushBytes: 100_000,
    concurrency: 4,
    onDrop,
  });
  expect(stats).toMatchObject({ total: DOCUMENTS, successful: DOCUMENTS, failed: 0, retry: 0 });
  expect(onDrop).not.toHaveBeenCalled();
  await vi.waitFor(async () => expect(await logsOf("client-bulk")).toBe(DOCUMENTS), WAIT);
  const records = await collector.api.recordsOf("client-bulk");
  expect(new Set(records.map(({ message }) => message)).size).toBe(DOCUMENTS);
  expect(records[0]).toMatchObject({
    service: "orders",
    message: "document 0",
    attributes: { "elasticsearch.index": "logs-orders-default", number: 0 },
  });
});

test("documents with ids are kept once, however often they are shipped", async () => {
  const elastic = client({ bearer: TOKEN });
  const documents = documentsOf("client-ids", 50);
  for (let attempt = 0; attempt < 3; attempt++) {
    const { failed } = await elastic.helpers.bulk({
      datasource: documents,
      onDocument: ({ number }) => ({
        create: { _index: "logs-orders-default", _id: `d${number}` },
      }),
    });
    expect(failed).toBe(0);
  }
  const after = documentsOf("client-ids-after", 1);
  await elastic.bulk({ index: "logs-orders-default", operations: [{ create: {} }, ...after] });
  await vi.waitFor(async () => expect(await logsOf("client-ids-after")).toBe(1), WAIT);
  expect(await logsOf("client-ids")).toBe(50);
});

test("what is refused is told item by item", async () => {
  const { errors, items } = await client({ bearer: TOKEN }).bulk({
    operations: [
      { index: { _index: "logs", _id: "kept" } },
      { message: "kept", transaction_id: "client-items" },
      { delete: { _index: "logs", _id: "kept" } },
      { update: { _index: "logs", _id: "kept" } },
      { doc: { message: "changed" } },
    ],
  });
  expect(errors).toBe(true);
  const [index, deleted, updated] = items;
  expect(index?.index).toEqual({
    _index: "logs",
    _id: "kept",
    _version: 1,
    result: "created",
    status: 201,
  });
  expect([deleted?.delete?.status, updated?.update?.status]).toEqual([400, 400]);
  await vi.waitFor(async () => expect(await logsOf("client-items")).toBe(1), WAIT);
});

test.each<[string, Parameters<typeof client>[0]]>([
  ["a bearer token", { bearer: TOKEN }],
  ["an API key", { apiKey: { id: "any", api_key: TOKEN } }],
  ["a password", { username: "elastic", password: TOKEN }],
])("connects with %s", async (_name, auth) => {
  const elastic = client(auth);
  expect(await elastic.ping()).toBe(true);
  expect((await elastic.info()).tagline).toBe("You Know, for Search");
  expect(await elastic.indices.exists({ index: "logs-orders-default" })).toBe(true);
  const put = await elastic.indices.putIndexTemplate({ name: "orders", index_patterns: ["o-*"] });
  expect(put.acknowledged).toBe(true);
});

test("is refused without a token", async () => {
  const operations = [{ create: { _index: "logs" } }, { message: "m" }];
  await expect(client(undefined).bulk({ operations })).rejects.toMatchObject({ statusCode: 401 });
});
