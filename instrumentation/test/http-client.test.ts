import { afterEach, beforeEach, expect, test } from "vitest";
import { distinctLogs, distinctSpans, runHttpApp, UUID_V7 } from "./http-app.ts";
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

const clientSpan = () => spanOf(3);

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";

const HEADERS = "res.end(JSON.stringify(req.headers));";
const VIA_FETCH = (path: string) => `(await fetch(url + ${path})).json()`;
const VIA_HTTP = (path: string) =>
  `new Promise((resolve) => http.get(url + ${path}, async (res) => {
    resolve(JSON.parse((await res.toArray()).join("")));
  }))`;

test.each([
  ["fetch", VIA_FETCH],
  ["node:http", VIA_HTTP],
])("out by %s: ID, baggage and trace once, as one trace with its span", async (_, via) => {
  const client = `return transaction.run("T-5", () => context.with(
    propagation.setBaggage(context.active(), propagation.createBaggage({ k: { value: "ä v" } })),
    async () => ${via('"/out?secret=1"')}));`;
  const headers = await run<Record<string, string>>(HEADERS, client);
  expect(headers).toMatchObject({
    "x-transaction-id": "T-5",
    baggage: "clew.transaction.id=T-5,k=%C3%A4%20v",
    traceparent: `00-${clientSpan().traceId}-${clientSpan().spanId}-01`,
  });
  expect(serverSpan().parentSpanId).toBe(clientSpan().spanId);
  expect(clientSpan().attributes).toMatchObject({
    "clew.transaction.id": "T-5",
    "http.request.method": "GET",
    "http.response.status_code": 200,
    "server.address": "127.0.0.1",
    "clew.peer.run.id": clientSpan().resource["clew.run.id"],
  });
  expect(clientSpan().attributes["url.full"]).toMatch(/^http:\/\/127.0.0.1:\d+\/out$/);
});

test.each([
  ["fetch", `(await fetch(url, { headers: own })).json()`],
  ["node:http", VIA_HTTP('"/", { headers: own }').replace("url + ", "url + ")],
  ["node:http with a list", VIA_HTTP('"/", { headers: Object.entries(own).flat() }')],
])("out by %s: never over what the service set itself", async (_, call) => {
  const client = `
    const own = { host: "127.0.0.1:" + port, "X-Transaction-Id": "mine", Baggage: "own=1",
      traceparent: "00-${TRACE}-${PARENT}-01" };
    return transaction.run("T-5", async () => ${call});`;
  const headers = await run<Record<string, string>>(HEADERS, client);
  expect(headers).toMatchObject({
    "x-transaction-id": "mine",
    baggage: "own=1",
    traceparent: `00-${TRACE}-${PARENT}-01`,
  });
  expect(headers).not.toHaveProperty("tracestate");
});

test("headers given as a list get the ID too", async () => {
  const call = VIA_HTTP('"/", { headers: ["host", "127.0.0.1:" + port, "x-a", "1"] }');
  const client = `return transaction.run("T-5", async () => ${call});`;
  const headers = await run<Record<string, string>>(HEADERS, client);
  expect(headers).toMatchObject({ "x-a": "1", "x-transaction-id": "T-5" });
});

const IDS = ["x-transaction-id", "baggage", "traceparent", "clew-run"];

test.each([
  ["fetch", VIA_FETCH('"/"')],
  ["node:http", VIA_HTTP('"/"')],
])("out by %s to a host that is not listed: a span, and nothing is told", async (_, call) => {
  const env = { CLEW_OUTBOUND_HOSTS: "*.example.com,localhost" };
  const client = `return transaction.run("T-5", async () => ${call});`;
  const headers = await run<Record<string, string>>(HEADERS, client, env);
  expect(Object.keys(headers).filter((name) => IDS.includes(name))).toEqual([]);
  expect(clientSpan().attributes["clew.transaction.id"]).toBe("T-5");
});

test("a redirect to another host takes no ID along, and each hop has its span", async () => {
  const handler = `
    if (req.url !== "/first") return res.end(JSON.stringify(req.headers));
    res.writeHead(302, { location: "http://localhost:" + port + "/second" }).end();`;
  const client = `return transaction.run("T-5", async () => (await fetch(url + "/first")).json());`;
  const env = { CLEW_OUTBOUND_HOSTS: "127.0.0.1" };
  const headers = await run<Record<string, string>>(handler, client, env);
  expect(headers.host).toContain("localhost");
  expect(Object.keys(headers).filter((name) => IDS.includes(name))).toEqual([]);
  const hops = distinctSpans(sink).filter((span) => span.kind === 3);
  expect(hops.map((span) => span.attributes["http.response.status_code"])).toEqual([302, 200]);
  const servers = distinctSpans(sink).filter((span) => span.kind === 2);
  expect(servers.map((span) => span.attributes["clew.transaction.id"])).toEqual([
    "T-5",
    expect.stringMatching(UUID_V7),
  ]);
});

test("outside of a transaction a call begins one, and both sides know the same", async () => {
  const headers = await run<Record<string, string>>(HEADERS, `return ${VIA_FETCH('"/"')};`);
  const id = headers["x-transaction-id"];
  expect(id).toMatch(UUID_V7);
  expect(clientSpan().attributes).toMatchObject({
    "clew.transaction.id": id,
    "clew.transaction.start": true,
  });
  expect(serverSpan().attributes["clew.transaction.id"]).toBe(id);
  expect(serverSpan().attributes).not.toHaveProperty("clew.transaction.start");
});

test.each([
  ["fetch", "fetch(dead).catch((e) => e.cause.code)"],
  ["node:http", "new Promise((r) => http.get(dead, r).on('error', (e) => r(e.code)))"],
])("a refused connection by %s ends the span as an error", async (_, call) => {
  const client = `
    const gone = net.createServer().listen(0, "127.0.0.1");
    await once(gone, "listening");
    const dead = "http://127.0.0.1:" + gone.address().port;
    gone.close();
    await once(gone, "close");
    return ${call};`;
  expect(await run("res.end();", client)).toBe("ECONNREFUSED");
  expect(clientSpan()).toMatchObject({ status: 2, attributes: { "error.type": "ECONNREFUSED" } });
});

test.each([
  ["fetch", `fetch(url).then((r) => r.text()).catch((e) => "broke")`],
  [
    "node:http",
    `new Promise((r) => http.get(url, (res) => res.resume().on("error", () => r("broke"))))`,
  ],
])("an answer that breaks off by %s ends the span as an error", async (_, call) => {
  const handler = `res.writeHead(200, { "content-length": "10" }); res.write("abc");
    setTimeout(() => res.destroy(), 20);`;
  expect(await run(handler, `return ${call};`)).toBe("broke");
  expect(clientSpan()).toMatchObject({
    status: 2,
    attributes: { "http.response.status_code": 200, "error.type": expect.any(String) },
  });
});

test.each([404, 500])("status %d: the client's span is an error", async (status) => {
  await run(`res.statusCode = ${status}; res.end();`, `return (await fetch(url)).text();`);
  expect(clientSpan()).toMatchObject({ status: 2, attributes: { "error.type": String(status) } });
  expect(serverSpan().status).toBe(status === 500 ? 2 : 0);
});

test.each([
  ["fetch", "fetch(url, { signal }).then(() => 'answered', (error) => error.message)"],
  [
    "node:http",
    `new Promise((resolve) => http.get(url, { signal }).on("error", (error) => {
      resolve(error.cause.message);
    }))`,
  ],
])("%s given up for a marked reason: expected, and no error", async (_, call) => {
  const client = `
    const { markExpected } = await import("@clew/instrumentation");
    const controller = new AbortController();
    const { signal } = controller;
    server.once("request", () => controller.abort(markExpected(new Error("the user left"))));
    return ${call};`;
  expect(await run("req.on('error', () => undefined);", client)).toBe("the user left");
  expect(clientSpan()).toMatchObject({ status: 0, attributes: { "clew.error.expected": true } });
});

test("a user's spans are in the same trace and carry the transaction", async () => {
  const handler = `
    await trace.getTracer("shop", "2").startActiveSpan("work", async (span) => {
      span.setAttribute("n", 1).addEvent("half", { k: true });
      span.recordException(new TypeError("bad"));
      console.log("inside");
      await fetch(url + "/leaf").then((r) => r.text());
      span.end();
    });
    res.end();`;
  const leaf = `if (req.url === "/leaf") return res.end();`;
  await run(leaf + handler, `return (await fetch(url + "/top")).text();`);
  const work = distinctSpans(sink).find((span) => span.name === "work");
  const top = distinctSpans(sink).find((s) => s.kind === 2 && s.attributes["url.path"] === "/top");
  const call = distinctSpans(sink).find(
    (s) => s.kind === 3 && `${s.attributes["url.full"]}`.includes("leaf"),
  );
  expect(work).toMatchObject({ scope: "shop", parentSpanId: top?.spanId, traceId: top?.traceId });
  expect(call?.parentSpanId).toBe(work?.spanId);
  expect(
    new Set(distinctSpans(sink).map((span) => span.attributes["clew.transaction.id"])).size,
  ).toBe(1);
  expect(work?.attributes).toMatchObject({ n: 1, "clew.span.logs": 1 });
  expect(work?.events.map((event) => event.name)).toEqual(["half", "exception"]);
  expect(work?.events[1]?.attributes["exception.type"]).toBe("TypeError");
  expect(distinctLogs(sink)[0]).toMatchObject({ spanId: work?.spanId, traceId: work?.traceId });
});

test("our own requests to the collector are no spans", async () => {
  const client = `
    await (await fetch(url)).text();
    while (instrumentationStats().traces.delivered < 2) await new Promise((r) => setTimeout(r, 20));
    await (await fetch(url)).text();
    return instrumentationStats();`;
  await run("res.end();", client);
  expect(sink.requests.length).toBeGreaterThan(1);
  expect(
    distinctSpans(sink)
      .map((span) => span.kind)
      .sort(),
  ).toEqual([2, 2, 3, 3]);
});

test("OTEL_TRACES_SAMPLER=always_off: summaries are left, the IDs still flow", async () => {
  const env = { OTEL_TRACES_SAMPLER: "always_off" };
  const client = `return transaction.run("T-5", async () => ${VIA_FETCH('"/"')});`;
  const headers = await run<Record<string, string>>(HEADERS, client, env);
  expect(headers["x-transaction-id"]).toBe("T-5");
  expect(headers.traceparent).toMatch(/-00$/);
  expect(distinctSpans(sink).map((span) => span.attributes["clew.span.summary"])).toEqual([
    true,
    true,
  ]);
});
