/** OTLP/gRPC: what is taken, what is refused and how, and what bad clients can do. */
import { gzipSync, zstdCompressSync } from "node:zlib";
import { credentials, status } from "@grpc/grpc-js";
import { afterEach, describe, expect, it, vi } from "vitest";
import { VARIABLE } from "../src/config.ts";
import { ClewError } from "../src/errors.ts";
import { ProtobufReader } from "../src/otlp/protobuf-reader.ts";
import { METRIC } from "../src/wire-names.ts";
import {
  createGrpc,
  framed,
  type GrpcAnswer,
  GrpcClient,
  type GrpcSent,
  METHOD,
  RawGrpc,
  type RunningGrpc,
  startGrpc,
} from "./grpc-harness.ts";
import { field, logsRequest, metricsRequest, tracesRequest } from "./otlp-fixtures.ts";
import { NOW_NS, RawConnection, type ReceiverConfig, type Timeouts } from "./receiver-harness.ts";

const MIB = 1024 * 1024;
const LOGS = logsRequest([{ resource: {}, records: [{ body: "first" }, { body: "second 👋" }] }]);
const SPAN = {
  traceId: "ab".repeat(16),
  spanId: "cd".repeat(8),
  name: "n",
  startNs: 1n,
  endNs: 2n,
};
const TRACES = tracesRequest([{ resource: {}, spans: [SPAN] }]);
const LARGE = logsRequest([{ resource: {}, records: [{ body: "x".repeat(MIB) }] }]);
const TLS_NAME = { "grpc.ssl_target_name_override": "localhost" };
const RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo";

let running: RunningGrpc;
let client: GrpcClient;
const raws: RawGrpc[] = [];

async function start(config: Partial<ReceiverConfig> = {}, timeouts: Partial<Timeouts> = {}) {
  running = await startGrpc(config, timeouts);
  client = new GrpcClient(running.port);
}

function raw(): RawGrpc {
  const connection = new RawGrpc(running.port);
  raws.push(connection);
  return connection;
}

afterEach(async () => {
  client.close();
  await Promise.all(raws.splice(0).map((connection) => connection.close()));
  await running.receiver.stop();
});

describe("calls that are taken", () => {
  it.each<[string, GrpcSent, string, Buffer]>([
    ["logs", { body: LOGS }, "logs", LOGS],
    ["spans", { body: TRACES, method: METHOD.traces }, "traces", TRACES],
  ])("%s: published as they came, answered with an empty message", async (...row) => {
    const [, sent, topic, value] = row;
    await start();
    const { code, response } = await client.send(sent);
    expect([code, response.length]).toEqual([status.OK, 0]);
    const [message] = running.bus.messages;
    const records = topic === "logs" ? 2 : 1;
    const headers = { part: 0, records, receivedNs: NOW_NS, repeat: false };
    expect(message).toMatchObject({ topic, headers });
    expect(Buffer.from(message?.value ?? []).equals(value)).toBe(true);
  });

  it.each([
    ["gzip", gzipSync(LOGS), "gzip"],
    ["zstd", zstdCompressSync(LOGS), "zstd"],
    ["an encoding that is not used", LOGS, "snappy"],
  ])("compressed, %s", async (_name, body, encoding) => {
    await start();
    const isCompressed = encoding !== "snappy";
    const call = raw().open({ "grpc-encoding": encoding });
    call.stream.end(framed(body, { isCompressed }));
    expect(await call.answered).toMatchObject({ "grpc-status": "0" });
    expect(Buffer.from(running.bus.messages[0]?.value ?? []).equals(LOGS)).toBe(true);
  });

  it("compressed by grpc-js itself, and in pieces of a few bytes", async () => {
    await start();
    const zipping = new GrpcClient(running.port, { "grpc.default_compression_algorithm": 2 });
    expect((await zipping.send({ body: LOGS })).code).toBe(status.OK);
    zipping.close();
    const call = raw().open();
    for (const byte of framed(LOGS)) call.stream.write(Buffer.of(byte));
    call.stream.end();
    expect(await call.answered).toMatchObject({ "grpc-status": "0" });
    expect(running.bus.messages.map(({ headers }) => headers.records)).toEqual([2, 2]);
  });

  it("an attempt that is not the first is marked as a repeat", async () => {
    await start();
    await client.send({ body: LOGS, metadata: { "clew-attempt": "2" } });
    expect(running.bus.messages[0]?.headers.repeat).toBe(true);
  });

  it("nothing in it: OK, and nothing is published", async () => {
    await start();
    expect((await client.send({ body: Buffer.alloc(0) })).code).toBe(status.OK);
    expect(running.bus.messages).toEqual([]);
  });

  it("metrics: rejected where the bus keeps none, else taken", async () => {
    await start();
    const sent = { body: metricsRequest("up", [1, 2, 3]), method: METHOD.metrics };
    const { code, response } = await client.send(sent);
    expect(code).toBe(status.OK);
    const partial = field.bytes(1, field.varint(1, 3));
    expect(response.subarray(2, 4)).toEqual(partial.subarray(2, 4));
    expect(response.toString()).toContain("keeps no metrics");
    running.bus.keepsMetrics = true;
    expect(await client.send(sent)).toMatchObject({ code: status.OK, response: Buffer.alloc(0) });
    expect(running.bus.messages.map(({ topic }) => topic)).toEqual(["metrics"]);
    expect(await metric(METRIC.acceptedRecords, { signal: "metrics" })).toBe(3);
  });

  it("no answer before the publish has resolved", async () => {
    await start();
    const durable = gate();
    let isAnswered = false;
    const answer = client.send({ body: LOGS }).finally(() => {
      isAnswered = true;
    });
    await vi.waitFor(() => expect(durable.waiting).toBe(1));
    // A second call gets through the whole server meanwhile: the first had every chance.
    expect((await client.send({ body: Buffer.alloc(0) })).code).toBe(status.OK);
    expect(isAnswered).toBe(false);
    durable.open();
    expect((await answer).code).toBe(status.OK);
  });
});

describe("calls that are refused", () => {
  const ingestTokens = [{ name: "ada", token: "first-token" }];
  const config = { ingestTokens, maxRequestBytes: MIB, maxInFlightBytes: MIB };
  const token = { authorization: "Bearer first-token" };

  it.each<[string, Partial<GrpcSent>, status, string]>([
    ["no token", { metadata: {} }, status.UNAUTHENTICATED, "no bearer token"],
    ["a wrong token", bearer("first-toke"), status.UNAUTHENTICATED, "is not known"],
    ["no protobuf", { body: Buffer.from("bad") }, status.INVALID_ARGUMENT, "cannot read the prot"],
    ["a large message", { body: LARGE }, status.RESOURCE_EXHAUSTED, "larger than 1048576 bytes"],
    ["an unknown method", { method: "/clew.Service/Export" }, status.UNIMPLEMENTED, "implement"],
  ])("%s", async (_name, sent, code, why) => {
    await start(config);
    const answer = await client.send({ body: LOGS, metadata: token, ...sent });
    expect(answer.code).toBe(code);
    expect(answer.details).toContain(why);
    // Of these, bad data has a detail: a BadRequest. None may have a RetryInfo.
    const details = answer.metadata.get("grpc-status-details-bin").map(String);
    expect(details).toHaveLength(code === status.INVALID_ARGUMENT ? 1 : 0);
    expect(details.join()).not.toContain("RetryInfo");
    expect(running.bus.messages).toEqual([]);
    expect((await client.send({ body: LOGS, metadata: token })).code).toBe(status.OK);
  });

  it.each([
    ["cut off", framed(LOGS.subarray(0, 9), { bytes: LOGS.length }), {}, "3", "is cut off"],
    ["without its message", Buffer.alloc(0), {}, "3", "is cut off"],
    ["with two messages", Buffer.concat([framed(LOGS), framed(LOGS)]), {}, "3", "and more came"],
    ["said to be 4 GiB", framed(LOGS, { bytes: 2 ** 32 - 1 }), {}, "8", "larger than"],
    ["compressed as nobody can", zipped(LOGS), { "grpc-encoding": "snappy" }, "12", "gzip, zstd"],
    ["not gzip", zipped(LOGS), { "grpc-encoding": "gzip" }, "3", "cannot decompress"],
    [
      "gzip cut off",
      zipped(gzipSync(LOGS).subarray(0, -9)),
      { "grpc-encoding": "gzip" },
      "3",
      "de",
    ],
    [
      "with a second token",
      framed(LOGS),
      { authorization: "Bearer wrong-token" },
      "16",
      "not known",
    ],
  ])("a call %s", async (_name, bytes, headers, code, why) => {
    await start(config);
    const call = raw().open({ ...token, ...headers });
    call.stream.end(bytes);
    const answer = await call.answered;
    expect(answer).toMatchObject({ "grpc-status": code });
    expect(decodeURI(String(answer["grpc-message"]))).toContain(why);
    expect(running.bus.messages).toEqual([]);
    await vi.waitFor(async () => expect(await metric(METRIC.inFlightBytes)).toBe(0));
  });

  it("a token is asked for before the message is read", async () => {
    await start(config);
    const call = raw().open();
    call.stream.write(framed(Buffer.alloc(10), { bytes: 1000 }));
    expect(await call.answered).toMatchObject({ "grpc-status": "16" });
    expect(await metric(METRIC.refusedRequests, { code: "UNAUTHENTICATED" })).toBe(1);
  });

  it("another content type is 415, as HTTP has it", async () => {
    await start();
    const call = raw().open({ "content-type": "application/json" });
    call.stream.end("{}");
    expect(await call.answered).toMatchObject({ ":status": 415 });
  });

  it.each([
    ["BUS_DISK_FULL", new ClewError("BUS_DISK_FULL", "cannot write: no space ü \ud83d is left")],
    ["BUS_UNAVAILABLE", new TypeError("cannot read properties of undefined")],
  ])("%s is UNAVAILABLE, with when to come again", async (code, thrown) => {
    await start();
    running.bus.fault = () => Promise.reject(thrown);
    const answer = await client.send({ body: LOGS });
    expect(answer.code).toBe(status.UNAVAILABLE);
    expect(answer.details).toContain(thrown.message.toWellFormed());
    expect(retryInfo(answer)).toEqual({ code: 14, message: answer.details, seconds: 1 });
    expect(await metric(METRIC.refusedRequests, { code })).toBe(1);
    running.bus.fault = async () => undefined;
    expect((await client.send({ body: LOGS })).code).toBe(status.OK);
  });
});

describe("overload", () => {
  it("is refused before the message is there, and what is in flight is not disturbed", async () => {
    await start({ maxRequestBytes: 2 * MIB, maxInFlightBytes: 2 * MIB });
    const durable = gate();
    const first = client.send({ body: LARGE });
    await vi.waitFor(() => expect(durable.waiting).toBe(1));
    const call = raw().open();
    call.stream.write(framed(Buffer.alloc(0), { bytes: MIB }));
    expect(await call.answered).toMatchObject({ "grpc-status": "14" });
    const answer = await client.send({ body: LARGE });
    expect(retryInfo(answer)).toMatchObject({ code: 14, seconds: 1 });
    durable.open();
    expect((await first).code).toBe(status.OK);
    expect(await metric(METRIC.refusedRequests, { code: "BUS_OVERLOADED" })).toBe(2);
    expect((await client.send({ body: LARGE })).code).toBe(status.OK);
  });

  it("a bomb is refused once it is larger than a request may be", async () => {
    await start({ maxRequestBytes: MIB, maxInFlightBytes: 4 * MIB });
    const bomb = framed(gzipSync(Buffer.alloc(256 * MIB)), { isCompressed: true });
    const calls = Array.from({ length: 20 }, () => raw().open({ "grpc-encoding": "gzip" }));
    const before = process.memoryUsage.rss();
    for (const call of calls) call.stream.end(bomb);
    for (const call of calls) {
      expect(["8", "14"]).toContain((await call.answered)["grpc-status"]);
    }
    expect(process.memoryUsage.rss() - before).toBeLessThan(256 * MIB);
    await vi.waitFor(async () => expect(await metric(METRIC.inFlightBytes)).toBe(0));
  });

  it("messages that never end are counted from their first bytes, and end in time", async () => {
    const timeouts = { bodyMs: 300 };
    await start({ maxRequestBytes: MIB, maxInFlightBytes: 4 * MIB }, timeouts);
    const calls = Array.from({ length: 10 }, () => raw().open());
    for (const call of calls) call.stream.write(framed(Buffer.alloc(9), { bytes: MIB - 1 }));
    const codes = await Promise.all(
      calls.map(async (call) => (await call.answered)["grpc-status"]),
    );
    expect(codes.filter((code) => code === "14").length).toBeGreaterThan(5);
    expect(codes.filter((code) => code === "4").length).toBeGreaterThan(2);
    await vi.waitFor(async () => expect(await metric(METRIC.inFlightBytes)).toBe(0));
  });

  it("calls that are opened and reset leave nothing behind, however many", async () => {
    await start();
    for (let round = 0; round < 10; round++) {
      const connection = raw();
      for (let i = 0; i < 200 && !connection.session.destroyed; i++) {
        const { stream } = connection.open();
        stream.write(framed(Buffer.alloc(100), { bytes: MIB }));
        stream.close(8);
      }
      await connection.close();
    }
    expect((await client.send({ body: LOGS })).code).toBe(status.OK);
    await vi.waitFor(async () => expect(await metric(METRIC.inFlightBytes)).toBe(0));
  });

  it("a connection has at most 100 calls at a time", async () => {
    await start();
    const connection = raw();
    connection.open();
    await vi.waitFor(() => {
      expect(connection.session.remoteSettings.maxConcurrentStreams).toBe(100);
    });
  });

  it("a deadline of the client's ends the call; what was published is kept", async () => {
    await start();
    const durable = gate();
    const answer = await client.send({ body: LOGS, deadlineMs: 100 });
    expect(answer.code).toBe(status.DEADLINE_EXCEEDED);
    durable.open();
    await vi.waitFor(() => expect(running.bus.messages).toHaveLength(1));
    await vi.waitFor(async () => expect(await metric(METRIC.inFlightBytes)).toBe(0));
  });
});

describe("start and stop", () => {
  it("a port in use: one line that names the port and the variable", async () => {
    await start();
    const error = await startGrpc({ otlpGrpcPort: running.port }).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: "PORT_IN_USE" });
    expect(error.message).toContain(`port ${running.port}`);
    expect(error.message).toContain(VARIABLE.otlpGrpcPort);
  });

  it("stop answers what is in flight, takes nothing new, and closes what is idle", async () => {
    await start({}, { stopMs: 3_600_000 });
    const durable = gate();
    const answer = client.send({ body: LOGS });
    const silent = new RawConnection(running.port);
    await vi.waitFor(() => expect(durable.waiting).toBe(1));
    const stopped = running.receiver.stop();
    expect(running.receiver.stop()).toBe(stopped);
    await silent.ended();
    durable.open();
    expect((await answer).code).toBe(status.OK);
    await stopped;
    const late = new GrpcClient(running.port);
    expect((await late.send({ body: LOGS, deadlineMs: 5000 })).code).toBe(status.UNAVAILABLE);
    late.close();
  });

  it("stop does not wait for ever for a client that is silent", async () => {
    await start({}, { stopMs: 50 });
    const call = raw().open();
    call.stream.write(framed(Buffer.alloc(0), { bytes: 10 }));
    await vi.waitFor(async () => expect(await metric(METRIC.inFlightBytes)).toBeGreaterThan(0));
    await running.receiver.stop();
    await call.answered;
  });

  it("stop before start is no fault, and may be called again", async () => {
    await start();
    const unstarted = createGrpc({ otlpGrpcPort: running.port }).receiver;
    await unstarted.stop();
    await unstarted.stop();
    expect((await client.send({ body: LOGS })).code).toBe(status.OK);
  });

  it("a client that speaks TLS to a plain port is told nothing, and disturbs nobody", async () => {
    await start();
    const encrypting = new GrpcClient(running.port, TLS_NAME, credentials.createSsl());
    expect((await encrypting.send({ body: LOGS, deadlineMs: 2000 })).code).not.toBe(status.OK);
    encrypting.close();
    expect((await client.send({ body: LOGS })).code).toBe(status.OK);
  });
});

/** A door that publishes wait at. */
function gate() {
  const { promise, resolve: open } = Promise.withResolvers<void>();
  const door = { open, waiting: 0 };
  running.bus.fault = () => {
    door.waiting++;
    return promise;
  };
  return door;
}

function bearer(token: string) {
  return { metadata: { authorization: `Bearer ${token}` } };
}

function zipped(bytes: Buffer): Buffer {
  return framed(bytes, { isCompressed: true });
}

/** What `grpc-status-details-bin` says: `google.rpc.Status` with a `RetryInfo`. */
function retryInfo({ metadata }: GrpcAnswer) {
  const [bytes] = metadata.get("grpc-status-details-bin");
  const reader = new ProtobufReader(Buffer.from(bytes ?? ""));
  expect(reader.tag()).toBe(8);
  const code = reader.varint32();
  expect(reader.tag()).toBe(18);
  const message = reader.string();
  expect(reader.tag()).toBe(26);
  const any = new ProtobufReader(reader.bytes());
  any.tag();
  expect(any.string()).toBe(RETRY_INFO);
  any.tag();
  const delay = new ProtobufReader(any.bytes());
  delay.tag();
  const seconds = new ProtobufReader(delay.bytes());
  seconds.tag();
  return { code, message, seconds: seconds.varint32() };
}

async function metric(name: string, labels: Record<string, string> = {}): Promise<number> {
  const found = await running.registry.getSingleMetric(name)?.get();
  const value = found?.values.find((candidate) =>
    Object.entries(labels).every(([key, wanted]) => candidate.labels[key] === wanted),
  );
  return value?.value ?? 0;
}
