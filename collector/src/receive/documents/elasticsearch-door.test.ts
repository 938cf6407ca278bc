import { gzipSync, zstdCompressSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  keptRecords,
  type Lines,
  sendBulk,
  startDocuments,
} from "../../../test/documents-harness.ts";
import { RawConnection, type RunningReceiver, send } from "../../../test/receiver-harness.ts";
import { ClewError, type ErrorCode } from "../../errors.ts";
import { METRIC } from "../../wire-names.ts";
import { DOCUMENT_BYTES_MAX } from "./bulk-records.ts";
import { BULK_OPERATIONS_MAX } from "./bulk-request.ts";

const TOKENS = ["first-token", "second-token"].map((token) => ({ name: token, token }));

const MIB = 1024 * 1024;
const ONE = bulk(
  { create: { _index: "logs-app" } },
  { message: "first", transaction_id: "order-1" },
);

let running: RunningReceiver;
beforeEach(async () => {
  running = await startDocuments();
});
afterEach(async () => {
  await running.receiver.stop();
});

function bulk(...lines: readonly (object | string)[]): string {
  return lines
    .map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`)
    .join("");
}

/** Starts anew with other settings. */
async function restart(...settings: Parameters<typeof startDocuments>): Promise<void> {
  await running.receiver.stop();
  running = await startDocuments(...settings);
}

interface Item {
  readonly _index: string;
  readonly _id: string;
  readonly status: number;
  readonly error?: { readonly type: string; readonly reason: string };
}

/** The answer to a request that was taken. */
async function take(
  lines: Lines,
  more: Parameters<typeof sendBulk>[2] = {},
): Promise<{ errors: boolean; items: Record<string, Item>[] }> {
  const answer = await sendBulk(running.port, lines, more);
  expect(answer.status, answer.body.toString()).toBe(200);
  return JSON.parse(answer.body.toString());
}

describe("what is taken", () => {
  test("each document is a record, and each item tells its id", async () => {
    const { errors, items } = await take(
      bulk(
        { create: { _index: "logs-app" } },
        { message: "first", "service.name": "orders", transaction_id: "order-1" },
        { index: { _index: "logs-pay", _id: "mine", _type: "_doc", pipeline: "p" } },
        { message: "second", log: { level: "error" }, "@timestamp": "2026-01-31T12:00:00Z" },
      ),
    );
    expect(errors).toBe(false);
    const records = keptRecords(running.bus);
    const [first, second] = records;
    expect(items).toEqual([
      {
        create: { _index: "logs-app", _id: first?.id, _version: 1, result: "created", status: 201 },
      },
      { index: { _index: "logs-pay", _id: "mine", _version: 1, result: "created", status: 201 } },
    ]);
    expect(first).toMatchObject({ text: "first", service: "orders", transactionId: "order-1" });
    expect(first?.attributes["elasticsearch.index"]).toBe("logs-app");
    expect(second).toMatchObject({ id: "logs-pay/mine", text: "second", severityNumber: 17 });
    expect(second?.timeNs).toBe(1_769_860_800_000_000_000n);
    expect(running.bus.messages).toHaveLength(1);
  });

  test("the index of the path, CR LF, blank lines between, PUT", async () => {
    const first = `{"index":{}}\r\n{"message":"a"}\r\n\n\r\n`;
    const lines = `${first}{"index":{"_index":null}}\n{"message":"b"}\n`;
    const { items } = await take(lines, { path: "/logs%2Dapp/_bulk?refresh=true", method: "PUT" });
    expect(items.map(({ index }) => index?._index)).toEqual(["logs-app", "logs-app"]);
    expect(keptRecords(running.bus).map(({ text }) => text)).toEqual(["a", "b"]);
  });

  test.each<[string, (body: Buffer) => Buffer]>([
    ["gzip", gzipSync],
    ["zstd", zstdCompressSync],
  ])("%s", async (encoding, compress) => {
    const headers = { "content-encoding": encoding };
    await take(compress(Buffer.from(ONE)), { headers });
    expect(keptRecords(running.bus)).toHaveLength(1);
  });

  test.each([
    ["application/json", undefined, "application/json"],
    ["application/json; charset=utf-8", "*/*", "application/json"],
    [
      "application/vnd.elasticsearch+x-ndjson; compatible-with=9",
      "application/vnd.elasticsearch+json; compatible-with=9,text/plain",
      "application/vnd.elasticsearch+json;compatible-with=9",
    ],
    [
      "application/vnd.elasticsearch+x-ndjson;compatible-with=8",
      undefined,
      "application/vnd.elasticsearch+json;compatible-with=8",
    ],
  ])("content type %s, accept %s: %s", async (type, accept, want) => {
    const headers = { "content-type": type, ...(accept === undefined ? {} : { accept }) };
    const answer = await sendBulk(running.port, ONE, { headers });
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({
      "content-type": want,
      "x-elastic-product": "Elasticsearch",
    });
  });

  test("more documents than one slice, of many indexes, keep their order", async () => {
    const lines = Array.from({ length: 3000 }, (_, i) =>
      bulk(
        { create: { _index: `logs-${i % 3}` } },
        { message: `line ${i}`, "service.name": `s${i % 2}` },
      ),
    );
    const { items } = await take(lines.join(""));
    const textById = new Map(keptRecords(running.bus).map(({ id, text }) => [id, text]));
    const texts = items.map(({ create }) => textById.get(create?._id ?? ""));
    expect(texts).toEqual(Array.from({ length: 3000 }, (_, i) => `line ${i}`));
  });

  test("a document sent again under its id is the same record, and may repeat", async () => {
    const line = bulk({ create: { _index: "logs", _id: "a" } }, { message: "m" });
    await take(line);
    await take(line);
    const [first, second] = keptRecords(running.bus);
    expect(first?.id).toBe(second?.id);
    expect(second?.mayRepeat).toBe(true);
    const long = bulk({ create: { _index: "logs", _id: "x".repeat(500) } }, { message: "m" });
    await take(
      long + bulk({ create: { _index: "logs2", _id: "x".repeat(500) } }, { message: "m" }),
    );
    const [, , third, fourth] = keptRecords(running.bus);
    expect(third?.id).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(third?.id).not.toBe(fourth?.id);
  });

  test("a record uid of the document's own is its id", async () => {
    const line = bulk({ create: { _index: "a" } }, { "log.record.uid": "run-7", message: "m" });
    const { items } = await take(line);
    expect(items[0]?.create?._id).toBe("run-7");
    expect(keptRecords(running.bus)[0]?.id).toBe("run-7");
  });

  test.each([
    [
      "errors,items.*.error,items.*.status",
      { errors: false, items: [{ create: { status: 201 } }] },
    ],
    [
      "items.*._index,items.*.status,items.*.error.type,items.*.error.reason",
      { items: [{ create: { _index: "logs-app", status: 201 } }] },
    ],
    ["items.*.error", {}],
    ["-took,-items", { errors: false }],
  ])("filter_path=%s", async (filter, want) => {
    expect(await take(ONE, { path: `/_bulk?filter_path=${filter}` })).toEqual(want);
  });
});

describe("what is refused, item by item", () => {
  test.each<[string, string, number, string]>([
    ["a text", `{"create":{"_index":"a"}}\n"hello"\n`, 400, "document_parsing_exception"],
    ["a list", `{"create":{"_index":"a"}}\n[1]\n`, 400, "document_parsing_exception"],
    ["an empty line", `{"create":{"_index":"a"}}\n\n`, 400, "document_parsing_exception"],
    ["JSON cut off", `{"index":{"_index":"a"}}\n{"a":\n`, 400, "document_parsing_exception"],
    [
      "an update",
      `{"update":{"_index":"a","_id":"1"}}\n{"doc":{}}\n`,
      400,
      "illegal_argument_exception",
    ],
    ["a deletion", `{"delete":{"_index":"a","_id":"1"}}\n`, 400, "illegal_argument_exception"],
    [
      "a document too large",
      `{"index":{"_index":"a"}}\n{"a":"${"x".repeat(DOCUMENT_BYTES_MAX)}"}\n`,
      413,
      "content_too_long_exception",
    ],
  ])("%s, and those beside it are kept", async (_name, line, status, type) => {
    const { errors, items } = await take(ONE + line + ONE);
    const found = items.map((item) => Object.values(item)[0]);
    expect(errors).toBe(true);
    expect(found.map((item) => item?.status)).toEqual([201, status, 201]);
    expect(found[1]?.error).toEqual({ type, reason: expect.stringMatching(/\w+ \w+/) });
    expect(keptRecords(running.bus).map(({ text }) => text)).toEqual(["first", "first"]);
  });

  test("where none can be kept nothing is published", async () => {
    const { errors } = await take(`{"delete":{"_index":"a","_id":"1"}}\n`);
    expect([errors, running.bus.messages]).toEqual([true, []]);
  });
});

describe("documents that are odd are kept", () => {
  const deep = `{"a":${"[".repeat(200_000)}${"]".repeat(200_000)}}`;
  test.each<[string, Lines, object]>([
    [
      "bytes that are no UTF-8",
      Buffer.from([...Buffer.from('{"message":"a'), 0xff, ...Buffer.from('"}\n')]),
      { text: "aÿ" },
    ],
    ["nested beyond all measure", `${deep}\n`, { text: expect.stringContaining('{"a":[[[') }],
    ["a hostile key", `{"__proto__":{"a":1},"constructor":"x","message":"m"}\n`, { text: "m" }],
    ["a key twice: the last counts", `{"message":"a","message":"b"}\n`, { text: "b" }],
    [
      "a number beyond 2^53",
      `{"transaction_id":1234567890123456789,"message":"m"}\n`,
      { transactionId: "1234567890123456789" },
    ],
    ["a number beyond all", `{"n":1e999,"message":"m"}\n`, { text: "m" }],
    ["an empty object", "{}\n", { text: "{}" }],
    ["half a surrogate pair", `{"message":"a\\ud800"}\n`, { text: "a\ufffd" }],
  ])("%s", async (_name, document, want) => {
    const body = Buffer.concat([Buffer.from(`{"create":{"_index":"a"}}\n`), Buffer.from(document)]);
    const { items } = await take(body);
    expect(items[0]?.create?.status).toBe(201);
    expect(keptRecords(running.bus)).toEqual([expect.objectContaining(want)]);
  });
});

describe("what is refused whole", () => {
  const document = `{"message":"m"}\n`;
  test.each<[string, Lines, string]>([
    ["an empty body", "", "request body is required"],
    ["no final newline", ONE.trimEnd(), "must be terminated by a newline"],
    ["blank lines only", "\n\n", "no requests added"],
    [
      "an action without its document",
      `${ONE}{"index":{"_index":"a"}}\n`,
      "in line [3] is missing",
    ],
    ["an action cut off", `{"index":{"_ind\n${document}`, "Malformed action/metadata line [1]"],
    ["a document in place of an action", `${ONE}${document}`, "Malformed action/metadata line [3]"],
    ["an unknown action", `{"upsert":{"_index":"a"}}\n${document}`, "expected field [create]"],
    ["an action that is a list", `[]\n${document}`, "expected START_OBJECT"],
    ["an action without a name", `{}\n${document}`, "expected FIELD_NAME"],
    ["two actions in one", `{"index":{},"create":{}}\n${document}`, "expected FIELD_NAME"],
    ["an action that is a text", `{"index":"a"}\n${document}`, "expected START_OBJECT"],
    ["a hostile action", `{"__proto__":{"_index":"a"}}\n${document}`, "expected field [create]"],
    ["no index", `{"index":{}}\n${document}`, "index is missing"],
    ["an index that is a list", `{"index":{"_index":[]}}\n${document}`, "[_index]"],
    [
      "an id beyond 512 bytes",
      `{"index":{"_index":"a","_id":"${"é".repeat(257)}"}}\n${document}`,
      "[_id]",
    ],
    ["bytes", Buffer.from([0xff, 0x00, 0x0a]), "Malformed action/metadata line [1]"],
  ])("%s", async (_name, lines, why) => {
    const answer = await sendBulk(running.port, lines);
    expect(answer.status).toBe(400);
    const { error, status } = JSON.parse(answer.body.toString());
    expect(status).toBe(400);
    expect(error).toMatchObject({
      type: "illegal_argument_exception",
      reason: error.root_cause[0].reason,
    });
    expect(error.reason).toContain(why);
    expect(answer.headers["x-elastic-product"]).toBe("Elasticsearch");
    expect(running.bus.messages).toEqual([]);
  });

  test("too many operations, however short", async () => {
    const lines = `{"index":{"_index":"a"}}\n{}\n`.repeat(BULK_OPERATIONS_MAX + 1);
    const answer = await sendBulk(running.port, lines);
    expect(answer.status).toBe(413);
    expect(running.bus.messages).toEqual([]);
  });

  test.each<
    [string, (lines: Buffer) => Parameters<typeof sendBulk>[2] & { body: Uint8Array }, number]
  >([
    [
      "larger than may be sent",
      (lines) => ({ body: Buffer.concat([lines, Buffer.alloc(MIB, 0x0a)]) }),
      413,
    ],
    [
      "a bomb",
      () => ({
        body: gzipSync(Buffer.alloc(64 * MIB, 0x0a)),
        headers: { "content-encoding": "gzip" },
      }),
      413,
    ],
    [
      "gzip that is cut off",
      (lines) => ({
        body: gzipSync(lines).subarray(0, 20),
        headers: { "content-encoding": "gzip" },
      }),
      400,
    ],
    ["another encoding", (lines) => ({ body: lines, headers: { "content-encoding": "br" } }), 415],
    [
      "another content type",
      (lines) => ({ body: lines, headers: { "content-type": "text/csv" } }),
      406,
    ],
    ["another method", (lines) => ({ body: lines, method: "PATCH" }), 405],
  ])("%s", async (_name, sent, status) => {
    await restart({ maxRequestBytes: MIB });
    const { body, ...more } = sent(Buffer.from(ONE));
    const answer = await sendBulk(running.port, body, more);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body.toString())).toMatchObject({
      status,
      error: { type: expect.any(String) },
    });
    expect(running.bus.messages).toEqual([]);
    if (status === 405) expect(answer.headers.allow).toBe("POST, PUT");
    const probe = await send({ port: running.port, path: "/_license", method: "PUT" });
    expect([probe.status, probe.headers.allow]).toEqual([405, "GET, HEAD"]);
  });

  test("a body that does not come in time", async () => {
    await restart({}, { bodyMs: 50 });
    const raw = new RawConnection(running.port);
    const head = "Host: a\r\nContent-Type: application/json\r\nContent-Length: 10";
    raw.write(`POST /_bulk HTTP/1.1\r\n${head}\r\n\r\n{`);
    expect(await raw.ended()).toContain("408 Request Timeout");
  });
});

describe("durability and overload", () => {
  test("no answer before the bus has the documents", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const publish = vi.fn(() => promise);
    running.bus.fault = publish;
    let isAnswered = false;
    const answer = take(ONE).finally(() => {
      isAnswered = true;
    });
    await vi.waitFor(() => expect(publish).toHaveBeenCalledOnce());
    expect((await send({ port: running.port, path: "/", method: "GET" })).status).toBe(200);
    expect(isAnswered).toBe(false);
    resolve();
    expect((await answer).errors).toBe(false);
  });

  test.each<[ErrorCode, number, string]>([
    ["BUS_OVERLOADED", 429, "es_rejected_execution_exception"],
    ["BUS_UNAVAILABLE", 429, "es_rejected_execution_exception"],
    ["BUS_STOPPED", 429, "es_rejected_execution_exception"],
    ["BUS_DISK_FULL", 429, "cluster_block_exception"],
    ["BUS_MESSAGE_TOO_LARGE", 413, "content_too_long_exception"],
    ["INTERNAL", 500, "exception"],
  ])("%s: the whole request %i", async (code, status, type) => {
    running.bus.fault = () => Promise.reject(new ClewError(code, "cannot: for a reason"));
    const answer = await sendBulk(running.port, ONE);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body.toString())).toEqual({
      error: {
        root_cause: [{ type, reason: "cannot: for a reason" }],
        type,
        reason: "cannot: for a reason",
      },
      status,
    });
    expect(answer.headers["retry-after"]).toBe(status === 429 ? "1" : undefined);
    const text = await running.registry.metrics();
    expect(text).toContain(`${METRIC.refusedRequests}{code="${code}"} 1`);
    running.bus.fault = async () => undefined;
    expect((await take(ONE)).errors).toBe(false);
  });

  test("a client that would take any answer for a success gets none", async () => {
    running.bus.fault = () => Promise.reject(new ClewError("BUS_UNAVAILABLE", "cannot: away"));
    const headers = { accept: "*/*", "content-type": "application/json; charset=utf-8" };
    await expect(sendBulk(running.port, ONE, { headers })).rejects.toThrow("socket hang up");
    const named = { ...headers, "user-agent": "curl/8" };
    expect((await sendBulk(running.port, ONE, { headers: named })).status).toBe(429);
  });

  test("bytes in flight are bounded, and given back", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    await restart({ maxRequestBytes: MIB, maxInFlightBytes: MIB });
    const publish = vi.fn(() => promise);
    running.bus.fault = publish;
    const large = bulk({ create: { _index: "a" } }, { message: "x".repeat(700_000) });
    const first = take(large);
    await vi.waitFor(() => expect(publish).toHaveBeenCalledOnce());
    const refused = await sendBulk(running.port, large);
    expect([refused.status, refused.headers["retry-after"]]).toEqual([429, "1"]);
    resolve();
    await first;
    await vi.waitFor(async () => {
      expect(await running.registry.metrics()).toContain(`${METRIC.inFlightBytes} 0\n`);
    });
    expect((await take(large)).errors).toBe(false);
  });
});

describe("tokens", () => {
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  test.each<[string | undefined, number]>([
    ["Bearer first-token", 200],
    [`ApiKey ${base64("any-id:second-token")}`, 200],
    [`Basic ${base64("elastic:first-token")}`, 200],
    [`basic ${base64(":first-token")}`, 200],
    [undefined, 401],
    [`ApiKey ${base64("first-token:any")}`, 401],
    [`ApiKey ${base64("first-token")}`, 401],
    [`Basic ${base64("first-token:")}`, 401],
    [`Basic ${base64("elastic:first-toke")}`, 401],
    ["ApiKey first-token", 401],
    ["Digest first-token", 401],
    ["Bearer", 401],
  ])("authorization %s: %i", async (authorization, status) => {
    await restart({ ingestTokens: TOKENS });
    const headers = authorization === undefined ? {} : { authorization };
    const answer = await sendBulk(running.port, ONE, { headers });
    expect(answer.status).toBe(status);
    const probe = await send({ port: running.port, path: "/", method: "GET", headers });
    expect(probe.status).toBe(status);
    expect(running.bus.messages).toHaveLength(status === 200 ? 1 : 0);
    if (status === 200) return;
    expect(answer.headers["www-authenticate"]).toContain("Basic");
    expect(JSON.parse(answer.body.toString()).error.type).toBe("security_exception");
    expect(answer.body.toString()).not.toContain("first");
  });
});
