/**
 * Shippers that cannot be had here: the requests that their source code and documentation say they
 * send, one after the other, and what each needs of the answers. None of them was run.
 */
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { keptRecords, startDocuments } from "./documents-harness.ts";
import { type RunningReceiver, send } from "./receiver-harness.ts";

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

let running: RunningReceiver;
let sent: readonly (readonly [status: number, body: string])[];
beforeEach(async () => {
  running = await startDocuments();
  sent = [];
});
afterEach(async () => {
  await running.receiver.stop();
});

/** Sends them in turn, all with the same headers; answers the JSON of each, or its text. */
async function replay(headers: Record<string, string>, requests: readonly Asked[]) {
  const answers: unknown[] = [];
  for (const { method, path, body = "", headers: own } of requests) {
    const answer = await send({
      port: running.port,
      method,
      path,
      body: Buffer.from(body),
      headers: { ...headers, ...own },
    });
    const text = answer.body.toString();
    sent = [...sent, [answer.status, text]];
    expect(answer.headers["x-elastic-product"]).toBe("Elasticsearch");
    answers.push(text.startsWith("{") ? JSON.parse(text) : text);
  }
  return answers;
}

function lines(...values: readonly object[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join("");
}

const AT = "2026-01-31T12:00:00.000Z";

describe("Filebeat 9 (libbeat: esleg/eslegclient, template, idxmgmt/lifecycle, licenser)", () => {
  const headers = {
    accept: "application/json",
    "user-agent": "Elastic-filebeat/9.1.0 (linux; amd64)",
    authorization: `ApiKey ${Buffer.from("id:any").toString("base64")}`,
  };
  const json = { "content-type": "application/json; charset=UTF-8" };

  test("connects, finds its policy and template, and ships", async () => {
    const event = {
      "@timestamp": AT,
      message: `{"level":"error","msg":"declined","transaction_id":"order-1"}`,
      host: { name: "node-7" },
      log: { offset: 0, file: { path: "/var/log/pay.log" } },
      input: { type: "filestream" },
      agent: { type: "filebeat", version: "9.1.0" },
      ecs: { version: "8.0.0" },
    };
    const filter =
      "errors%2Citems.index.status%2Citems.index.error%2Citems.create.status%2Citems.create.error";
    const [root, license, , , stream, bulk] = await replay(headers, [
      { method: "GET", path: "/" },
      { method: "GET", path: "/_license?human=false" },
      { method: "GET", path: "/_ilm/policy/filebeat" },
      { method: "HEAD", path: "/_index_template/filebeat-9.1.0" },
      { method: "GET", path: "/_data_stream/filebeat-9.1.0" },
      {
        method: "POST",
        path: `/_bulk?filter_path=${filter}`,
        headers: { ...json, "content-encoding": "gzip" },
        body: gzipSync(lines({ create: { _index: "filebeat-9.1.0" } }, event)),
      },
    ]);
    expect(sent.map(([status]) => status)).toEqual([200, 200, 200, 200, 200, 200]);
    expect(root).toMatchObject({ version: { number: expect.stringMatching(/^9\./) } });
    expect(license).toMatchObject({ license: { type: "basic", status: "active" } });
    expect(stream).toMatchObject({ data_streams: [{ name: "filebeat-9.1.0" }] });
    expect(bulk).toEqual({ errors: false, items: [{ create: { status: 201 } }] });
    const [record] = keptRecords(running.bus);
    expect(record).toMatchObject({
      text: "declined",
      severityNumber: 17,
      transactionId: "order-1",
      resourceAttributes: { "host.name": "node-7" },
    });
    expect(record?.attributes).toMatchObject({ log: { file: event.log.file } });
  });

  test("may be told to write its template and pipelines all the same", async () => {
    const put = { method: "PUT", headers: json, body: "{}" };
    const answers = await replay(headers, [
      { ...put, path: "/_ilm/policy/filebeat" },
      { ...put, path: "/_index_template/filebeat-9.1.0" },
      { ...put, path: "/_data_stream/filebeat-9.1.0" },
      { ...put, path: "/_ingest/pipeline/filebeat-9.1.0-nginx-access-pipeline" },
    ]);
    expect(answers).toEqual(Array(4).fill({ acknowledged: true }));
  });
});

describe("Fluent Bit 4 (plugins/out_es/es.c)", () => {
  const headers = { "user-agent": "Fluent-Bit", "content-type": "application/x-ndjson" };

  test("ships without asking first, and finds the success where its buffer is short", async () => {
    const kubernetes = { pod_name: "pay-1", container_name: "pay", host: "node-7" };
    const event = { "@timestamp": AT, log: "order-2 declined\n", stream: "stderr", kubernetes };
    await replay(headers, [
      {
        method: "POST",
        path: "/_bulk",
        body: lines({ create: { _index: "fluent-bit" } }, event),
        headers: { authorization: `Basic ${Buffer.from("user:any").toString("base64")}` },
      },
    ]);
    const [[status, text] = [0, ""]] = sent;
    expect(status).toBe(200);
    expect(text).toContain(`"errors":false,"items":[`);
    expect(keptRecords(running.bus)[0]).toMatchObject({ text: "order-2 declined", service: "pay" });
  });

  test("with Generate_ID a chunk that it sends again is stored once", async () => {
    const line = lines({ create: { _index: "fluent-bit", _id: "6f1e-1" } }, { log: "once" });
    const request = { method: "POST", path: "/_bulk", body: line };
    await replay(headers, [request, request]);
    const [first, second] = keptRecords(running.bus);
    expect([first?.id, first?.mayRepeat]).toEqual([second?.id, true]);
  });
});

describe("Logstash (logstash-output-elasticsearch: pool.rb, http_client.rb, ilm.rb)", () => {
  const headers = { "content-type": "application/json", "user-agent": "logstash/9.1.0" };

  test("checks product, license and template, makes its alias, and ships", async () => {
    const event = { "@timestamp": AT, "@version": "1", message: "declined", host: { name: "h" } };
    const [root, license, , , policy, , put, , bulk] = await replay(headers, [
      { method: "GET", path: "/" },
      { method: "GET", path: "/_license" },
      { method: "HEAD", path: "/_index_template/ecs-logstash" },
      { method: "PUT", path: "/_index_template/ecs-logstash", body: "{}" },
      { method: "GET", path: "/_ilm/policy/logstash-policy" },
      { method: "HEAD", path: "/logstash" },
      { method: "PUT", path: "/%3Clogstash-%7Bnow%2Fd%7D-000001%3E", body: "{}" },
      { method: "HEAD", path: "/" },
      {
        method: "POST",
        path: "/_bulk?filter_path=errors,items.*.error,items.*.status",
        body: gzipSync(lines({ create: { _index: "logs-generic-default", routing: null } }, event)),
        headers: { "content-encoding": "gzip", "x-elastic-event-count": "1" },
      },
    ]);
    expect(sent.map(([status]) => status)).toEqual(Array(9).fill(200));
    expect(root).toMatchObject({
      version: { number: expect.any(String), build_flavor: "default" },
    });
    expect(license).toMatchObject({ license: { status: "active" } });
    expect(policy).toMatchObject({ "logstash-policy": {} });
    expect(put).toMatchObject({ index: "<logstash-{now/d}-000001>", acknowledged: true });
    expect(bulk).toEqual({ errors: false, items: [{ create: { status: 201 } }] });
    expect(keptRecords(running.bus)[0]).toMatchObject({ text: "declined" });
  });

  test("sniffs the address it has", async () => {
    const [found] = await replay(headers, [{ method: "GET", path: "/_nodes/http" }]);
    const { nodes } = found as { nodes: Record<string, { http: { publish_address: string } }> };
    expect(Object.values(nodes).map(({ http }) => http.publish_address)).toEqual([
      `127.0.0.1:${running.port}`,
    ]);
  });
});

describe("Vector (src/sinks/elasticsearch: common.rs, service.rs, retry.rs)", () => {
  const headers = { "user-agent": "Vector/0.50.0 (x86_64-unknown-linux-gnu)" };

  test("asks for version and health, and ships", async () => {
    const event = { timestamp: AT, message: "declined", source_type: "file", host: "h" };
    await replay(headers, [
      { method: "GET", path: "/" },
      { method: "GET", path: "/_cluster/health" },
      {
        method: "POST",
        path: "/_bulk?timeout=60s",
        body: lines({ index: { _index: "vector-2026.01.31" } }, event),
        headers: { "content-type": "application/x-ndjson", "accept-encoding": "gzip" },
      },
    ]);
    expect(sent.map(([status]) => status)).toEqual([200, 200, 200]);
    expect(sent[2]?.[1]).not.toContain(`"errors":true`);
    const [record] = keptRecords(running.bus);
    expect(record).toMatchObject({ text: "declined", timeNs: 1_769_860_800_000_000_000n });
    expect(record?.attributes).toMatchObject({ "elasticsearch.index": "vector-2026.01.31" });
  });
});
