import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { OtlpSink } from "../../test/otlp-sink.ts";
import { SEVERITY } from "../logging/log-record.ts";
import type { SignalTarget } from "../otlp/config.ts";
import { writeResource } from "../otlp/otlp-request.ts";
import { Recorder } from "../recorder.ts";
import { counts } from "../stats.ts";
import { MemoryOutbox } from "./memory-outbox.ts";
import { OtlpSender } from "./otlp-sender.ts";

let sink: OtlpSink;
let senders: OtlpSender[];
let reports: string[];

beforeEach(async () => {
  sink = new OtlpSink();
  await sink.start();
  senders = [];
  reports = [];
  Object.assign(counts.logs, { made: 0, delivered: 0, refused: 0, dropped: 0, resent: 0 });
});
afterEach(async () => {
  // A test that is over must not count into the next one.
  await Promise.all(senders.map((sender) => sender.drain(1000)));
  for (const sender of senders) sender.stop();
  await sink.stop();
});

function start(options: Partial<SignalTarget> = {}) {
  const outbox = new MemoryOutbox({ resource: writeResource({ "service.name": "shop" }) });
  const url = `http://127.0.0.1:${sink.port}/v1/logs`;
  const target = { enabled: true, url, headers: {}, timeoutMs: 5000, gzip: false, ...options };
  const targets = { logs: target, traces: target };
  const report = (message: string) => reports.push(message);
  const sender = new OtlpSender({ outbox, targets, report });
  senders.push(sender);
  const recorder = new Recorder({
    ...{ outbox, runId: "run", logs: true, traces: true },
    onRecord: (signal, urgent) => sender.poke(signal, urgent),
  });
  const log = (body: string, severity = SEVERITY.info as (typeof SEVERITY)["info" | "error"]) =>
    recorder.log({ scope: { name: "t", version: "" }, severity, body, attributes: [] });
  return { log, outbox, sender };
}

/** Answers the first requests as told, then as a collector does. */
function answers(...replies: ((response: ServerResponse) => void)[]) {
  let next = 0;
  sink.fault = (request, response) => {
    const reply = replies[next++];
    if (reply === undefined) return false;
    request.resume();
    reply(response);
    return true;
  };
}
const status = (code: number, headers: Record<string, string> = {}, body = "") => {
  return (response: ServerResponse) => response.writeHead(code, headers).end(body);
};
const bodies = () => sink.logs.map((log) => log.body);
const arrival = (count: number) =>
  vi.waitFor(() => expect(sink.logs.length).toBe(count), { timeout: 20_000 });

/** The figures follow the records: the sink has them before its answer is read. */
const counted = (want: object) => vi.waitFor(() => expect(counts.logs).toMatchObject(want));

test("several records of one moment are one request, with its headers", async () => {
  const { log, outbox } = start({ headers: { authorization: "Bearer x" } });
  for (let i = 0; i < 5; i++) log(`line ${i}`);
  await arrival(5);
  expect(bodies()).toEqual(["line 0", "line 1", "line 2", "line 3", "line 4"]);
  expect(sink.requests).toHaveLength(1);
  expect(sink.requests[0]?.headers).toMatchObject({
    "content-type": "application/x-protobuf",
    authorization: "Bearer x",
    "clew-attempt": "1",
  });
  await vi.waitFor(() => expect(outbox.isEmpty).toBe(true));
  expect(counts.logs).toMatchObject({ made: 5, delivered: 5, resent: 0 });
});

test.each([408, 429, 500, 503])("status %d: the same records again, saying so", async (code) => {
  answers(status(code), status(code));
  const { log } = start();
  log("kept");
  await arrival(1);
  expect(sink.logs).toMatchObject([{ body: "kept", attempt: "3" }]);
  expect(sink.logs[0]?.attributes["log.record.uid"]).toBe("run-1");
  await counted({ delivered: 1, resent: 2, dropped: 0, refused: 0 });
  expect(reports).toHaveLength(1);
});

test("a connection that breaks, and an answer that never comes, are tried again", async () => {
  answers(
    (response) => response.destroy(),
    () => undefined,
    (response) => {
      response.writeHead(200, { "content-length": "100" }).write("x");
      response.destroy();
    },
  );
  const { log } = start({ timeoutMs: 100 });
  log("kept");
  await arrival(1);
  expect(sink.logs[0]?.attempt).toBe("4");
});

test("a collector that is down: records wait, in order, and come when it is back", async () => {
  const { port } = sink;
  const { log, outbox } = start();
  await sink.stop();
  log("one", SEVERITY.error);
  await vi.waitFor(() => expect(reports).toHaveLength(1));
  for (let i = 0; i < 1000; i++) log(`line ${i}`);
  expect(outbox.isEmpty).toBe(false);
  sink = new OtlpSink();
  await sink.start(port);
  await arrival(1001);
  expect(bodies()).toEqual(["one", ...Array.from({ length: 1000 }, (_, i) => `line ${i}`)]);
  expect(sink.logs[0]?.attempt).not.toBe("1");
  expect(sink.logs[1000]?.attempt).toBe("1");
});

test("Retry-After is waited for", async () => {
  const times: number[] = [];
  answers(
    (response) => {
      times.push(performance.now());
      status(503, { "retry-after": "1" })(response);
    },
    (response) => {
      times.push(performance.now());
      status(503, { "retry-after": new Date(Date.now() - 5000).toUTCString() })(response);
    },
  );
  const { log } = start();
  log("kept");
  await arrival(1);
  // The server asked for a second; that is the least, not a measure of speed.
  expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(990);
});

test.each([400, 401, 404, 413])(
  "status %d is for good: counted, told once, and on",
  async (code) => {
    answers(status(code, {}, "no\u001b[31m way"), status(code));
    const { log } = start();
    log("lost 1");
    await vi.waitFor(() => expect(counts.logs.refused).toBe(1));
    log("lost 2");
    await vi.waitFor(() => expect(counts.logs.refused).toBe(2));
    log("kept");
    await arrival(1);
    await counted({ made: 3, delivered: 1, refused: 2, resent: 0 });
    expect(reports).toHaveLength(1);
    expect(reports[0]).toContain(`status ${code}`);
    expect(reports[0]).not.toContain("\u001b");
  },
);

test("a partial success: what was refused is counted", async () => {
  const partial = Buffer.from("0a060801" + "12026869", "hex");
  answers((response) => {
    response.writeHead(200, { "content-type": "application/x-protobuf" }).end(partial);
  });
  const { log } = start();
  for (let i = 0; i < 3; i++) log("line");
  await counted({ delivered: 2, refused: 1 });
  expect(reports[0]).toContain("hi");
});

test("gzip", async () => {
  const { log } = start({ gzip: true });
  log("x".repeat(10_000));
  await arrival(1);
  expect(sink.requests[0]?.headers["content-encoding"]).toBe("gzip");
  expect(Number(sink.requests[0]?.headers["content-length"])).toBeLessThan(1000);
});

test("drain sends all that waits, and gives up at its deadline", async () => {
  const { log, sender, outbox } = start();
  for (let i = 0; i < 2000; i++) log(`line ${i}`);
  await sender.drain(10_000);
  expect(outbox.isEmpty).toBe(true);
  expect(sink.logs).toHaveLength(2000);
  sink.fault = () => true;
  log("stuck");
  await sender.drain(50);
  expect(outbox.isEmpty).toBe(false);
  sender.stop();
  sender.stop();
});
