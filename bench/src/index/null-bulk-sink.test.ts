import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import { subjectEnvironment } from "../config.ts";
import { BenchProcess } from "../instrumentation/bench-process.ts";
import type { SinkCounts } from "./null-bulk-sink.ts";

const BULK = '{"create":{"_id":"1"}}\n{}\n{"create":{"_id":"2"}}\n{}\n';
const ANSWER_MS = 10_000;

/** What is asked for beside documents. */
const behind = createServer((asked, answer) => {
  answer.writeHead(404, { "x-elastic-product": "Elasticsearch" });
  answer.write(`${asked.method} ${asked.url}\n`);
  asked.pipe(answer);
});
const sink = new BenchProcess({
  program: join(import.meta.dirname, "null-bulk-sink.ts"),
  env: subjectEnvironment({ collectorUrl: "", spoolDir: "" }),
  processor: undefined,
});
let url = "";

beforeAll(async () => {
  await once(behind.listen(0, "127.0.0.1"), "listening");
  await sink.ask("isRunning");
  const elasticsearchUrl = `http://127.0.0.1:${(behind.address() as AddressInfo).port}`;
  url = await sink.ask<string>("url", { elasticsearchUrl });
});
afterAll(async () => {
  await sink.kill();
  behind.closeAllConnections();
  behind.close();
});

it("counts documents however they are packed, each distinct one once", async () => {
  for (const [encoding, body] of [
    ["identity", Buffer.from(BULK)],
    ["gzip", gzipSync(BULK)],
    ["zstd", zstdCompressSync(BULK)],
  ] as const) {
    const headers = { "content-encoding": encoding, "content-type": "application/x-ndjson" };
    const path = "/logs-x/_bulk?filter_path=items.*.status";
    const answer = await ask(path, { method: "POST", headers, body });
    expect(await answer.text()).toBe(
      '{"errors":false,"took":1,"items":[{"create":{"status":201}},{"create":{"status":201}}]}',
    );
  }
  expect(await counts()).toMatchObject({ documents: 6, distinct: 2, withId: 6, requests: 3 });
});

it("refuses what it cannot count, and tells so", async () => {
  const before = await counts();
  const answer = await ask("/_bulk", { method: "POST", body: '{"index":{}}\n{}\n' });
  expect(answer.status).toBe(400);
  expect(await counts()).toEqual({ ...before, unreadable: before.unreadable + 1 });
});

it("hands everything else to the server behind it, and its answer back", async () => {
  const answer = await ask("/_index_template/x?a=b", { method: "PUT", body: "template" });
  expect(answer.status).toBe(404);
  expect(answer.headers.get("x-elastic-product")).toBe("Elasticsearch");
  expect(await answer.text()).toBe("PUT /_index_template/x?a=b\ntemplate");
});

function ask(path: string, init: RequestInit): Promise<Response> {
  return fetch(url + path, { ...init, signal: AbortSignal.timeout(ANSWER_MS) });
}

function counts(): Promise<SinkCounts> {
  return sink.ask<SinkCounts>("counts", "counts");
}
