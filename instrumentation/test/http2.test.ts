import { once } from "node:events";
import { type ClientHttp2Session, connect } from "node:http2";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
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

interface Answer {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

async function ask(session: ClientHttp2Session, headers: Record<string, string>): Promise<Answer> {
  const stream = session.request({ ":path": "/orders/42?card=1", ...headers });
  const [answer] = await once(stream, "response");
  return { headers: answer, body: await text(stream) };
}

function spansOf(kind: number): readonly ReceivedSpan[] {
  return distinctSpans(sink).filter((span) => span.kind === kind);
}

/** Answers with the ID that is seen at the end of the body, and logs in each place on the way. */
const SERVERS = {
  "core streams": `
    const server = http2.createServer();
    server.on("stream", (stream, headers) => {
      const answer = () => {
        const own = { "X-Transaction-ID": "own" };
        if (headers["x-own"]) return stream.respond(own, { endStream: true });
        stream.respond({ ":status": 200 });
        stream.end(transaction.id());
      };
      stream.on("data", () => console.log("data"));
      stream.on("end", () => setTimeout(() => { console.log("end"); answer(); }, 5));
      stream.on("close", () => console.log("close"));
    });`,
  "the compatibility API": `
    const server = http2.createServer((req, res) => {
      if (req.headers["x-own"]) res.setHeader("X-Transaction-ID", "own");
      req.on("data", () => console.log("data"));
      req.on("end", () => setTimeout(() => { console.log("end"); res.end(transaction.id()); }, 5));
      res.on("finish", () => console.log("close"));
    });`,
};

test.each(Object.entries(SERVERS))("a server of HTTP/2 by %s", async (_, server) => {
  const code = `import http2 from "node:http2"; ${server} await serve(server);`;
  const end = await withServedApp({ endpoint, code }, async (port) => {
    const session = connect(`http://127.0.0.1:${port}`);
    const caller = { traceparent: `00-${"1".repeat(32)}-${"2".repeat(16)}-01`, "clew-run": "r1" };
    const given = await ask(session, { "x-transaction-id": "T-1", ...caller });
    expect(given.body).toBe("T-1");
    expect(given.headers).toMatchObject({
      ":status": 200,
      "x-transaction-id": "T-1",
      "clew-run": expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    const minted = await ask(session, {});
    expect(minted.body).toMatch(UUID_V7);
    expect(minted.headers["x-transaction-id"]).toBe(minted.body);
    expect(minted.headers).not.toHaveProperty("clew-run");
    const own = await ask(session, { "x-own": "1", "x-transaction-id": "T-2" });
    expect(own.headers["x-transaction-id"]).toBe("own");
    session.close();
  });
  expect(end.faults).toEqual({});
  const [span] = spansOf(2);
  expect(span).toMatchObject({ name: "GET /orders/{id}", status: 0 });
  expect(span?.attributes).toMatchObject({
    "clew.caller.run.id": "r1",
    "clew.transaction.id": "T-1",
    "http.request.method": "GET",
    "http.response.status_code": 200,
    "url.path": "/orders/42",
    "url.scheme": "http",
    "server.address": "127.0.0.1",
    "client.address": "127.0.0.1",
    "network.protocol.version": "2",
  });
  const lines = distinctLogs(sink).filter((log) => log.attributes["clew.transaction.id"] === "T-1");
  expect(lines.map((log) => log.body)).toEqual(["end", "close"]);
  expect(new Set(lines.map((log) => log.spanId))).toEqual(new Set([span?.spanId]));
});

test("HTTP/2 with a body, HEAD, a reset by the client, and a handler's error", async () => {
  const code = `import http2 from "node:http2";
    const server = http2.createServer((req, res) => {
      if (req.url === "/reset") return void res.write("part");
      if (req.url === "/error") { res.statusCode = 500; return res.end(); }
      req.on("data", () => console.log("data")).on("end", () => res.end("ok"));
    });
    await serve(server);`;
  const end = await withServedApp({ endpoint, code }, async (port) => {
    const session = connect(`http://127.0.0.1:${port}`);
    const post = session.request({ ":method": "POST", ":path": "/b", "x-transaction-id": "T-b" });
    post.end("body");
    expect(await text(post)).toBe("ok");
    await ask(session, { ":method": "HEAD", ":path": "/head" });
    await ask(session, { ":path": "/error" });
    const reset = session.request({ ":path": "/reset" });
    await once(reset, "data");
    reset.close(8);
    await once(reset, "close");
    session.close();
    await once(session, "close");
  });
  expect(end.faults).toEqual({});
  expect(distinctLogs(sink).map((log) => log.attributes["clew.transaction.id"])).toEqual(["T-b"]);
  const outcomes = spansOf(2).map(({ name, status, attributes }) => [
    ...[name, status, attributes["http.response.status_code"], attributes["error.type"]],
  ]);
  expect(outcomes).toEqual([
    ["POST /b", 0, 200, undefined],
    ["HEAD /head", 0, 200, undefined],
    ["GET /error", 2, 500, "500"],
    ["GET /reset", 0, 200, "aborted"],
  ]);
});

/** One process that is server and client of HTTP/2, as most imports have it. */
const CLIENT = (calls: string) => `
  import { connect, createServer } from "node:http2";
  import { text } from "node:stream/consumers";
  const server = createServer((req, res) => {
    res.statusCode = req.url === "/missing" ? 404 : 200;
    res.end(JSON.stringify(req.headers));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const session = connect("http://127.0.0.1:" + server.address().port);
  const get = async (headers) => {
    const stream = session.request(headers);
    const ids = [];
    stream.on("response", () => ids.push(transaction.id()));
    stream.on("end", () => ids.push(transaction.id()));
    return { ...JSON.parse(await text(stream)), ids };
  };
  const result = await (async () => { ${calls} })();
  console.error(JSON.stringify(result));
  session.close();
  await serve(server);
`;

async function runClient<T>(calls: string, env: Record<string, string> = {}): Promise<T> {
  const end = await withServedApp({ endpoint, code: CLIENT(calls), env }, () => Promise.resolve());
  expect(end.faults).toEqual({});
  return JSON.parse(end.stderr) as T;
}

test("a client of HTTP/2 tells ID, baggage and trace once, and has its span", async () => {
  const headers = await runClient<Record<string, unknown>>(
    `return transaction.run("T-5", () => get({ ":path": "/out?secret=1", accept: "x" }));`,
  );
  const [span] = spansOf(3);
  expect(headers).toMatchObject({
    accept: "x",
    "x-transaction-id": "T-5",
    baggage: "clew.transaction.id=T-5",
    traceparent: `00-${span?.traceId}-${span?.spanId}-01`,
    ids: ["T-5", "T-5"],
  });
  expect(span?.attributes).toMatchObject({
    "http.request.method": "GET",
    "http.response.status_code": 200,
    "server.address": "127.0.0.1",
    "clew.peer.run.id": span?.resource["clew.run.id"],
  });
  expect(span?.attributes["url.full"]).toMatch(/^http:\/\/127.0.0.1:\d+\/out$/);
  expect(spansOf(2)[0]?.parentSpanId).toBe(span?.spanId);
});

test("a client of HTTP/2 keeps the service's own headers", async () => {
  const headers = await runClient<Record<string, unknown>>(
    `return transaction.run("T-5", () => get({ "X-Transaction-ID": "mine", baggage: "own=1" }));`,
  );
  expect(headers).toMatchObject({ "x-transaction-id": "mine", baggage: "own=1" });
});

test("a client of HTTP/2 tells nothing to a host that is not listed", async () => {
  const headers = await runClient<Record<string, unknown>>(
    `return transaction.run("T-5", () => get({ ":path": "/missing" }));`,
    { CLEW_OUTBOUND_HOSTS: "localhost" },
  );
  const told = ["x-transaction-id", "baggage", "traceparent", "clew-run"];
  expect(Object.keys(headers).filter((name) => told.includes(name))).toEqual([]);
  expect(spansOf(3)[0]).toMatchObject({
    status: 2,
    attributes: { "clew.transaction.id": "T-5", "error.type": "404" },
  });
});

test("a refused session and one that is closed fail as without us, and end the span", async () => {
  const failures = await runClient<string[]>(`
    const gone = createServer().listen(0, "127.0.0.1");
    await once(gone, "listening");
    const { port } = gone.address();
    gone.close();
    await once(gone, "close");
    const dead = connect("http://127.0.0.1:" + port).on("error", () => undefined);
    // Node 22 throws where the session is gone, Node 24 tells the stream.
    const fails = async () => {
      try { return (await once(dead.request({ ":path": "/" }), "error"))[0]; }
      catch (error) { return error; }
    };
    return [(await fails()).code, (await fails()).code];`);
  expect(failures).toEqual(["ERR_HTTP2_STREAM_CANCEL", "ERR_HTTP2_INVALID_SESSION"]);
  expect(spansOf(3).map((span) => span.attributes["error.type"])).toEqual(failures);
});

test("undici over HTTP/2 is traced once", async () => {
  const headers = await runClient<Record<string, unknown>>(`
    const { Client } = await import("undici");
    const client = new Client("http://127.0.0.1:" + server.address().port, {
      allowH2: true, useH2c: true,
    });
    return transaction.run("T-6", async () => {
      const { body } = await client.request({ path: "/u", method: "GET" });
      const headers = await body.json();
      await client.close();
      return headers;
    });`);
  expect(headers["x-transaction-id"]).toBe("T-6");
  expect(spansOf(3)).toHaveLength(1);
  expect(spansOf(2)[0]?.attributes["network.protocol.version"]).toBe("2");
});
