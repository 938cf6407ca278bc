import { gzipSync, zstdCompressSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { decodeRequest, decodeStatus } from "../../test/otlp-decoder.ts";
import { field, logsRequest, metricsRequest, tracesRequest } from "../../test/otlp-fixtures.ts";
import {
  type Answer,
  JSON_TYPE,
  keepAliveAgent,
  NOW_NS,
  PROTOBUF,
  RawConnection,
  type RunningReceiver,
  type Sent,
  send,
  startReceiver,
} from "../../test/receiver-harness.ts";
import { ERRORS, type ErrorCode } from "../errors.ts";
import { METRIC } from "../wire-names.ts";

const MIB = 1024 * 1024;
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const LOGS = logsRequest([
  { resource: { "service.name": "orders" }, records: [{ body: "first" }, { body: "zweiter 👋" }] },
]);
const TRACES = tracesRequest([
  {
    resource: { "service.name": "orders" },
    spans: [
      { traceId: "ab".repeat(16), spanId: "cd".repeat(8), name: "n", startNs: 1n, endNs: 2n },
    ],
  },
]);
const JSON_LOGS = Buffer.from(
  JSON.stringify({
    resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: "zweiter 👋" } }] }] }],
  }),
);
const INVALID_UTF8 = Buffer.concat([
  LOGS,
  field.bytes(1, field.bytes(2, field.bytes(2, field.bytes(3, Buffer.of(0x41, 0xff))))),
]);

interface BadRow extends Omit<Sent, "port"> {
  readonly name: string;
  readonly code: ErrorCode;
  readonly why: string;
}

let running: RunningReceiver;
afterEach(async () => {
  await running.receiver.stop();
});

describe("requests that are taken", () => {
  beforeEach(async () => {
    running = await startReceiver();
  });

  it.each<[string, Omit<Sent, "port">, Buffer]>([
    ["protobuf", { body: LOGS }, LOGS],
    ["protobuf with gzip", { body: gzipSync(LOGS), headers: { "content-encoding": "gzip" } }, LOGS],
    ["zstd", { body: zstdCompressSync(LOGS), headers: { "content-encoding": "ZSTD" } }, LOGS],
    ["identity", { body: LOGS, headers: { "content-encoding": "identity" } }, LOGS],
    ["chunks", { body: LOGS, chunkBytes: 7 }, LOGS],
    [
      "a parameter",
      { body: LOGS, headers: { "content-type": "Application/X-Protobuf; a=b" } },
      LOGS,
    ],
    ["a query string", { body: LOGS, path: "/v1/logs?source=test" }, LOGS],
    ["spans", { body: TRACES, path: "/v1/traces" }, TRACES],
  ])("%s: published as they are", async (_name, sent, value) => {
    const answer = await send({ port: running.port, ...sent });
    expect([answer.status, answer.body.length]).toEqual([200, 0]);
    expect(answer.headers["content-type"]).toBe("application/x-protobuf");
    const topic = sent.path === "/v1/traces" ? "traces" : "logs";
    const records = topic === "logs" ? 2 : 1;
    const [message] = running.bus.messages;
    expect(message).toMatchObject({
      topic,
      headers: { part: 0, records, receivedNs: NOW_NS, repeat: false },
    });
    expect(message?.headers.requestId).toMatch(UUID_V7);
    expect(Buffer.from(message?.value ?? []).equals(value)).toBe(true);
  });

  it.each([
    ["plain", JSON_LOGS, {}],
    ["gzip", gzipSync(JSON_LOGS), { "content-encoding": "gzip" }],
    ["with a charset", JSON_LOGS, { "content-type": "application/json; charset=utf-8" }],
  ])("JSON, %s: published as protobuf, answered in JSON", async (_name, body, headers) => {
    const answer = await send({ port: running.port, body, headers: { ...JSON_TYPE, ...headers } });
    expect([answer.status, answer.body.toString()]).toEqual([200, "{}"]);
    expect(answer.headers["content-type"]).toBe("application/json");
    const [message] = running.bus.messages;
    expect(message?.headers.records).toBe(1);
    expect(decodeRequest("logs", message?.value ?? Buffer.alloc(0))).toEqual(
      JSON.parse(JSON_LOGS.toString()),
    );
  });

  it("several compressed frames are one body", async () => {
    const halves = [LOGS, LOGS];
    const zstd = Buffer.concat(halves.map((half) => zstdCompressSync(half)));
    const gzip = Buffer.concat(halves.map((half) => gzipSync(half)));
    await send({ port: running.port, body: zstd, headers: { "content-encoding": "zstd" } });
    await send({ port: running.port, body: gzip, headers: { "content-encoding": "gzip" } });
    expect(running.bus.messages.map(({ headers }) => headers.records)).toEqual([4, 4]);
  });

  it.each([
    ["no bytes of protobuf", Buffer.alloc(0), PROTOBUF],
    ["a resource without records", logsRequest([{ resource: {}, records: [] }]), PROTOBUF],
    ["an empty JSON object", Buffer.from("{}"), JSON_TYPE],
  ])("%s: 200, and nothing is published", async (_name, body, headers) => {
    expect((await send({ port: running.port, body, headers })).status).toBe(200);
    expect(running.bus.messages).toEqual([]);
  });

  it.each([
    ["1", false],
    ["2", true],
    ["17", true],
    ["-2", false],
    ["many", false],
  ])("attempt %s: repeat is %s", async (attempt, repeat) => {
    await send({ port: running.port, body: LOGS, headers: { "clew-attempt": attempt } });
    expect(running.bus.messages[0]?.headers.repeat).toBe(repeat);
  });

  it("metrics: none is taken, and the answer says so", async () => {
    const body = metricsRequest("cpu", [1, 2, 3]);
    const path = "/v1/metrics";
    const protobuf = await send({ port: running.port, body, path });
    expect(protobuf.status).toBe(200);
    expect(protobuf.body.subarray(2, 4)).toEqual(Buffer.of(0x08, 3));
    expect(protobuf.body.toString()).toContain("keeps no metrics");
    const json = await send({
      port: running.port,
      path,
      headers: JSON_TYPE,
      body: Buffer.from(
        '{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"gauge":{"dataPoints":[{},{}]}}]}]}]}',
      ),
    });
    expect(JSON.parse(json.body.toString()).partialSuccess.rejectedDataPoints).toBe("2");
    expect((await send({ port: running.port, path })).body.length).toBe(0);
    expect(running.bus.messages).toEqual([]);
  });

  it("one connection serves many requests", async () => {
    const agent = keepAliveAgent();
    for (const body of [LOGS, Buffer.from("bad"), LOGS])
      await send({ port: running.port, body, agent });
    expect(running.bus.messages).toHaveLength(2);
    expect(Object.values(agent.freeSockets).flat()).toHaveLength(1);
    agent.destroy();
  });
});

describe("bad input", () => {
  const limit = MIB;
  beforeEach(async () => {
    const timeouts = { headersMs: 300, bodyMs: 300 };
    running = await startReceiver({ maxRequestBytes: limit, maxInFlightBytes: 4 * MIB }, timeouts);
  });
  afterEach(async () => {
    // Whatever came before: the process lives, and takes what is right.
    const before = running.bus.messages.length;
    expect((await send({ port: running.port, body: LOGS })).status).toBe(200);
    expect(running.bus.messages).toHaveLength(before + 1);
    expect(await inFlightBytes()).toBe(0);
  });

  const gzip = { "content-encoding": "gzip" };
  const zstd = { "content-encoding": "zstd" };
  const isWrong = { code: "REQUEST_MALFORMED" } as const;
  const isTooLarge = { code: "REQUEST_TOO_LARGE", why: `larger than ${limit} bytes` } as const;
  const isUnknownType = { code: "MEDIA_TYPE_UNSUPPORTED" } as const;
  const ZSTD_LOGS = zstdCompressSync(LOGS);
  const emptyFrames = Buffer.concat(Array(1001).fill(zstdCompressSync("")));
  const brokenGzip = gzipSync(LOGS).fill(0xff, 12, 20);
  const rows: BadRow[] = [
    {
      name: "truncated gzip",
      ...isWrong,
      why: "unexpected end",
      body: gzipSync(LOGS).subarray(0, -5),
      headers: gzip,
    },
    { name: "corrupt gzip", ...isWrong, why: "(gzip)", body: brokenGzip, headers: gzip },
    { name: "gzip that is none", ...isWrong, why: "(gzip)", body: LOGS, headers: gzip },
    { name: "gzip of nothing", ...isWrong, why: "(gzip)", headers: gzip },
    {
      name: "truncated zstd",
      ...isWrong,
      why: "unexpected end",
      body: ZSTD_LOGS.subarray(0, -1),
      headers: zstd,
    },
    { name: "zstd that is none", ...isWrong, why: "(zstd)", body: LOGS, headers: zstd },
    {
      name: "garbage after zstd",
      ...isWrong,
      why: "(zstd)",
      body: Buffer.concat([ZSTD_LOGS, LOGS]),
      headers: zstd,
    },
    {
      name: "too many zstd frames",
      ...isWrong,
      why: "1000 frames",
      body: emptyFrames,
      headers: zstd,
    },
    { name: "a body over the limit", ...isTooLarge, body: Buffer.alloc(limit + 1) },
    { name: "65 MiB", ...isTooLarge, body: Buffer.alloc(65 * MIB) },
    { name: "65 MiB in chunks", ...isTooLarge, body: Buffer.alloc(65 * MIB), chunkBytes: MIB },
    {
      name: "gzip just over the limit",
      ...isTooLarge,
      body: gzipSync(Buffer.alloc(limit + 1)),
      headers: gzip,
    },
    {
      name: "a wrong path",
      code: "NOT_FOUND",
      why: "/v1/logs, /v1/traces",
      path: "/v1/logs/",
      body: LOGS,
    },
    { name: "a wrong method", code: "METHOD_NOT_ALLOWED", why: "POST", method: "PUT", body: LOGS },
    {
      name: "an unknown encoding",
      ...isUnknownType,
      why: '"br"',
      body: LOGS,
      headers: { "content-encoding": "br" },
    },
    {
      name: "two encodings",
      ...isUnknownType,
      why: "gzip, zstd",
      body: LOGS,
      headers: { "content-encoding": "gzip, gzip" },
    },
  ];
  describe.each([
    ["protobuf", PROTOBUF],
    ["JSON", JSON_TYPE],
  ])("as %s", (_format, type) => {
    it.each(rows)("$name: $code", async ({ code, why, ...sent }) => {
      const headers = { ...type, ...sent.headers };
      const answer = await send({ port: running.port, ...sent, headers });
      expectRefusal(answer, code, why);
      expect(answer.headers["content-type"]).toBe(type["content-type"]);
      expect(running.bus.messages).toEqual([]);
    });
  });

  it.each([
    ["truncated", LOGS.subarray(0, -3), "longer than its message"],
    ["corrupt", Buffer.alloc(90, 0xee), "out of range"],
    ["with invalid UTF-8 in one of its records", INVALID_UTF8, "a string is not UTF-8"],
  ])("protobuf, %s: 400 for the whole request", async (_name, body, why) => {
    expectRefusal(await send({ port: running.port, body }), "REQUEST_MALFORMED", why);
    expect(running.bus.messages).toEqual([]);
  });

  it.each<[string, string, string]>([
    ["nothing", "", "$: must be an object, not nothing"],
    ["the wrong shape", '{"resourceLogs":{"a":1}}', "$.resourceLogs: must be an array"],
    [
      "128-bit nanoseconds",
      record('"timeUnixNano":"340282366920938463463374607431768211455"'),
      "64 bits",
    ],
    ["no JSON", "hello", "a value is expected"],
    ["a million brackets", "[".repeat(1_000_000), "$: must be an object, not an array"],
    ["a million unknown brackets", `{"a":${"[".repeat(1_000_000)}`, "nested deeper"],
  ])("JSON of %s: 400", async (_name, json, why) => {
    const answer = await send({ port: running.port, body: Buffer.from(json), headers: JSON_TYPE });
    expectRefusal(answer, "REQUEST_MALFORMED", why);
  });

  it("JSON with unknown fields is taken", async () => {
    const body = Buffer.from(record('"nieuw":{"x":[1]},"severityText":"INFO"'));
    expect((await send({ port: running.port, body, headers: JSON_TYPE })).status).toBe(200);
  });

  it.each(["text/plain", "application/grpc", "", "application/x-protobufs"])(
    "content type %j: 415, told in JSON",
    async (type) => {
      const answer = await send({
        port: running.port,
        body: LOGS,
        headers: { "content-type": type },
      });
      expectRefusal(answer, "MEDIA_TYPE_UNSUPPORTED", "application/json");
      expect(answer.headers["accept-encoding"]).toBe("gzip, zstd");
    },
  );

  it("a GET of any path is 404, or 405 with what is allowed", async () => {
    for (const path of ["/", "/v1", "/v1/profiles"]) {
      expectRefusal(await send({ port: running.port, method: "GET", path }), "NOT_FOUND", "POST");
    }
    const answer = await send({ port: running.port, method: "GET" });
    expectRefusal(answer, "METHOD_NOT_ALLOWED", "POST only");
    expect(answer.headers.allow).toBe("POST");
  });

  it.each([
    ["gzip", Buffer.concat(Array(15).fill(gzipSync(Buffer.alloc(64 * MIB))))],
    ["zstd", zstdCompressSync(Buffer.alloc(256 * MIB))],
  ])("a %s bomb inflates to the limit and no further", async (encoding, bomb) => {
    const headers = { "content-encoding": encoding };
    const before = process.memoryUsage().rss;
    let peak = 0;
    const sample = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage().rss);
    }, 1);
    const bombs = Array.from({ length: 8 }, () =>
      send({ port: running.port, body: bomb, headers }),
    );
    const answers = await Promise.all(bombs);
    clearInterval(sample);
    for (const { status } of answers) expect([413, 503]).toContain(status);
    expect(answers.map(({ status }) => status)).toContain(413);
    expect(Math.max(peak, process.memoryUsage().rss) - before).toBeLessThan(64 * MIB);
  });

  it("half a body, then silence: 503, and the connection is closed", async () => {
    const connection = new RawConnection(running.port);
    connection.write(`${head("content-length: 100")}half`);
    const text = await connection.ended();
    expect(text).toMatch(/^HTTP\/1\.1 503 .*connection: close.*did not arrive within 300 ms/is);
    expect(text).toContain("application/x-protobuf");
  });

  it("half a head, then silence: 408, and the connection is closed", async () => {
    const connection = new RawConnection(running.port);
    connection.write("POST /v1/logs HTTP/1.1\r\nHost: a\r\nX-Half");
    expect(await connection.ended()).toMatch(/^HTTP\/1\.1 408 /);
  });

  it("a header of 100 KiB: 431, and the connection is closed", async () => {
    const connection = new RawConnection(running.port);
    connection.write(head(`x-long: ${"a".repeat(100 * 1024)}`));
    expect(await connection.ended()).toMatch(/^HTTP\/1\.1 431 /);
  });

  it("a body without end: 413, and the connection is closed", async () => {
    const connection = new RawConnection(running.port);
    connection.write(head("transfer-encoding: chunked"));
    const chunk = Buffer.concat([
      Buffer.from("100000\r\n"),
      Buffer.alloc(MIB),
      Buffer.from("\r\n"),
    ]);
    const pour = (): void => {
      while (!connection.socket.destroyed && connection.socket.write(chunk));
    };
    connection.socket.on("drain", pour);
    pour();
    expect(await connection.ended()).toMatch(/^HTTP\/1\.1 413 /);
  });

  it("a client that goes away within its body leaves nothing behind", async () => {
    const connection = new RawConnection(running.port);
    connection.write(`${head("content-length: 100")}half`);
    await vi.waitFor(async () => expect(await inFlightBytes()).toBeGreaterThan(0));
    connection.socket.destroy();
    await vi.waitFor(async () => expect(await inFlightBytes()).toBe(0));
  });

  it("the good requests beside bad ones are kept", async () => {
    const bad = [LOGS.subarray(1), gzipSync(Buffer.alloc(2 * MIB)), Buffer.alloc(2 * MIB)];
    const sent = Array.from({ length: 60 }, (_, i) => {
      const body = i % 2 === 0 ? LOGS : (bad[i % 3] as Buffer);
      const headers = i % 2 === 1 && i % 3 === 1 ? gzip : undefined;
      return send({ port: running.port, body, ...(headers && { headers }) });
    });
    const statuses = (await Promise.all(sent)).map(({ status }) => status);
    const good = statuses.filter((_, i) => i % 2 === 0);
    expect(running.bus.messages).toHaveLength(good.filter((status) => status === 200).length);
    expect(good.filter((status) => status === 200).length).toBeGreaterThan(0);
    for (const status of good) expect([200, 503]).toContain(status);
    expect(statuses.filter((_, i) => i % 2 === 1)).not.toContain(200);
  });
});

function expectRefusal(answer: Answer, code: ErrorCode, why: string): void {
  const { status, rpcCode } = ERRORS[code];
  expect(answer.status).toBe(status);
  const isJson = answer.headers["content-type"] === "application/json";
  const body = isJson ? JSON.parse(answer.body.toString()) : decodeStatus(answer.body);
  expect(body).toMatchObject({ code: rpcCode, message: expect.stringContaining(why) });
  expect(body.message).toMatch(/^cannot /);
}

async function inFlightBytes(): Promise<number> {
  const metric = await running.registry.getSingleMetric(METRIC.inFlightBytes)?.get();
  return metric?.values[0]?.value ?? Number.NaN;
}

/** The head of a protobuf request with one more header line. */
function head(line: string): string {
  const lines = ["POST /v1/logs HTTP/1.1", "Host: a", "Content-Type: application/x-protobuf", line];
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** A JSON request with one record of these members. */
function record(members: string): string {
  return `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{${members}}]}]}]}`;
}
