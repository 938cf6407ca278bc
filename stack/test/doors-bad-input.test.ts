/**
 * Every fault over every door, against `clew serve`: what the sender is told, that nothing but what
 * was acknowledged is stored, and that the door goes on to take what is right.
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect as connectHttp2, constants } from "node:http2";
import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { field, logsRequest } from "../../collector/test/otlp-fixtures.ts";
import { RawConnection, send } from "../../collector/test/receiver-harness.ts";
import { callGrpc, callOn, GRPC_PATH, grpcFrame } from "./grpc-call.ts";
import { holdAllBytes, MIB, ONE_MIB_EACH } from "./held-bytes.ts";
import { RealCollector } from "./real-collector.ts";

interface HttpDoor {
  readonly name: string;
  readonly path: string;
  readonly type: string;
  /** One log record. */
  readonly good: Buffer;
  /** What differs from other doors in how a refusal is told. */
  readonly wrongType: number;
  readonly overload: number;
}

/** A request, and what is expected of it. */
interface Fault {
  readonly name: string;
  readonly body?: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: string;
  readonly path?: string;
  readonly status: number;
  readonly told: RegExp;
  /** Records that the answer acknowledged. */
  readonly kept?: number;
}

const GZIP = { "content-encoding": "gzip" };
const NOT_UTF8 = Buffer.of(0x41, 0xff, 0xfe, 0x42);
const DEPTH = 100_000;
const RESETS = 20;
const BRACKETS = "[".repeat(DEPTH) + "]".repeat(DEPTH);
const STORED_MS = 5_000;

const PROTOBUF_LOGS = logsRequest([{ resource: {}, records: [{ body: "good" }] }]);
const JSON_LOGS = Buffer.from(
  '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"good"}}]}]}]}',
);
const PROTOBUF: HttpDoor = {
  name: "OTLP/HTTP, protobuf",
  ...{ path: "/v1/logs", type: "application/x-protobuf", good: PROTOBUF_LOGS },
  ...{ wrongType: 415, overload: 503 },
};
const JSON_DOOR: HttpDoor = {
  ...{ name: "OTLP/HTTP, JSON", path: "/v1/logs", type: "application/json", good: JSON_LOGS },
  ...{ wrongType: 415, overload: 503 },
};
const BULK: HttpDoor = {
  name: "_bulk",
  ...{ path: "/orders/_bulk", type: "application/x-ndjson", good: bulk('{"message":"good"}') },
  ...{ wrongType: 406, overload: 429 },
};
const NDJSON: HttpDoor = {
  name: "NDJSON",
  ...{ path: "/ingest/ndjson", type: "application/x-ndjson" },
  ...{ good: Buffer.from('{"message":"good"}\n'), wrongType: 415, overload: 503 },
};

/** What no door lets through, whatever the body is. */
function faultsOfAll({ good, wrongType }: HttpDoor): readonly Fault[] {
  const tooLarge = { status: 413, told: /larger than 1048576 bytes/ };
  return [
    {
      name: "a type that is none of its own",
      ...typed("image/png"),
      status: wrongType,
      told: /type/,
    },
    { name: "no type", ...typed(""), status: wrongType, told: /type/ },
    {
      name: "an unknown encoding",
      headers: { "content-encoding": "br" },
      ...{ status: 415, told: /encoding/ },
    },
    {
      ...{ name: "gzip that is cut off", body: gzipSync(good).subarray(0, -9), headers: GZIP },
      ...{ status: 400, told: /gzip/ },
    },
    { name: "gzip that is none", headers: GZIP, status: 400, told: /gzip/ },
    { name: "a body over the limit", body: Buffer.alloc(MIB + 1, "x"), ...tooLarge },
    {
      name: "gzip over the limit only when unpacked",
      ...{ body: gzipSync(Buffer.alloc(MIB + 1, "x")), headers: GZIP, ...tooLarge },
    },
    {
      name: "a bomb of 256 MiB",
      ...{ body: gzipSync(Buffer.alloc(256 * MIB)), headers: GZIP, ...tooLarge },
    },
    { name: "a wrong method", method: "DELETE", status: 405, told: /POST/ },
  ];
}

const bad = { status: 400, told: /cannot/ };
const FAULTS: readonly (readonly [HttpDoor, readonly Fault[]])[] = [
  [
    PROTOBUF,
    [
      { name: "nothing", body: Buffer.alloc(0), status: 200, told: /^$/, kept: 0 },
      { name: "a message that is cut off", body: PROTOBUF_LOGS.subarray(0, -2), ...bad },
      { name: "noise", body: Buffer.alloc(64, 0xee), ...bad },
      { name: "JSON", body: JSON_LOGS, ...bad },
      { name: "text that is not UTF-8", body: protobufLog(NOT_UTF8), ...bad },
      { name: "a thousand lists in one another", body: nestedProtobuf(), ...bad },
      { name: "a path that is not there", path: "/v1/log/s", status: 404, told: /v1/ },
    ],
  ],
  [
    JSON_DOOR,
    [
      { name: "nothing", body: Buffer.alloc(0), ...bad },
      { name: "an object that is cut off", body: JSON_LOGS.subarray(0, -2), ...bad },
      { name: "protobuf", body: PROTOBUF_LOGS, ...bad },
      { name: "text that is not UTF-8", body: replaced(JSON_LOGS, NOT_UTF8), ...bad },
      { name: "a hundred thousand lists in one another", body: Buffer.from(BRACKETS), ...bad },
      {
        name: "a hundred thousand lists in a field",
        body: Buffer.from(`{"resourceLogs":${BRACKETS}}`),
        ...bad,
      },
      { name: "records where a number should be", body: Buffer.from('{"resourceLogs":7}'), ...bad },
    ],
  ],
  [
    BULK,
    [
      { name: "nothing", body: Buffer.alloc(0), ...bad },
      { name: "no newline at the end", body: BULK.good.subarray(0, -1), ...bad },
      { name: "an action that is no JSON", body: Buffer.from("hello\n{}\n"), ...bad },
      { name: "an action that is cut off", body: Buffer.from('{"create":{\n{}\n'), ...bad },
      {
        name: "a document that is no JSON, beside one that is",
        body: Buffer.concat([bulk("hello"), BULK.good]),
        ...{ status: 200, told: /"errors":true.*"status":400.*"status":201/, kept: 1 },
      },
      {
        name: "a document that is not UTF-8, which is kept as well as it can be",
        body: Buffer.concat([replaced(BULK.good, NOT_UTF8), BULK.good]),
        ...{ status: 200, told: /"errors":false/, kept: 2 },
      },
      {
        name: "a document of a hundred thousand lists, which is kept",
        body: Buffer.concat([bulk(`{"message":${BRACKETS}}`), BULK.good]),
        ...{ status: 200, told: /"errors":false/, kept: 2 },
      },
    ],
  ],
  [
    NDJSON,
    [
      { name: "nothing", body: Buffer.alloc(0), status: 200, told: /"accepted":0/, kept: 0 },
      { name: "empty lines", body: Buffer.from("\n\n\r\n"), status: 200, told: /:0/, kept: 0 },
      {
        name: "an object that is cut off, which is text",
        body: NDJSON.good.subarray(0, -4),
        ...{ status: 200, told: /"accepted":1/, kept: 1 },
      },
      {
        name: "text that is not UTF-8",
        body: Buffer.concat([NOT_UTF8, Buffer.from("\n")]),
        ...{ status: 200, told: /"accepted":1/, kept: 1 },
      },
      {
        name: "a hundred thousand lists in one another",
        body: Buffer.from(`{"message":${BRACKETS}}\n`),
        ...{ status: 200, told: /"accepted":1/, kept: 1 },
      },
    ],
  ],
];

let collector: RealCollector;
/** What the store must hold: what it held before the test, and what was acknowledged in it. */
let acknowledged = 0;
beforeEach(async () => {
  acknowledged = (await collector.api.logs()).length;
});
beforeAll(async () => {
  collector = await RealCollector.start({ ...ONE_MIB_EACH, CLEW_SYSLOG_PORT: "0" });
});
afterAll(() => collector?.stop());

describe.each(FAULTS.map(([door, own]) => ({ ...door, door, own })))("$name", ({ door, own }) => {
  test.each([...faultsOfAll(door), ...own])("$name: $status", async (fault) => {
    const { name: _name, status, told, kept = 0, ...sent } = fault;
    const answer = await askHttp(door, sent);
    expect(answer).toMatchObject({ status });
    expect(answer.body.toString()).toMatch(told);
    acknowledged += kept;
    await expectGoesOn(door);
  });

  test(`overload: ${door.overload}, and when to come again`, async () => {
    const full = await holdAllBytes(collector);
    const answer = await askHttp(door, {});
    await full.release();
    expect(answer).toMatchObject({ status: door.overload, headers: { "retry-after": "1" } });
    await expectGoesOn(door);
  });

  test("a sender that dies within its body: nothing is kept", async () => {
    const connection = new RawConnection(portOf(collector.otlpUrl));
    const head = `Host: a\r\nContent-Type: ${door.type}\r\nContent-Length: 1000`;
    connection.write(`POST ${door.path} HTTP/1.1\r\n${head}\r\n\r\n`);
    connection.write(door.good);
    await once(connection.socket, "connect");
    connection.socket.end();
    await connection.ended();
    await expectGoesOn(door);
  });
});

describe("OTLP/gRPC", () => {
  const frame = grpcFrame(PROTOBUF_LOGS, false);
  const broken = gzipSync(PROTOBUF_LOGS).subarray(0, -9);
  const gzip = "gzip" as const;
  const INVALID = { code: 3, told: /cannot/ };
  const TOO_LARGE = { code: 8, told: /larger than 1048576 bytes/ };

  test.each([
    { name: "nothing", message: Buffer.alloc(0), code: 0, told: /^(?:OK)?$/ },
    { name: "a message that is cut off", message: PROTOBUF_LOGS.subarray(0, -2), ...INVALID },
    { name: "a frame that is cut off", frame: frame.subarray(0, -2), ...INVALID },
    { name: "no frame", frame: Buffer.alloc(0), ...INVALID },
    { name: "two messages in one call", frame: Buffer.concat([frame, frame]), ...INVALID },
    { name: "noise", message: Buffer.alloc(64, 0xee), ...INVALID },
    { name: "text that is not UTF-8", message: protobufLog(NOT_UTF8), ...INVALID },
    { name: "a thousand lists in one another", message: nestedProtobuf(), ...INVALID },
    { name: "gzip that is cut off", message: broken, encoding: gzip, ...INVALID },
    { name: "gzip that is none", message: PROTOBUF_LOGS, encoding: gzip, ...INVALID },
    {
      name: "an unknown encoding",
      ...{ frame: grpcFrame(PROTOBUF_LOGS, true), headers: { "grpc-encoding": "br" } },
      ...{ code: 12, told: /br/ },
    },
    { name: "a message over the limit", message: Buffer.alloc(MIB + 1), ...TOO_LARGE },
    {
      name: "a length of 4 GiB, and no message",
      ...{ frame: Buffer.of(0, 0xff, 0xff, 0xff, 0xff), ...TOO_LARGE },
    },
    {
      name: "a bomb of 256 MiB",
      ...{ message: gzipSync(Buffer.alloc(256 * MIB)), encoding: gzip, ...TOO_LARGE },
    },
    { name: "a method that is not there", path: `${GRPC_PATH.logs}s`, code: 12, told: /\w{3}/ },
    { name: "a service that is not there", path: "/a.B/Export", code: 12, told: /\w{3}/ },
  ])("$name: $code", async ({ name: _name, code, told, ...sent }) => {
    const answer = await askGrpc(sent);
    expect(answer.code).toBe(code);
    expect(answer.message).toMatch(told);
    await expectGoesOn(PROTOBUF);
    await expectGrpcGoesOn();
  });

  test("overload: 14", async () => {
    const full = await holdAllBytes(collector);
    const { code, message } = await askGrpc({});
    await full.release();
    expect([code, message]).toEqual([14, expect.stringContaining("in flight")]);
    await expectGrpcGoesOn();
  });

  test("a sender that dies within its message: nothing is kept", async () => {
    const session = connectHttp2(collector.otlpGrpcUrl);
    const headers = { "content-type": "application/grpc", te: "trailers" };
    const stream = session.request({
      ":method": "POST",
      ":path": GRPC_PATH.logs,
      ...headers,
    });
    stream.on("error", () => stream.close());
    stream.write(frame.subarray(0, -1));
    await once(stream, "ready");
    session.destroy();
    await expectGrpcGoesOn();
  });

  test("a call that is reset: nothing is kept, and others on its connection go on", async () => {
    const session = connectHttp2(collector.otlpGrpcUrl);
    const headers = { "content-type": "application/grpc", te: "trailers" };
    for (let call = 0; call < RESETS; call++) {
      const stream = session.request({ ":method": "POST", ":path": GRPC_PATH.logs, ...headers });
      stream.on("error", () => stream.close());
      const written = Promise.withResolvers<void>();
      stream.write(frame.subarray(0, -1), () => written.resolve());
      await written.promise;
      const closed = once(stream, "close");
      stream.close(constants.NGHTTP2_CANCEL);
      await closed;
    }
    const request = { url: collector.otlpGrpcUrl, path: GRPC_PATH.logs, message: PROTOBUF_LOGS };
    expect((await callOn(session, request)).code).toBe(0);
    acknowledged++;
    session.destroy();
    await expectGrpcGoesOn();
  });

  test("bytes that are no HTTP/2", async () => {
    const connection = new RawConnection(portOf(collector.otlpGrpcUrl));
    connection.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await connection.ended();
    await expectGrpcGoesOn();
  });
});

describe("syslog, where nobody is told anything", () => {
  const STORED = [
    ["nothing", Buffer.alloc(0), 0],
    ["noise", Buffer.alloc(64, 0xee), 1],
    ["text that is not UTF-8", Buffer.concat([NOT_UTF8, Buffer.from("\n")]), 1],
    ["a priority beyond the last", Buffer.from("<999>1 - - - - - - text\n"), 1],
    ["a header that is cut off", Buffer.from("<14>1 2026-01-01T00"), 1],
    ["a count that is larger than what comes", Buffer.from("9999 <14>1 - - - - - - text"), 1],
    ["structured data without an end", Buffer.from('<14>1 - - - - - [a b="c text\n'), 1],
  ] as const;

  test.each(STORED)("over TCP, %s", async (_name, bytes, records) => {
    const sender = connect(collector.syslogPort, "127.0.0.1");
    sender.end(bytes);
    await once(sender, "close");
    acknowledged += records;
    await expectGoesOn(PROTOBUF);
  });

  test.each(STORED)("over UDP, %s", async (_name, bytes, records) => {
    const sender = createSocket("udp4");
    const sent = Promise.withResolvers<void>();
    sender.send(bytes, collector.syslogPort, "127.0.0.1", () => sent.resolve());
    await sent.promise;
    sender.close();
    acknowledged += records;
    await expectGoesOn(PROTOBUF);
  });
});

describe("the query API", () => {
  test.each([
    ["an unknown route", "/api/v1/nothing", 404],
    ["an unknown parameter", "/api/v1/logs?colour=red", 400],
    ["a wrong limit", "/api/v1/logs?limit=1e9", 400],
    ["a wrong cursor", "/api/v1/logs?cursor=%00%ff", 400],
    ["a wrong time", "/api/v1/logs?from=yesterday", 400],
    ["an id that cannot be one", "/api/v1/transactions/..%2f..%2fetc%2fpasswd", 400],
    ["a path that cannot be decoded", "/api/v1/transactions/%ff", 400],
    ["a file above the page's folder", "/..%2f..%2fpackage.json", 404],
    ["a search of ten thousand words", `/api/v1/logs?q=${"a+".repeat(5000)}`, 400],
    ["a head over the limit", `/api/v1/logs?q=${"a".repeat(20_000)}`, 431],
  ])("%s", async (_name, path, status) => {
    const answer = await fetch(collector.queryUrl + path);
    expect(answer.status).toBe(status);
    if (status !== 431) expect(await answer.json()).toMatchObject({ status, code: /\w/ });
    await expectGoesOn(PROTOBUF);
  });

  test.each(["POST", "PUT", "DELETE", "PATCH"])("%s is not answered", async (method) => {
    const answer = await fetch(`${collector.queryUrl}/api/v1/logs`, { method });
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });
});

/** The same process takes what is right, and stores all that it acknowledged and nothing else. */
async function expectGoesOn(door: HttpDoor): Promise<void> {
  expect((await askHttp(door, {})).status).toBe(200);
  acknowledged++;
  await expectAllStored();
}

async function expectGrpcGoesOn(): Promise<void> {
  expect((await askGrpc({})).code).toBe(0);
  acknowledged++;
  await expectAllStored();
}

async function expectAllStored(): Promise<void> {
  await vi.waitFor(
    async () => expect(await collector.api.logs()).toHaveLength(acknowledged),
    STORED_MS,
  );
}

function askHttp(door: HttpDoor, fault: Partial<Fault>) {
  return send({
    port: portOf(collector.otlpUrl),
    method: fault.method ?? "POST",
    path: fault.path ?? door.path,
    body: fault.body ?? door.good,
    headers: { "content-type": door.type, ...fault.headers },
  });
}

function askGrpc(sent: Partial<Parameters<typeof callGrpc>[0]>) {
  const url = collector.otlpGrpcUrl;
  return callGrpc({ url, path: GRPC_PATH.logs, message: PROTOBUF_LOGS, ...sent });
}

function typed(type: string): Pick<Fault, "headers"> {
  return { headers: { "content-type": type } };
}

function bulk(document: string): Buffer {
  return Buffer.from(`{"create":{}}\n${document}\n`);
}

/** The text "good" with other bytes in its place. */
function replaced(body: Buffer, by: Buffer): Buffer {
  const at = body.indexOf("good");
  return Buffer.concat([body.subarray(0, at), by, body.subarray(at + 4)]);
}

/** A log whose body is this text. */
function protobufLog(text: Buffer): Buffer {
  return field.bytes(1, field.bytes(2, field.bytes(2, field.bytes(5, field.bytes(1, text)))));
}

/** A log whose body is a list in a list in a list … (`AnyValue`: 5 array{1 values}). */
function nestedProtobuf(): Buffer {
  let value: Buffer = Buffer.alloc(0);
  for (let depth = 0; depth < 1000; depth++) value = field.bytes(5, field.bytes(1, value));
  return field.bytes(1, field.bytes(2, field.bytes(2, field.bytes(5, value))));
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}
