import { expect, test } from "vitest";
import { answerProbe, ELASTICSEARCH_VERSION } from "./answer-probe.ts";

function ask(method: string, path: string) {
  const parts = path.split("/").filter((part) => part !== "");
  return answerProbe({ method, parts, address: "127.0.0.1:4318" });
}

test("says what it is compatible with", () => {
  expect(ask("GET", "/")).toEqual({
    status: 200,
    body: expect.objectContaining({
      tagline: "You Know, for Search",
      version: expect.objectContaining({ number: ELASTICSEARCH_VERSION, build_flavor: "default" }),
    }),
  });
  expect(ELASTICSEARCH_VERSION).toMatch(/^[89]\.\d+\.\d+$/);
});

test.each<[string, unknown]>([
  ["/_license", { license: expect.objectContaining({ status: "active", type: "basic" }) }],
  ["/_xpack", { license: expect.objectContaining({ status: "active" }), features: {} }],
  ["/_cat/health", expect.stringContaining("green")],
  ["/_cat/templates/logstash", ""],
  ["/_cluster/health", expect.objectContaining({ status: "green", timed_out: false })],
  ["/_nodes/http", { nodes: { clew: { http: { publish_address: "127.0.0.1:4318" } } } }],
  ["/_nodes/_all/http", { nodes: { clew: { roles: expect.arrayContaining(["ingest"]) } } }],
  ["/_ilm/policy/filebeat", { filebeat: { version: 1, policy: { phases: {} } } }],
  ["/_template/t", { t: { index_patterns: [] } }],
  ["/_index_template/t", { index_templates: [{ name: "t", index_template: {} }] }],
  ["/_component_template/t", { component_templates: [{ name: "t", component_template: {} }] }],
  ["/_ingest/pipeline/p", { p: { processors: [] } }],
  ["/_alias/a", { a: { aliases: {} } }],
  ["/_data_stream/d", { data_streams: [{ name: "d", timestamp_field: { name: "@timestamp" } }] }],
])("GET %s", (path, want) => {
  const { status, body } = ask("GET", path);
  expect(status).toBe(200);
  if (typeof body === "string") expect(body).toEqual(want);
  else expect(body).toMatchObject(want as object);
  expect(ask("HEAD", path)).toEqual({ status: 200, body: undefined });
});

test.each([
  "/_ilm/policy/p",
  "/_template/t",
  "/_index_template/t",
  "/_component_template/t",
  "/_ingest/pipeline/p",
  "/_data_stream/d",
  "/_alias/a",
])("PUT %s is acknowledged", (path) => {
  expect(ask("PUT", path)).toEqual({ status: 200, body: { acknowledged: true } });
});

test("every index exists, and may be created", () => {
  expect(ask("HEAD", "/logs")).toEqual({ status: 200, body: undefined });
  expect(ask("PUT", "/logs").body).toEqual({
    acknowledged: true,
    shards_acknowledged: true,
    index: "logs",
  });
});

test.each([
  ["GET", "/_search", "NOT_FOUND"],
  ["GET", "/_cluster/state", "NOT_FOUND"],
  ["GET", "/__proto__", "NOT_FOUND"],
  ["GET", "/_", "NOT_FOUND"],
  ["GET", "/logs", "NOT_FOUND"],
  ["POST", "/logs", "NOT_FOUND"],
  ["DELETE", "/logs", "NOT_FOUND"],
  ["DELETE", "/_template/t", "METHOD_NOT_ALLOWED"],
  ["PUT", "/_license", "METHOD_NOT_ALLOWED"],
  ["POST", "/", "METHOD_NOT_ALLOWED"],
])("%s %s is refused: %s", (method, path, code) => {
  expect(() => ask(method, path)).toThrow(expect.objectContaining({ code }));
});
