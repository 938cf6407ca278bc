import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import { distinctLogs, distinctSpans, UUID_V7 } from "./http-app.ts";
import { withServedApp } from "./http-served-app.ts";
import { OtlpSink, type ReceivedSpan } from "./otlp-sink.ts";

let sink: OtlpSink;
let endpoint: string;

beforeEach(async () => {
  sink = new OtlpSink();
  endpoint = await sink.start();
});
afterEach(() => sink.stop());

function spansOf(kind: number): readonly ReceivedSpan[] {
  return distinctSpans(sink).filter((span) => span.kind === kind);
}

/** A WebSocket server that logs and answers each message with the ID it sees. */
const SERVER = `
  import http from "node:http";
  import { WebSocketServer } from "ws";
  const server = http.createServer((req, res) => res.end("plain"));
  const wss = new WebSocketServer({ server, path: "/chat",
    verifyClient: ({ req }) => !req.headers["x-bad"] });
  wss.on("connection", (socket) => {
    console.log("connection");
    socket.on("message", (data) => setImmediate(() => {
      console.log("message");
      socket.send(data + " " + transaction.id());
    }));
    socket.on("close", () => console.log("close"));
  });
  await serve(server);
`;

test("an upgrade to WebSocket has ID, span and echo, its messages the transaction", async () => {
  const end = await withServedApp({ endpoint, code: SERVER }, async (port) => {
    const open = async (id: string) => {
      const traceparent = `00-${"1".repeat(32)}-${"2".repeat(16)}-01`;
      const headers = { "X-Transaction-ID": id, "Clew-Run": "r1", traceparent };
      const socket = new WebSocket(`ws://127.0.0.1:${port}/chat?token=1`, { headers });
      const opened = once(socket, "open");
      const [answer] = await once(socket, "upgrade");
      expect(answer.headers).toMatchObject({
        "x-transaction-id": id,
        "clew-run": expect.stringMatching(/^[0-9a-f]{32}$/),
      });
      await opened;
      return socket;
    };
    const one = await open("W-1");
    const two = await open("W-2");
    for (const [socket, id] of [
      [one, "W-1"],
      [two, "W-2"],
      [one, "W-1"],
    ] as const) {
      socket.send("hello");
      const [data] = await once(socket, "message");
      expect(String(data)).toBe(`hello ${id}`);
    }
    for (const socket of [one, two]) {
      socket.close();
      await once(socket, "close");
    }
  });
  expect(end).toMatchObject({ code: 0, faults: {} });
  expect(distinctSpans(sink)).toHaveLength(2);
  expect(spansOf(2)[0]).toMatchObject({ name: "GET /chat", status: 0 });
  expect(spansOf(2)[0]?.attributes).toMatchObject({
    "clew.transaction.id": "W-1",
    "http.response.status_code": 101,
    "url.path": "/chat",
  });
  const lines = distinctLogs(sink).filter((log) => log.attributes["clew.transaction.id"] === "W-1");
  expect(lines.map((log) => log.body)).toEqual(["connection", "message", "message", "close"]);
});

test("a refused upgrade says its ID too, also where ws refuses by itself", async () => {
  await withServedApp({ endpoint, code: SERVER }, async (port) => {
    const headers = { "x-bad": "1" };
    const socket = new WebSocket(`ws://127.0.0.1:${port}/chat`, { headers });
    const [, answer] = await once(socket, "unexpected-response");
    expect(answer.statusCode).toBe(401);
    expect(answer.headers["x-transaction-id"]).toMatch(UUID_V7);
    answer.destroy();
    const lost = connect(port, "127.0.0.1");
    lost.end("GET /other HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n");
    expect(await text(lost)).toMatch(/^HTTP\/1.1 400 .*\r\nX-Transaction-ID: /);
  });
  const outcomes = spansOf(2).map(({ status, attributes }) => [
    ...[attributes["url.path"], status, attributes["http.response.status_code"]],
  ]);
  expect(outcomes).toEqual([
    ["/chat", 0, 401],
    ["/other", 0, 400],
  ]);
});

test("an upgrade that nobody answers ends with its connection", async () => {
  const code = `
    import http from "node:http";
    const server = http.createServer();
    server.on("upgrade", (req, socket) => {
      socket.resume().on("error", () => undefined);
      socket.on("close", () => console.error("closed " + transaction.id()));
      console.error("taken");
    });
    await serve(server);`;
  const end = await withServedApp({ endpoint, code }, async (port, app) => {
    const socket = connect(port, "127.0.0.1");
    socket.write(
      "GET /n HTTP/1.1\r\nhost: a\r\nx-transaction-id: N-1\r\n" +
        "connection: upgrade\r\nupgrade: x\r\n\r\n",
    );
    const { stderr } = app.child;
    if (stderr === null) throw new Error("the app has no stderr");
    await once(stderr, "data");
    socket.resetAndDestroy();
    await once(stderr, "data");
  });
  expect(end.stderr).toContain("closed N-1");
  expect(spansOf(2)[0]?.attributes).toMatchObject({ "error.type": "aborted", "url.path": "/n" });
  expect(spansOf(2)[0]?.attributes).not.toHaveProperty("http.response.status_code");
});

test("the client side: the upgrade carries the ID, and messages come in its context", async () => {
  const code = `
    import http from "node:http";
    import { WebSocket, WebSocketServer } from "ws";
    const server = http.createServer();
    const wss = new WebSocketServer({ server });
    wss.on("connection", (socket, req) => socket.send(req.headers["x-transaction-id"]));
    await once(server.listen(0, "127.0.0.1"), "listening");
    const socket = transaction.run("C-1", () => {
      const made = new WebSocket("ws://127.0.0.1:" + server.address().port);
      made.on("message", (data) => console.error(data + " " + transaction.id()));
      return made;
    });
    await once(socket, "message");
    socket.close();
    await once(socket, "close");
    await serve(server);`;
  const end = await withServedApp({ endpoint, code }, () => Promise.resolve());
  expect(end.stderr).toBe("C-1 C-1\n");
  const [client] = spansOf(3);
  expect(client).toMatchObject({
    status: 0,
    attributes: { "clew.transaction.id": "C-1", "http.response.status_code": 101 },
  });
  expect(spansOf(2)[0]).toMatchObject({
    parentSpanId: client?.spanId,
    attributes: { "clew.transaction.id": "C-1" },
  });
  expect(client?.attributes["clew.peer.run.id"]).toBe(client?.resource["clew.run.id"]);
});

test("CONNECT by a tunnelling proxy is a span, and its answer is the proxy's own", async () => {
  const code = `
    import http from "node:http";
    const server = http.createServer();
    server.on("connect", (req, socket) => {
      socket.write("HTTP/1.1 200 Connection Established\\r\\n\\r\\n");
      socket.end("tunnel " + transaction.id());
    });
    await serve(server);`;
  await withServedApp({ endpoint, code }, async (port) => {
    const socket = connect(port, "127.0.0.1");
    socket.write("CONNECT a.example:443 HTTP/1.1\r\nhost: a\r\nx-transaction-id: P-1\r\n\r\n");
    expect(await text(socket)).toBe(
      "HTTP/1.1 200 Connection Established\r\nX-Transaction-ID: P-1\r\n\r\ntunnel P-1",
    );
  });
  expect(spansOf(2)[0]?.attributes).toMatchObject({ "http.response.status_code": 200 });
});
