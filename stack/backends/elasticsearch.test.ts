import { request } from "node:https";
import { json } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Elasticsearch, startElasticsearch } from "./elasticsearch.ts";
import { ELASTICSEARCH_RELEASES } from "./elasticsearch-home.ts";
import { requireElasticsearch } from "./elasticsearch-java.ts";

/** With the download of an empty cache. */
const FIRST_START_MS = 600_000;
const RESTART_MS = 240_000;
const ANSWER_MS = 30_000;
const FROZEN_MS = 300;
const DOCUMENTS = 500;

const isPossible = requireElasticsearch("the real Elasticsearch", [8, 9]);

describe.skipIf(!isPossible).each([8, 9] as const)("a real Elasticsearch %i", (major) => {
  let elasticsearch: Elasticsearch;
  beforeAll(async () => {
    elasticsearch = await startElasticsearch({ major });
  }, FIRST_START_MS);
  afterAll(() => elasticsearch?.stop());

  test("is of the version that is pinned", async () => {
    const nodes = "/_nodes?filter_path=nodes.*.version";
    const answer = (await get(elasticsearch, nodes)) as { nodes: Record<string, unknown> };
    const { version } = ELASTICSEARCH_RELEASES[major];
    expect(Object.values(answer.nodes)).toEqual([{ version }]);
  });

  test(
    "keeps its documents and its address over a restart, a loss of power and a frost",
    async () => {
      const { url } = elasticsearch;
      await create(elasticsearch, "restarted");
      await elasticsearch.restart();
      await create(elasticsearch, "crashed");
      await elasticsearch.crash();
      await expect(fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) })).rejects.toThrow();
      await elasticsearch.restart();
      elasticsearch.freeze();
      await expect(fetch(url, { signal: AbortSignal.timeout(FROZEN_MS) })).rejects.toThrow();
      elasticsearch.thaw();
      expect(elasticsearch.url).toBe(url);
      await fetch(`${url}/_refresh`, { method: "POST", signal: AbortSignal.timeout(ANSWER_MS) });
      expect(await get(elasticsearch, "/restarted/_count?filter_path=count")).toEqual({
        count: DOCUMENTS,
      });
      expect(await get(elasticsearch, "/crashed/_count?filter_path=count")).toEqual({
        count: DOCUMENTS,
      });
    },
    RESTART_MS,
  );

  test(
    "takes other settings with a restart",
    async () => {
      elasticsearch.configure({ "action.auto_create_index": "false" });
      await elasticsearch.restart();
      const [item] = await bulk(elasticsearch, "not-made", 1);
      expect(item).toMatchObject({ create: { status: 404 } });
    },
    RESTART_MS,
  );
});

describe.skipIf(!isPossible)("a real Elasticsearch with security on", () => {
  const writer = {
    name: "writer",
    password: "only-for-this-test",
    privileges: { indices: [{ names: ["logs-*"], privileges: ["create_doc", "auto_configure"] }] },
  };
  let elasticsearch: Elasticsearch;
  beforeAll(async () => {
    elasticsearch = await startElasticsearch({ security: "tls", accounts: [writer] });
  }, FIRST_START_MS);
  afterAll(() => elasticsearch?.stop());

  test("asks who is there, over TLS", async () => {
    expect(elasticsearch.url).toMatch(/^https:/);
    expect(await secureStatus("GET", "/_cluster/health", {})).toBe(401);
    expect(await secureStatus("GET", "/_cluster/health", elasticsearch.headers)).toBe(200);
  });

  test("lets an account do what its privileges name and no more", async () => {
    const basic = Buffer.from(`${writer.name}:${writer.password}`).toString("base64");
    const headers = { authorization: `Basic ${basic}` };
    expect(await secureStatus("PUT", "/logs-a/_create/1", headers)).toBe(201);
    expect(await secureStatus("PUT", "/other/_create/1", headers)).toBe(403);
    expect(await secureStatus("GET", "/logs-a/_search", headers)).toBe(403);
  });

  function secureStatus(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<number | undefined> {
    const signal = AbortSignal.timeout(ANSWER_MS);
    const options = { method, signal, ca: elasticsearch.ca, agent: false };
    const sent = { ...headers, "content-type": "application/json" };
    return new Promise((resolve, reject) => {
      const asked = request(elasticsearch.url + path, { ...options, headers: sent }, (answer) => {
        json(answer).then(() => resolve(answer.statusCode), reject);
      });
      asked.once("error", reject).end(method === "PUT" ? "{}" : undefined);
    });
  }
});

test.skipIf(!isPossible)(
  "a setting that is not known is told, and nothing is left running",
  async () => {
    const settings = { "no.such.setting": "1" };
    await expect(startElasticsearch({ settings })).rejects.toThrow(
      /cannot run Elasticsearch: it ended \(exit code 1\): .*known setting \[no\.such\.setting\]/s,
    );
  },
  FIRST_START_MS,
);

async function create(elasticsearch: Elasticsearch, index: string): Promise<void> {
  const items = await bulk(elasticsearch, index, DOCUMENTS);
  const created = items.filter((item) => item.create.status === 201);
  expect(created).toHaveLength(DOCUMENTS);
}

async function bulk(
  { url }: Elasticsearch,
  index: string,
  count: number,
): Promise<readonly { create: { status: number } }[]> {
  const lines = Array.from({ length: count }, (_, id) => `{"create":{"_id":"${id}"}}\n{"n":${id}}`);
  const answer = await fetch(`${url}/${index}/_bulk`, {
    method: "POST",
    headers: { "content-type": "application/x-ndjson" },
    body: `${lines.join("\n")}\n`,
    signal: AbortSignal.timeout(ANSWER_MS),
  });
  return ((await answer.json()) as { items: { create: { status: number } }[] }).items;
}

async function get({ url }: Elasticsearch, path: string): Promise<unknown> {
  const answer = await fetch(url + path, { signal: AbortSignal.timeout(ANSWER_MS) });
  return answer.json();
}
