import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { distinctSpans, runHttpApp } from "./http-app.ts";
import { OtlpSink, type ReceivedSpan } from "./otlp-sink.ts";

let sink: OtlpSink;
let endpoint: string;

beforeEach(async () => {
  sink = new OtlpSink();
  endpoint = await sink.start();
});
afterEach(() => sink.stop());

function run<T>(client: string, env: Record<string, string> = {}): Promise<T> {
  const handler = `
    if (req.url === "/away") {
      return res.writeHead(302, { location: "http://localhost:" + port + "/there" }).end();
    }
    res.end(JSON.stringify({ ...req.headers, url: req.url, names: req.rawHeaders
      .filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase()) }));`;
  return runHttpApp<T>({ endpoint, handler, client, env });
}

type Headers = Readonly<Record<string, unknown>> & { readonly names: readonly string[] };

function clientSpans(): readonly ReceivedSpan[] {
  return distinctSpans(sink).filter((span) => span.kind === 3);
}

const IDS = ["x-transaction-id", "baggage", "traceparent", "clew-run"];

function told(headers: Headers): string[] {
  return headers.names.filter((name) => IDS.includes(name)).sort();
}

/** Every way of undici 8 to make a request, each to `path`, giving back its headers. */
const UNDICI: Readonly<Record<string, string>> = {
  request: `const { body } = await undici.request(url + path, { headers: own });
    return body.json();`,
  "its own fetch": `return (await undici.fetch(url + path, { headers: own })).json();`,
  "its own fetch with an Agent": `const dispatcher = new undici.Agent({ pipelining: 1 });
    return (await undici.fetch(url + path, { dispatcher, headers: own })).json();`,
  "an Agent": `const dispatcher = new undici.Agent();
    return (await undici.request(url + path, { dispatcher, headers: own })).body.json();`,
  "a Pool": `const pool = new undici.Pool(url, { connections: 2 });
    return (await pool.request({ path, method: "GET", headers: own })).body.json();`,
  "a Client": `const client = new undici.Client(url);
    return (await client.request({ path, method: "GET", headers: own })).body.json();`,
  "headers in a list": `const client = new undici.Client(url);
    const headers = Object.entries(own).flat();
    return (await client.request({ path, method: "GET", headers })).body.json();`,
  stream: `const { PassThrough } = await import("node:stream");
    const into = new PassThrough();
    await undici.stream(url + path, { opaque: into, headers: own }, ({ opaque }) => opaque);
    return JSON.parse((await into.toArray()).join(""));`,
  pipeline: `const out = undici.pipeline(url + path, { headers: own }, ({ body }) => body);
    out.end();
    return JSON.parse((await out.toArray()).join(""));`,
  "a dispatcher's handler": `const client = new undici.Client(url);
    return new Promise((resolve, reject) => {
      let text = "";
      client.dispatch({ path, method: "GET", headers: own }, {
        onRequestStart() {}, onResponseStart() {},
        onResponseData(_, chunk) { text += chunk; },
        onResponseEnd() { resolve(JSON.parse(text)); },
        onResponseError(_, error) { reject(error); },
      });
    });`,
};

const viaUndici = (body: string, own: string) => `
  const undici = await import("undici");
  const path = "/out?secret=1";
  const own = ${own};
  return transaction.run("T-7", async () => { ${body} });`;

describe.each(Object.entries(UNDICI))("out by undici: %s", (_, body) => {
  test("ID, baggage and trace once, as one trace with its span", async () => {
    const headers = await run<Headers>(viaUndici(body, "{ accept: 'x' }"));
    expect(told(headers)).toEqual([...IDS].sort());
    const [span, ...others] = clientSpans();
    expect(others).toEqual([]);
    expect(headers).toMatchObject({
      "x-transaction-id": "T-7",
      baggage: "clew.transaction.id=T-7",
      traceparent: `00-${span?.traceId}-${span?.spanId}-01`,
      accept: "x",
    });
    expect(span?.attributes).toMatchObject({ "http.response.status_code": 200 });
    expect(span?.attributes["url.full"]).toMatch(/\/out$/);
  });

  test("never over what the service set itself", async () => {
    const own = `{ "X-Transaction-ID": "mine", Baggage: "own=1" }`;
    const headers = await run<Headers>(viaUndici(body, own));
    // In another transaction than the span's, its answer would be no answer to this run.
    expect(told(headers)).toEqual(IDS.filter((name) => name !== "clew-run").sort());
    expect(headers).toMatchObject({ "x-transaction-id": "mine", baggage: "own=1" });
  });
});

/** A server with TLS and a certificate of its own, which the clients are told to trust. */
const TLS = `
  const https = (await import("node:https")).default;
  const { TEST_CERTIFICATE } = await import(process.env.CERTIFICATE);
  const secure = https.createServer(TEST_CERTIFICATE, (req, res) =>
    res.end(JSON.stringify({ ...req.headers, seen: transaction.id() })));
  await once(secure.listen(0, "127.0.0.1"), "listening");
  const secureUrl = "https://localhost:" + secure.address().port + "/tls?secret=1";
  const trust = { ca: TEST_CERTIFICATE.cert };
  const get = (options) => new Promise((resolve, reject) => https.get(secureUrl, options,
    async (res) => resolve(JSON.parse((await res.toArray()).join("")))).on("error", reject));
`;

test.each([
  ["node:https", "return get(trust);"],
  ["node:https with an agent", "return get({ agent: new https.Agent(trust) });"],
  [
    "node:https with a keep-alive agent",
    "return get({ agent: new https.Agent({ ...trust, keepAlive: true }) });",
  ],
  [
    "undici over TLS",
    `const { Agent, request } = await import("undici");
     const dispatcher = new Agent({ connect: trust });
     return (await request(secureUrl, { dispatcher })).body.json();`,
  ],
])("out by %s: ID and span on both sides", async (_, call) => {
  const client = `${TLS}
    const result = await transaction.run("T-8", async () => { ${call} });
    secure.close();
    secure.closeAllConnections();
    return result;`;
  const CERTIFICATE = new URL("./test-certificate.ts", import.meta.url).href;
  const headers = await run<Record<string, unknown>>(client, { CERTIFICATE });
  const [span] = clientSpans();
  expect(headers).toMatchObject({ "x-transaction-id": "T-8", seen: "T-8" });
  expect(span?.attributes["url.full"]).toMatch(/^https:\/\/localhost:\d+\/tls$/);
  const server = distinctSpans(sink).find((received) => received.kind === 2);
  expect(server?.attributes["url.scheme"]).toBe("https");
  expect(server?.parentSpanId).toBe(span?.spanId);
});

test("a certificate that is not trusted ends the span as an error", async () => {
  const CERTIFICATE = new URL("./test-certificate.ts", import.meta.url).href;
  const client = `${TLS}
    const code = await get({}).catch((error) => error.code);
    secure.close();
    return code;`;
  const code = await run<string>(client, { CERTIFICATE });
  expect(clientSpans()[0]).toMatchObject({ status: 2, attributes: { "error.type": code } });
});

const AGENT = `new http.Agent({ keepAlive: true, maxSockets: 1 })`;

test.each([
  ["an agent", `{ agent: ${AGENT} }`],
  ["no agent", "{ agent: false }"],
  ["a connection of its own", "{ createConnection: () => net.connect(port, '127.0.0.1') }"],
])("out by node:http with %s", async (_, options) => {
  const client = `return transaction.run("T-9", () => new Promise((resolve) =>
    http.request(url + "/x", ${options}, async (res) =>
      resolve(JSON.parse((await res.toArray()).join("")))).end()));`;
  const headers = await run<Headers>(client);
  expect(told(headers)).toEqual([...IDS].sort());
  expect(headers["x-transaction-id"]).toBe("T-9");
});

/**
 * A proxy sees the target in the request itself. The socket goes to the loopback, which may be
 * told; what is asked for lies elsewhere and may not.
 */
const PROXIED: Readonly<Record<string, string>> = {
  "node:http by hand": `new Promise((resolve) => http.get(
      { host: "127.0.0.1", port, path: TARGET, headers: { host: "shop.example" } },
      async (res) => resolve(JSON.parse((await res.toArray()).join("")))))`,
  "undici's ProxyAgent": `import("undici").then(async ({ ProxyAgent, request }) => {
      const dispatcher = new ProxyAgent({ uri: url, proxyTunnel: false });
      return (await request(TARGET, { dispatcher })).body.json();
    })`,
};

describe.each(Object.entries(PROXIED))("through a proxy by %s", (_, call) => {
  const client = (target: string) =>
    `const TARGET = "${target}"; return transaction.run("T-4", async () => ${call});`;

  test("to a foreign host: nothing is told", async () => {
    const headers = await run<Headers>(client("http://shop.example/buy?x=1"));
    expect(headers.url).toBe("http://shop.example/buy?x=1");
    expect(told(headers)).toEqual([]);
    expect(clientSpans()[0]?.attributes).toMatchObject({
      "url.full": "http://shop.example/buy",
      "server.address": "shop.example",
    });
  });

  test("to a host that may know: the IDs go along", async () => {
    const headers = await run<Headers>(client("http://stock.internal/buy"));
    expect(headers["x-transaction-id"]).toBe("T-4");
  });
});

test("a tunnel through a proxy: neither the proxy nor the foreign host are told", async () => {
  const client = `
    const { ProxyAgent, request } = await import("undici");
    const heads = [];
    const proxy = net.createServer((socket) => socket.once("data", (head) => {
      heads.push(String(head));
      socket.write("HTTP/1.1 200 OK\\r\\n\\r\\n");
      socket.once("data", (inner) => {
        heads.push(String(inner));
        socket.end("HTTP/1.1 200 OK\\r\\ncontent-length: 0\\r\\n\\r\\n");
      });
    }));
    await once(proxy.listen(0, "127.0.0.1"), "listening");
    const uri = "http://127.0.0.1:" + proxy.address().port;
    const dispatcher = new ProxyAgent({ uri, proxyTunnel: true });
    await transaction.run("T-4", () => request("http://shop.example/buy", { dispatcher }));
    proxy.close();
    return heads;`;
  const [head, inner] = await run<string[]>(client);
  expect(head).toMatch(/^CONNECT shop.example:80 /);
  expect(inner).toMatch(/^GET \/buy /);
  expect(`${head}${inner}`.toLowerCase()).not.toMatch(/x-transaction-id|baggage|traceparent/);
});

test.each([
  [
    "undici's redirects",
    `import("undici").then(async ({ Agent, interceptors, request }) => {
      const redirect = interceptors.redirect({ maxRedirections: 2 });
      const dispatcher = new Agent().compose(redirect);
      return (await request(url + "/away", { dispatcher })).body.json();
    })`,
  ],
  ["fetch", `fetch(url + "/away").then((res) => res.json())`],
])("%s to another host take nothing along", async (_, call) => {
  const env = { CLEW_OUTBOUND_HOSTS: "127.0.0.1" };
  const client = `return transaction.run("T-4", () => ${call});`;
  const headers = await run<Headers>(client, env);
  expect(headers.host).toContain("localhost");
  expect(told(headers)).toEqual([]);
  expect(clientSpans().map((span) => span.attributes["http.response.status_code"])).toEqual([
    302, 200,
  ]);
});
