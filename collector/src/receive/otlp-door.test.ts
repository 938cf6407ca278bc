import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it, vi } from "vitest";
import { decodeStatus } from "../../test/otlp-decoder.ts";
import { logsRequest } from "../../test/otlp-fixtures.ts";
import {
  createReceiver,
  JSON_TYPE,
  keepAliveAgent,
  RawConnection,
  type RunningReceiver,
  send,
  startReceiver,
} from "../../test/receiver-harness.ts";
import { VARIABLE } from "../config.ts";
import { ClewError, ERRORS, type ErrorCode } from "../errors.ts";
import { METRIC } from "../wire-names.ts";
import { REQUEST_OVERHEAD_BYTES } from "./in-flight-bytes.ts";

const MIB = 1024 * 1024;
const LOGS = logsRequest([{ resource: {}, records: [{ body: "first" }, { body: "second" }] }]);

let running: RunningReceiver;
afterEach(async () => {
  await running.receiver.stop();
});

describe("what the bus says", () => {
  it("is waited for: no answer before the publish has resolved", async () => {
    running = await startReceiver();
    const durable = gate();
    running.bus.fault = () => durable.opened;
    let isAnswered = false;
    const answer = send({ port: running.port, body: LOGS }).finally(() => {
      isAnswered = true;
    });
    await vi.waitFor(() => expect(durable.waiting).toBe(1));
    // A second request gets through the whole server meanwhile: the first had every chance.
    expect((await send({ port: running.port })).status).toBe(200);
    expect(isAnswered).toBe(false);
    durable.open();
    expect((await answer).status).toBe(200);
  });

  it.each<[ErrorCode, unknown]>([
    ["BUS_DISK_FULL", new ClewError("BUS_DISK_FULL", "cannot write: no space is left")],
    ["BUS_OVERLOADED", new ClewError("BUS_OVERLOADED", "cannot queue: the bus holds too much")],
    ["BUS_UNAVAILABLE", new ClewError("BUS_UNAVAILABLE", "cannot write: input/output error")],
    ["BUS_STOPPED", new ClewError("BUS_STOPPED", "cannot write: stopped")],
    ["BUS_MESSAGE_TOO_LARGE", new ClewError("BUS_MESSAGE_TOO_LARGE", "cannot write: too large")],
    ["BUS_UNAVAILABLE", new TypeError("cannot read properties of undefined")],
  ])("%s is passed on with its reason, and nothing is acknowledged", async (code, thrown) => {
    running = await startReceiver();
    running.bus.fault = () => Promise.reject(thrown);
    const { status, rpcCode, isRetryable } = ERRORS[code];
    const protobuf = await send({ port: running.port, body: LOGS });
    expect(protobuf.status).toBe(status);
    expect(decodeStatus(protobuf.body)).toEqual({
      code: rpcCode,
      message: expect.stringContaining((thrown as Error).message),
    });
    expect(protobuf.headers["retry-after"]).toBe(isRetryable ? "1" : undefined);
    const body = Buffer.from('{"resourceLogs":[{"scopeLogs":[{"logRecords":[{}]}]}]}');
    const json = await send({ port: running.port, body, headers: JSON_TYPE });
    expect(json.status).toBe(status);
    expect(JSON.parse(json.body.toString()).code).toBe(rpcCode);
    expect(await metric(METRIC.refusedRequests, { code })).toBe(2);
    expect(await metric(METRIC.acceptedRecords, { signal: "logs" })).toBe(0);
    running.bus.fault = async () => undefined;
    expect((await send({ port: running.port, body: LOGS })).status).toBe(200);
    expect(await metric(METRIC.acceptedRecords, { signal: "logs" })).toBe(2);
  });

  it("too late is 503; its bytes count until the bus lets go of them", async () => {
    running = await startReceiver({}, { publishMs: 50 });
    const durable = gate();
    running.bus.fault = () => durable.opened;
    const answer = await send({ port: running.port, body: LOGS });
    expect(answer.status).toBe(503);
    expect(decodeStatus(answer.body).message).toContain("took longer than 50 ms");
    expect(await metric(METRIC.inFlightBytes)).toBeGreaterThan(LOGS.length);
    durable.fail(new ClewError("BUS_DISK_FULL", "cannot write: no space is left"));
    await vi.waitFor(async () => expect(await metric(METRIC.inFlightBytes)).toBe(0));
  });
});

describe("overload", () => {
  it("is refused early, and what is in flight is not disturbed", async () => {
    running = await startReceiver({ maxRequestBytes: 4 * MIB, maxInFlightBytes: 4 * MIB });
    const durable = gate();
    running.bus.fault = () => durable.opened;
    const large = logsRequest([{ resource: {}, records: [{ body: "x".repeat(3 * MIB) }] }]);
    const first = send({ port: running.port, body: large });
    await vi.waitFor(() => expect(durable.waiting).toBe(1));
    const refused = await Promise.all([
      send({ port: running.port, body: large }),
      send({ port: running.port, body: large, chunkBytes: 64 * 1024 }),
      send({ port: running.port, body: gzipSync(large), headers: { "content-encoding": "gzip" } }),
    ]);
    for (const { status, headers, body } of refused) {
      expect([status, headers["retry-after"]]).toEqual([503, "1"]);
      expect(decodeStatus(body).message).toContain("bytes are in flight");
    }
    const small = send({ port: running.port, body: LOGS });
    await vi.waitFor(() => expect(durable.waiting).toBe(2));
    durable.open();
    expect([(await first).status, (await small).status]).toEqual([200, 200]);
    expect(await metric(METRIC.refusedRequests, { code: "BUS_OVERLOADED" })).toBe(3);
    expect((await send({ port: running.port, body: large })).status).toBe(200);
  });

  it("never refuses a request that is alone, even where it inflates beyond the bound", async () => {
    running = await startReceiver({ maxRequestBytes: MIB, maxInFlightBytes: MIB });
    const large = logsRequest([{ resource: {}, records: [{ body: "x".repeat(MIB - 100) }] }]);
    const headers = { "content-encoding": "gzip" };
    expect((await send({ port: running.port, body: large })).status).toBe(200);
    expect((await send({ port: running.port, body: gzipSync(large), headers })).status).toBe(200);
  });

  it("bounds how many requests there are, however small", async () => {
    running = await startReceiver({ maxRequestBytes: MIB, maxInFlightBytes: MIB });
    const durable = gate();
    running.bus.fault = () => durable.opened;
    let refused = 0;
    const sent = Array.from({ length: 100 }, async () => {
      const { status } = await send({ port: running.port, body: LOGS });
      if (status === 503) refused++;
      return status;
    });
    await vi.waitFor(() => expect(durable.waiting + refused).toBe(100));
    const fitting = Math.floor(MIB / (REQUEST_OVERHEAD_BYTES + LOGS.length));
    expect([durable.waiting, refused]).toEqual([fitting, 100 - fitting]);
    durable.open();
    const statuses = await Promise.all(sent);
    expect(statuses.filter((status) => status === 200)).toHaveLength(fitting);
    expect(running.bus.messages).toHaveLength(fitting);
  });
});

describe("tokens", () => {
  const ingestTokens = ["first-token", "second-token"].map((token) => ({ name: token, token }));
  it.each<[string | undefined, number]>([
    ["Bearer first-token", 200],
    ["bearer second-token", 200],
    [undefined, 401],
    ["Bearer", 401],
    ["Bearer first-toke", 401],
    ["Bearer first-token-and-more", 401],
    ["Basic first-token", 401],
  ])("authorization %j: %i", async (authorization, status) => {
    running = await startReceiver({ ingestTokens });
    const headers = authorization === undefined ? {} : { authorization };
    const answer = await send({ port: running.port, body: LOGS, headers });
    expect(answer.status).toBe(status);
    if (status === 200) return;
    expect(answer.headers["www-authenticate"]).toBe("Bearer");
    expect(decodeStatus(answer.body).code).toBe(16);
    expect(answer.body.toString()).not.toContain("first-tok");
    expect(running.bus.messages).toEqual([]);
  });
});

describe("start and stop", () => {
  it("a port in use: one line that names the port and the variable", async () => {
    running = await startReceiver();
    const error = await startReceiver({ otlpHttpPort: running.port }).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(ClewError);
    expect(error.code).toBe("PORT_IN_USE");
    expect(error.message).toContain(`port ${running.port}`);
    expect(error.message).toContain(VARIABLE.otlpHttpPort);
    expect(error.message).not.toContain("\n");
  });

  it("an address that is not this machine's: a wrong setting", async () => {
    running = await startReceiver();
    await expect(startReceiver({ host: "192.0.2.1" })).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.stringContaining(`${VARIABLE.host}=192.0.2.1`),
    });
  });

  it("stop answers what is in flight, and closes every other connection at once", async () => {
    running = await startReceiver({}, { stopMs: 3_600_000 });
    const durable = gate();
    running.bus.fault = () => durable.opened;
    const agent = keepAliveAgent();
    const answer = send({ port: running.port, body: LOGS, agent });
    const silent = new RawConnection(running.port);
    const half = new RawConnection(running.port);
    half.write("POST /v1/logs HTTP/1.1\r\nHost: a\r\n");
    const idle = new RawConnection(running.port);
    idle.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await vi.waitFor(() => expect(idle.text).toContain("404"));
    await vi.waitFor(() => expect(durable.waiting).toBe(1));
    const stopped = running.receiver.stop();
    expect(running.receiver.stop()).toBe(stopped);
    await Promise.all([silent.ended(), half.ended(), idle.ended()]);
    durable.open();
    const { status, headers } = await answer;
    expect([status, headers.connection]).toEqual([200, "close"]);
    await stopped;
    await expect(send({ port: running.port, body: LOGS })).rejects.toThrow("ECONNREFUSED");
    agent.destroy();
  });

  it("stop does not wait for ever for a client that is silent", async () => {
    running = await startReceiver({}, { stopMs: 50 });
    const half = new RawConnection(running.port);
    const head = "Host: a\r\nContent-Type: application/json\r\nContent-Length: 2";
    half.write(`POST /v1/logs HTTP/1.1\r\n${head}\r\n\r\n{`);
    await vi.waitFor(async () => expect(await metric(METRIC.inFlightBytes)).toBeGreaterThan(0));
    await running.receiver.stop();
    await half.ended();
  });

  it("stop before start is no fault, and may be called again", async () => {
    running = await startReceiver();
    const unstarted = createReceiver({ otlpHttpPort: running.port }).receiver;
    await unstarted.stop();
    await unstarted.stop();
    expect((await send({ port: running.port, body: LOGS })).status).toBe(200);
  });
});

it("every metric says what it counts", async () => {
  running = await startReceiver();
  await send({ port: running.port, body: LOGS });
  await send({ port: running.port, body: Buffer.from("bad") });
  const text = await running.registry.metrics();
  for (const name of [
    METRIC.acceptedRecords,
    METRIC.refusedRequests,
    METRIC.inFlightBytes,
    METRIC.busPublishSeconds,
  ]) {
    expect(text).toMatch(new RegExp(`# HELP ${name} \\w{3,}`));
  }
  expect(text).toContain(`${METRIC.acceptedRecords}{signal="logs"} 2`);
  expect(text).toContain(`${METRIC.refusedRequests}{code="REQUEST_MALFORMED"} 1`);
});

/** A door that publishes wait at. */
function gate() {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let waiting = 0;
  return {
    open: resolve,
    fail: reject,
    get waiting() {
      return waiting;
    },
    get opened() {
      waiting++;
      return promise;
    },
  };
}

async function metric(name: string, labels: Record<string, string> = {}): Promise<number> {
  const found = await running.registry.getSingleMetric(name)?.get();
  const value = found?.values.find((candidate) =>
    Object.entries(labels).every(([key, wanted]) => candidate.labels[key] === wanted),
  );
  return value?.value ?? 0;
}
