import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createElasticsearchClient, type ElasticsearchClient } from "./client.ts";
import { elasticsearchConnection } from "./elasticsearch-config.ts";
import { setUpElasticsearch } from "./set-up-elasticsearch.ts";

/**
 * Stands for a complete server, which there is none of here: what it is told, it tells again. The
 * real ones, which lack some of it, are met in stack/test/elasticsearch-security.test.ts.
 */
const stored = new Map<string, Record<string, unknown>>();
const MEMBERS: Readonly<Record<string, readonly [string, string]>> = {
  _component_template: ["component_templates", "component_template"],
  _index_template: ["index_templates", "index_template"],
};

let server: Server;
let client: ElasticsearchClient;
let version: string;
let puts: string[];
let isReadOnly: boolean;
let product: Record<string, string>;

beforeEach(async () => {
  stored.clear();
  version = "9.5.3";
  puts = [];
  isReadOnly = false;
  product = { "x-elastic-product": "Elasticsearch" };
  server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const text = Buffer.concat(parts).toString("utf8");
    const [status, answer] = reply(String(request.method), String(request.url), text);
    response.writeHead(status, { "content-type": "application/json", ...product });
    response.end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const urls = [`http://127.0.0.1:${port}`];
  const connection = elasticsearchConnection({ urls, login: undefined, ca: undefined });
  client = createElasticsearchClient(connection);
});

afterEach(async () => {
  await client.close();
  server.close();
});

function reply(method: string, url: string, text: string): readonly [number, unknown] {
  if (url.startsWith("/_nodes")) {
    const modules = [{ name: "data-streams" }, { name: "x-pack-ilm" }, { name: "mapper-extras" }];
    return [200, { nodes: { a: { version, modules } } }];
  }
  if (method === "PUT") {
    if (isReadOnly) return [403, { error: { type: "security_exception", reason: "no right" } }];
    puts.push(url);
    stored.set(url, JSON.parse(text));
    return [200, { acknowledged: true }];
  }
  const found = stored.get(url);
  if (found === undefined) return [404, { error: { type: "not_found", reason: "missing" } }];
  const [, kind = "", ...rest] = url.split("/");
  const name = rest.at(-1) ?? "";
  const [list, member] = MEMBERS[kind] ?? [];
  if (list === undefined || member === undefined) return [200, { [name]: found }];
  return [200, { [list]: [{ name, [member]: found }] }];
}

const outcomesOf = async (
  options: { retentionDays?: number; warn?: (line: string) => void } = {},
) => {
  const { objects } = await setUpElasticsearch({ client, retentionDays: 7, ...options });
  return new Set(objects.map(({ outcome }) => outcome));
};

test("makes what is missing, and nothing before what it names", async () => {
  expect(await outcomesOf()).toEqual(new Set(["created"]));
  const templates = puts.filter((url) => url.includes("template"));
  const kinds = templates.map((url) => url.split("/")[1]);
  expect(kinds).toEqual(kinds.toSorted());
  expect(templates).toContain("/_index_template/logs-clew");
});

test("the second time all is there, and nothing is put but how long streams are kept", async () => {
  await outcomesOf();
  puts = [];
  expect(await outcomesOf()).toEqual(new Set(["present"]));
  expect(puts).toEqual([
    "/_data_stream/logs-clew-default/_lifecycle",
    "/_data_stream/traces-clew-default/_lifecycle",
    "/_data_stream/clew-dead-letters/_lifecycle",
  ]);
  expect(stored.get(puts[0] ?? "")).toEqual({ data_retention: "7d" });
});

test("another retention changes what holds it, and nothing else", async () => {
  await outcomesOf();
  expect(await outcomesOf({ retentionDays: 30 })).toEqual(new Set(["updated", "present"]));
  expect(await outcomesOf({ retentionDays: 30 })).toEqual(new Set(["present"]));
});

test("leaves alone what a newer version made, and takes over what nobody of ours did", async () => {
  await outcomesOf();
  for (const body of stored.values()) body._meta = { version: 99, digest: "another" };
  expect(await outcomesOf()).toEqual(new Set(["newer"]));
  for (const body of stored.values()) body._meta = { description: "by hand" };
  expect(await outcomesOf()).toEqual(new Set(["updated"]));
});

test("before 8.14 a policy says how long records are kept", async () => {
  version = "8.13.4";
  expect(await outcomesOf()).toEqual(new Set(["created"]));
  expect(puts[0]).toBe("/_ilm/policy/clew");
  expect(puts.some((url) => url.endsWith("_lifecycle"))).toBe(false);
  expect(await outcomesOf()).toEqual(new Set(["present"]));
});

test("without the right an indexer goes on with other settings, not with none", async () => {
  const lines: string[] = [];
  const warn = (line: string) => lines.push(line);
  isReadOnly = true;
  await expect(outcomesOf({ warn })).rejects.toMatchObject({
    code: "STORE_REFUSED",
    message: expect.stringMatching(/no right; clew setup makes it/),
  });
  isReadOnly = false;
  await outcomesOf();
  isReadOnly = true;
  expect(await outcomesOf({ retentionDays: 30, warn })).toEqual(new Set(["kept", "present"]));
  expect(lines[0]).toMatch(/made with other settings, and is left so; clew setup changes it$/);
  await expect(outcomesOf({ retentionDays: 30 })).rejects.toMatchObject({ code: "STORE_REFUSED" });
});

test("says what it cannot work with", async () => {
  version = "7.17.29";
  await expect(outcomesOf()).rejects.toThrow("version 7.17.29 is too old, 8 or newer is needed");
  product = {};
  await expect(outcomesOf()).rejects.toThrow("CLEW_ELASTICSEARCH_URL is not Elasticsearch");
});
