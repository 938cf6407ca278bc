import { once } from "node:events";
import { get, type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { REGISTER } from "./app-process.ts";
import { distinctLogs, distinctSpans } from "./http-app.ts";
import { type ServedApp, withServedApp } from "./http-served-app.ts";
import { OtlpSink, type ReceivedSpan } from "./otlp-sink.ts";

let sink: OtlpSink;
let endpoint: string;

beforeEach(async () => {
  sink = new OtlpSink();
  endpoint = await sink.start();
});
afterEach(() => sink.stop());

function serverSpans(): readonly ReceivedSpan[] {
  return distinctSpans(sink).filter((span) => span.kind === 2);
}

/** A server with this as its `(req, res) => …`. */
function app(handler: string): ServedApp {
  return {
    endpoint,
    code: `import http from "node:http"; await serve(http.createServer(${handler}));`,
  };
}

test("server-sent events: writes are in the transaction, the span ends at the end", async () => {
  const handler = `(req, res) => {
    res.writeHead(200, { "content-type": "text/event-stream" });
    let n = 0;
    const timer = setInterval(() => {
      res.write("data: " + transaction.id() + "\\n\\n", () => console.log("written"));
      if (++n === 3) { clearInterval(timer); setTimeout(() => res.end(), 5); }
    }, 5);
  }`;
  const end = await withServedApp(app(handler), async (port) => {
    const headers = { "x-transaction-id": "E-1" };
    const call = get({ port, host: "127.0.0.1", path: "/events", headers });
    const [answer] = (await once(call, "response")) as [IncomingMessage];
    // The head is here, and the stream goes on: the span cannot have ended.
    expect(answer.headers["x-transaction-id"]).toBe("E-1");
    expect(serverSpans()).toEqual([]);
    const chunks = await answer.toArray();
    expect(chunks.join("")).toBe("data: E-1\n\n".repeat(3));
  });
  expect(end.faults).toEqual({});
  expect(distinctLogs(sink).map((log) => log.attributes["clew.transaction.id"])).toEqual(
    Array(3).fill("E-1"),
  );
  const [span] = serverSpans();
  expect(span).toMatchObject({
    name: "GET /events",
    status: 0,
    attributes: { "clew.span.logs": 3 },
  });
  for (const log of distinctLogs(sink)) expect(span?.endNs).toBeGreaterThan(log.timeNs);
});

test("a client that goes away in mid-stream ends the span, aborted, with its status", async () => {
  const handler = `(req, res) => {
    res.write("begin");
    res.on("close", () => { console.log("close"); process.stdout.write("gone\\n"); });
  }`;
  await withServedApp(app(handler), async (port, { child }) => {
    const call = request({ port, host: "127.0.0.1", path: "/stream" });
    call.on("error", () => undefined).end();
    await once(call, "response");
    call.destroy();
    if (child.stdout !== null) await once(child.stdout, "data");
  });
  const [span] = serverSpans();
  expect(span).toMatchObject({ status: 0 });
  expect(span?.attributes).toMatchObject({
    "error.type": "aborted",
    "http.response.status_code": 200,
    "clew.span.logs": 1,
  });
});

const POST =
  "POST /buy HTTP/1.1\r\nhost: a\r\nx-transaction-id: X-1\r\ncontent-length: 3\r\n\r\nabc";

/** How a handler fails, and how the process hears of it. */
const THROWS: readonly (readonly [string, string])[] = [
  ["at once", `(req, res) => { throw new RangeError("boom"); }`],
  ["in its promise", `async (req, res) => { await 1; throw new RangeError("boom"); }`],
  ["in a timer", `(req, res) => { setTimeout(() => { throw new RangeError("boom"); }, 2); }`],
  [
    "on the request's data",
    `(req, res) => { req.on("data", () => { throw new RangeError("boom"); }); }`,
  ],
];

test.each(THROWS)(
  "a handler that throws %s: the process ends, the span arrives",
  async (_, code) => {
    const end = await withServedApp(app(code), async (port, { child }) => {
      const socket = connect(port, "127.0.0.1").on("error", () => undefined);
      socket.write(POST);
      await once(child, "exit");
    });
    expect(end.code).toBe(1);
    expect(end.stderr).toContain("RangeError: boom");
    const [span] = serverSpans();
    expect(span).toMatchObject({
      name: "POST /buy",
      status: 2,
      attributes: { "clew.transaction.id": "X-1", "error.type": "RangeError" },
    });
    expect(span?.events).toMatchObject([
      { name: "exception", attributes: { "exception.message": "boom" } },
    ]);
    expect(span?.attributes).not.toHaveProperty("http.response.status_code");
  },
);

test.each(THROWS)("a handler that throws %s, in a service that goes on", async (_, handler) => {
  const code = `import http from "node:http";
    const say = (word) => process.stderr.write(word);
    const log = () => { console.log("uncaught"); say("caught"); };
    process.on("uncaughtException", log).on("unhandledRejection", log);
    const server = http.createServer(${handler});
    server.on("connection", (socket) => socket.on("close", () => setImmediate(say, "closed")));
    await serve(server);`;
  const end = await withServedApp({ endpoint, code }, async (port, { child }) => {
    const { stderr } = child;
    if (stderr === null) throw new Error("the app has no stderr");
    const socket = connect(port, "127.0.0.1").on("error", () => undefined);
    socket.write(POST);
    await once(stderr, "data");
    // Nobody answers: the request lasts until its connection ends.
    expect(serverSpans()).toEqual([]);
    socket.resetAndDestroy();
    await once(stderr, "data");
  });
  expect(end.stderr).toBe("caughtclosed");
  expect(distinctLogs(sink).map((log) => log.attributes["clew.transaction.id"])).toEqual(["X-1"]);
  const [span] = serverSpans();
  expect(span).toMatchObject({ status: 2, attributes: { "error.type": "RangeError" } });
  expect(span?.events.map((event) => event.name)).toEqual(["exception"]);
});

test("responses that are never ended hold nothing once their connections are gone", async () => {
  const code = `import http from "node:http";
    let taken = 0;
    const server = http.createServer(() => {
      if (++taken === 100) process.stderr.write("taken, ");
    });
    let open = 0;
    server.on("connection", (socket) => {
      open++;
      socket.on("close", () => { if (--open === 0) setImmediate(count); });
    });
    const spans = new Set();
    const { channel } = await import("node:diagnostics_channel");
    const kept = [];
    channel("http.server.request.start").subscribe(({ request, response }) => {
      kept.push(new WeakRef(request), new WeakRef(response));
    });
    const count = async () => {
      for (let round = 0; round < 50 && kept.some((ref) => ref.deref()); round++) {
        globalThis.gc();
        await new Promise(setImmediate);
      }
      const held = kept.filter((ref) => ref.deref()).length;
      process.stderr.write("held " + held + " of " + kept.length);
    };
    await serve(server);`;
  const args = ["--expose-gc", ...REGISTER, "--input-type=module"];
  const end = await withServedApp({ endpoint, code, args }, async (port, { child }) => {
    const open = () => connect(port, "127.0.0.1").on("error", () => undefined);
    const sockets = Array.from({ length: 50 }, open);
    await Promise.all(sockets.map((socket) => once(socket, "connect")));
    for (const socket of sockets) socket.write("GET /never HTTP/1.1\r\nhost: a\r\n\r\n".repeat(2));
    const { stderr } = child;
    if (stderr === null) throw new Error("the app has no stderr");
    await once(stderr, "data");
    for (const socket of sockets) socket.resetAndDestroy();
    await once(stderr, "data");
  });
  const [, held] = /held (\d+) of 200$/.exec(end.stderr) ?? [];
  // Node itself keeps the first request and its response, Node 22 two of them, also without us.
  expect(Number(held)).toBeLessThanOrEqual(4);
  expect(serverSpans()).toHaveLength(100);
});
