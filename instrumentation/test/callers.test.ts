/** Which run called and which one answered, told only where the verdict may take it for certain. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { distinctSpans, runHttpApp } from "./http-app.ts";
import { OtlpSink } from "./otlp-sink.ts";

let sink: OtlpSink;
let endpoint: string;

beforeEach(async () => {
  sink = new OtlpSink();
  endpoint = await sink.start();
});
afterEach(() => sink.stop());

const PARENT = `00-${"1".repeat(32)}-${"2".repeat(16)}-01`;
const RUN = "3".repeat(32);
const CALLER = "clew.caller.run.id";
const PEER = "clew.peer.run.id";

interface Asked {
  readonly client: string;
  readonly handler?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a service that calls itself; answers its client's and its server's spans. */
async function spansOf({ client, handler = "res.end();", env = {} }: Asked) {
  await runHttpApp({ endpoint, env, handler, client: `${client} return null;` });
  const all = distinctSpans(sink);
  const find = (kind: number) => all.filter((span) => span.kind === kind);
  const runId = all[0]?.resource["clew.run.id"];
  return { clients: find(3), servers: find(2), runId };
}

const FETCH = `await transaction.run("T-1", () => fetch(url).then((res) => res.text()));`;
const GET = (headers: string) => `await transaction.run("T-1", () => new Promise((resolve) => {
  http.get(url, { headers: ${headers} }, (res) => res.on("close", resolve).resume());
}));`;

test.each([
  ["fetch", FETCH],
  ["node:http", GET("{}")],
  ["node:http with a list", GET('["x-a", "1"]')],
  ["fetch, without any transaction", "await (await fetch(url)).text();"],
  ["a connection that is used again", `${FETCH} ${FETCH} ${FETCH}`],
])("by %s each names the other", async (_, client) => {
  const { clients, servers, runId } = await spansOf({ client });
  expect(runId).toMatch(/^[0-9a-f]{32}$/);
  expect(clients.length).toBe(servers.length);
  const ids = clients.map((span) => span.spanId);
  expect(servers.map((span) => span.parentSpanId).toSorted()).toEqual(ids.toSorted());
  for (const span of clients) expect(span.attributes[PEER]).toBe(runId);
  for (const span of servers) expect(span.attributes[CALLER]).toBe(runId);
});

test("summaries of spans that were not sampled name them too, and their logs", async () => {
  const env = { OTEL_TRACES_SAMPLER: "always_off" };
  const handler = `console.log("in"); res.end();`;
  const { clients, servers, runId } = await spansOf({ client: FETCH, handler, env });
  expect(clients).toMatchObject([
    { attributes: { [PEER]: runId, "clew.span.summary": true, "clew.span.logs": 0 } },
  ]);
  expect(servers).toMatchObject([
    { attributes: { [CALLER]: runId, "clew.span.summary": true, "clew.span.logs": 1 } },
  ]);
});

const ASK = (...lines: string[]) =>
  `await ask(${lines.map((line) => JSON.stringify(line)).join(", ")});`;

test.each<[string, Asked]>([
  ["an unknown caller", { client: ASK("x-transaction-id: T-1", `traceparent: ${PARENT}`) }],
  ["a caller without a span", { client: ASK("x-transaction-id: T-1", `clew-run: ${RUN}`) }],
  ["a caller without a transaction", { client: ASK(`traceparent: ${PARENT}`, `clew-run: ${RUN}`) }],
  [
    "a caller with a transaction that is not taken",
    { client: ASK("x-transaction-id: a b", `traceparent: ${PARENT}`, `clew-run: ${RUN}`) },
  ],
  [
    "a caller who names two runs",
    {
      client: ASK(
        ...["x-transaction-id: T-1", `traceparent: ${PARENT}`],
        ...[`clew-run: ${RUN}`, "clew-run: other"],
      ),
    },
  ],
  [
    "a caller that is not trusted",
    {
      client: ASK("x-transaction-id: T-1", `traceparent: ${PARENT}`, `clew-run: ${RUN}`),
      env: { CLEW_TRUST_INBOUND: "0" },
    },
  ],
])("no run is taken over from %s", async (_, asked) => {
  const { servers } = await spansOf(asked);
  expect(servers).toHaveLength(1);
  expect(servers[0]?.attributes).not.toHaveProperty([CALLER]);
});

test("one that says all of it is named", async () => {
  const client = ASK("x-transaction-id: T-1", `traceparent: ${PARENT}`, `clew-run: ${RUN}`);
  const { servers } = await spansOf({ client });
  expect(servers[0]?.attributes[CALLER]).toBe(RUN);
});

test.each<[string, Asked]>([
  ["a trace that the service continues itself", { client: GET(`{ traceparent: "${PARENT}" }`) }],
  ["a transaction of its own", { client: GET('{ "x-transaction-id": "T-2" }') }],
  ["a run that a gateway copied", { client: GET(`{ "clew-run": "${RUN}" }`) }],
  ["a host that is told nothing", { client: FETCH, env: { CLEW_OUTBOUND_HOSTS: "a.example" } }],
  ["a server that trusts nobody", { client: FETCH, env: { CLEW_TRUST_INBOUND: "0" } }],
])("no run is said to have answered to %s", async (_, asked) => {
  const { clients, servers, runId } = await spansOf(asked);
  expect([clients.length, servers.length]).toEqual([1, 1]);
  expect(clients[0]?.attributes).not.toHaveProperty([PEER]);
  expect(servers[0]?.attributes[CALLER]).not.toBe(runId);
});

test("what a gateway copies from an answer does not pass for its own", async () => {
  const handler = `
    if (req.url === "/inner") return res.end();
    const inner = await fetch(url + "/inner", { headers: { traceparent: "${PARENT}" } });
    res.writeHead(200, { "clew-run": "${RUN}" }).end(await inner.text());`;
  const client = GET('{ "x-transaction-id": "T-2" }');
  const { clients } = await spansOf({ client, handler });
  expect(clients).toHaveLength(2);
  for (const span of clients) expect(span.attributes).not.toHaveProperty([PEER]);
});

test.each([
  ["none", "none"],
  ["printed", "console"],
])("a service whose spans are %s claims none, and reports none", async (_, exporter) => {
  const seen = "const seen = [];";
  const handler = "console.log(1); seen.push(req.headers['clew-run'] ?? null); res.end();";
  const told = await runHttpApp<{ seen: unknown[]; answered: unknown }>({
    ...{ endpoint, env: { OTEL_TRACES_EXPORTER: exporter } },
    handler: `globalThis.seen ??= []; ${handler.replace("seen.push", "globalThis.seen.push")}`,
    client: `${seen} const res = await transaction.run("T-1", () => fetch(url));
      await res.text();
      return { seen: globalThis.seen, answered: res.headers.get("clew-run") };`,
  });
  expect(told).toEqual({ seen: [null], answered: null });
  expect(sink.reports.at(-1)?.attributes["clew.report.spans.emitted"]).toBe(0);
});
