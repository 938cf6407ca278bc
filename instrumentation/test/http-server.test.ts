import { afterEach, beforeEach, expect, test } from "vitest";
import { distinctLogs, distinctSpans, runHttpApp } from "./http-app.ts";
import { OtlpSink, type ReceivedSpan } from "./otlp-sink.ts";

let sink: OtlpSink;
let endpoint: string;

beforeEach(async () => {
  sink = new OtlpSink();
  endpoint = await sink.start();
});
afterEach(() => sink.stop());

function run<T>(handler: string, client: string, env: Record<string, string> = {}): Promise<T> {
  return runHttpApp<T>({ handler, client, env, endpoint });
}

function spanOf(kind: number): ReceivedSpan {
  const [span] = distinctSpans(sink).filter((received) => received.kind === kind);
  if (span === undefined) throw new Error(`there is no span of kind ${kind}`);
  return span;
}
const serverSpan = () => spanOf(2);

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";

test("a server span holds what semantic conventions ask for, and no query", async () => {
  await run("res.statusCode = 201; res.end('x');", "return ask('user-agent: me', 'x-a: 1');");
  expect(serverSpan()).toMatchObject({ name: "GET /in", status: 0, parentSpanId: "" });
  expect(serverSpan().attributes).toMatchObject({
    "http.request.method": "GET",
    "http.response.status_code": 201,
    "url.path": "/in",
    "url.scheme": "http",
    "server.address": "shop",
    "user_agent.original": "me",
    "client.address": "127.0.0.1",
    "network.protocol.version": "1.1",
    "clew.span.sequence": 1,
    "clew.span.logs": 0,
  });
  expect(
    JSON.stringify(distinctSpans(sink)[0], (_, v) => (typeof v === "bigint" ? `${v}` : v)),
  ).not.toContain("secret");
  expect(serverSpan().endNs).toBeGreaterThanOrEqual(serverSpan().timeNs);
});

test("a caller's trace goes on, with its state; a malformed one is left alone", async () => {
  await run(
    "res.end();",
    `return ask("traceparent: 00-${TRACE}-${PARENT}-01", "tracestate: a=1");`,
  );
  expect(serverSpan()).toMatchObject({ traceId: TRACE, parentSpanId: PARENT, traceState: "a=1" });
  sink.spans.length = 0;
  await run("res.end();", `return ask("traceparent: 00-${TRACE.toUpperCase()}-${PARENT}-01");`);
  expect(serverSpan().traceId).not.toBe(TRACE);
  expect(serverSpan().parentSpanId).toBe("");
});

test.each([
  ["setHeader", "res.setHeader('X-Transaction-ID', 'mine'); res.end();"],
  ["writeHead", "res.writeHead(200, { 'x-transaction-id': 'mine' }); res.end();"],
  ["writeHead with a list", "res.writeHead(200, ['x-transaction-id', 'mine']); res.end();"],
])("the service's own header by %s is what the caller gets, once", async (_, handler) => {
  const client = `return raw("GET / HTTP/1.1\\r\\nhost: a\\r\\nconnection: close\\r\\n\\r\\n");`;
  const answer = await run<string>(handler, client);
  expect(answer.match(/x-transaction-id: .*/gi)).toEqual([expect.stringMatching(/mine/)]);
});

test.each([
  ["setHeader", "res.setHeader('Clew-Run', 'upstream'); res.end();"],
  ["writeHead", "res.writeHead(200, { a: '1', 'clew-run': 'upstream' }).end();"],
  ["writeHead with a list", "res.writeHead(200, ['clew-run', 'upstream']).end();"],
])("a gateway that copies headers by %s does not pass for who answered", async (_, handler) => {
  const client = `const { runId } = instrumentationStats();
    const answer = await raw("GET / HTTP/1.1\\r\\nhost: a\\r\\nclew-run: r1\\r\\n" +
      "x-transaction-id: T-1\\r\\ntraceparent: 00-${TRACE}-${PARENT}-01\\r\\n" +
      "connection: close\\r\\n\\r\\n");
    return answer.match(/clew-run: .*/gi).map((line) => line.trim() === "Clew-Run: " + runId);`;
  expect(await run(handler, client)).toEqual([true]);
  // To who is not answered for it, nobody passes for the one who did.
  const alone = `return /clew-run/i.test(await raw(
    "GET / HTTP/1.1\\r\\nhost: a\\r\\nclew-run: r1\\r\\nconnection: close\\r\\n\\r\\n"));`;
  expect(await run(handler, alone)).toBe(false);
});

test("5xx is an error, and a client that goes away is noted", async () => {
  await run("res.statusCode = 503; res.end();", "return ask();");
  expect(serverSpan()).toMatchObject({ status: 2, attributes: { "error.type": "503" } });
  sink.spans.length = 0;
  const client = `
    const socket = net.connect(port, "127.0.0.1", () => socket.write("GET /gone HTTP/1.1\\r\\n" +
      "host: a\\r\\n\\r\\n"));
    const [, res] = await once(server, "request");
    socket.destroy();
    await once(res, "close");
    return null;`;
  await run("", client);
  expect(serverSpan()).toMatchObject({
    status: 0,
    attributes: { "error.type": "aborted", "url.path": "/gone" },
  });
  expect(serverSpan().attributes).not.toHaveProperty("http.response.status_code");
});

test("the body's events, the end of the response and nested work keep the context", async () => {
  const handler = `
    const seen = [];
    const see = (where) => seen.push([where, transaction.id()]);
    req.on("data", () => see("data"));
    req.on("end", () => { see("end"); setImmediate(() => { see("later"); res.end("ok"); }); });
    res.on("finish", () => { see("finish"); console.log("finished"); });
    res.on("close", () => { see("close"); server.emit("seen", seen); });`;
  const client = `
    const seen = once(server, "seen");
    void raw("POST / HTTP/1.1\\r\\nhost: a\\r\\nx-transaction-id: T-9\\r\\n" +
      "connection: close\\r\\ncontent-length: 3\\r\\n\\r\\nabc");
    return (await seen)[0];`;
  const places = await run<[string, string][]>(handler, client);
  expect(places.map(([where]) => where)).toEqual(["data", "end", "later", "finish", "close"]);
  expect(new Set(places.map(([, id]) => id))).toEqual(new Set(["T-9"]));
  expect(distinctLogs(sink).map((log) => log.attributes["clew.transaction.id"])).toEqual(["T-9"]);
  expect(serverSpan().attributes["clew.span.logs"]).toBe(1);
});

test("pipelined requests on one connection keep their own IDs", async () => {
  const handler = `setTimeout(() => res.end(transaction.id()), req.url === "/1" ? 30 : 0);`;
  const client = `return raw([1, 2, 3].map((n) => "GET /" + n + " HTTP/1.1\\r\\nhost: a\\r\\n" +
    "x-transaction-id: P-" + n + "\\r\\n" + (n === 3 ? "connection: close\\r\\n" : "") + "\\r\\n")
    .join(""));`;
  const answer = await run<string>(handler, client);
  expect(answer.match(/^P-\d/gm)).toEqual(["P-1", "P-2", "P-3"]);
  const pairs = distinctSpans(sink).map((span) => [
    span.attributes["url.path"],
    span.attributes["clew.transaction.id"],
  ]);
  expect(pairs.sort()).toEqual([
    ["/1", "P-1"],
    ["/2", "P-2"],
    ["/3", "P-3"],
  ]);
});

test("each request of a connection is described as it is, however alike they are", async () => {
  const handler = `const { trace } = await import("@opentelemetry/api");
    if (req.url === "/6") trace.getActiveSpan().setAttribute("user_agent.original", "mine");
    res.end();`;
  const client = `return raw(["ann", "ann", "ann", "ann", "bob", "ann", "ann"].map((agent, n) =>
    (n === 2 ? "POST" : "GET") + " /" + n + " HTTP/1.1\\r\\nhost: shop:81\\r\\n" +
    "user-agent: " + agent + "\\r\\n" +
    (n === 6 ? "connection: close\\r\\n" : "") + "\\r\\n").join(""));`;
  await run(handler, client);
  const spans = distinctSpans(sink);
  const told = spans.map(({ attributes }) => [
    attributes["url.path"],
    attributes["http.request.method"],
    attributes["user_agent.original"],
  ]);
  expect(told.toSorted()).toEqual([
    ["/0", "GET", "ann"],
    ["/1", "GET", "ann"],
    ["/2", "POST", "ann"],
    ["/3", "GET", "ann"],
    ["/4", "GET", "bob"],
    ["/5", "GET", "ann"],
    ["/6", "GET", "mine"],
  ]);
  const server = { "server.address": "shop", "server.port": 81, "client.address": "127.0.0.1" };
  for (const { attributes } of spans) expect(attributes).toMatchObject(server);
});

test("an error in the service's own listener passes as without us", async () => {
  const handler = `
    process.once("uncaughtException", (error) => server.emit("caught", error.message));
    res.on("close", () => { throw new RangeError("mine"); });
    res.end();`;
  const client = `const caught = once(server, "caught"); await ask(); return caught;`;
  expect(await run(handler, client)).toEqual(["mine"]);
  expect(serverSpan().attributes["http.response.status_code"]).toBe(200);
});

test("channel messages that lack what they should hold are harmless", async () => {
  const client = `
    const { channel } = await import("node:diagnostics_channel");
    const names = ["http.server.request.start", "http.client.request.created",
      "undici:request:create", "undici:request:headers", "undici:request:trailers",
      "undici:request:error", "tracing:pino_asJson:start", "tracing:pino_asJson:end",
      "console.log", "console.error"];
    const odd = [undefined, null, 1, "x", {}, [], { request: {} }, { request: null },
      { request: { origin: "http://a", addHeader() { throw new Error("no"); } } },
      { instance: {}, result: 1 }, { request: new Proxy({}, { get() { throw 1; } }) }];
    for (const name of names) for (const message of odd) channel(name).publish(message);
    const echoed = await ask("X-Transaction-ID: T-1");
    return { echoed, faults: Object.keys(instrumentationStats().faults).sort() };`;
  const result = await run<{ echoed: string; faults: string[] }>("res.end();", client);
  expect(result.echoed).toBe("T-1");
  expect(result.faults).toEqual(["http-client", "http-server", "pino-logs", "undici-client"]);
});
