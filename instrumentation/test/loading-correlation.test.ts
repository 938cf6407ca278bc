import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { OtlpSink } from "./otlp-sink.ts";

const run = promisify(execFile);
const MODULES = resolve(import.meta.dirname, "../../node_modules");
const REGISTER = "@clew/instrumentation/register";
const CORRELATION = "@clew/instrumentation/correlation";
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

let sink: OtlpSink;
let folder: string;

beforeEach(async () => {
  sink = new OtlpSink();
  await sink.start();
  folder = await mkdtemp(join(tmpdir(), "clew-correlation-"));
  await symlink(MODULES, join(folder, "node_modules"));
});
afterEach(async () => {
  await sink.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Program {
  readonly code: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs an ES module; answers its lines, parsed. */
async function node(program: Program): Promise<Record<string, unknown>[]> {
  const { code, args = ["--import", CORRELATION], env = {} } = program;
  await writeFile(join(folder, "app.mjs"), code);
  const { stdout, stderr } = await run(process.execPath, [...args, "app.mjs"], {
    cwd: folder,
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${sink.port}`,
      CLEW_METRICS_PORT: "off",
      CLEW_SPOOL_DIR: join(folder, "spool"),
      ...env,
    },
  });
  expect(stderr).toBe("");
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

/** A service that calls itself by \`call(url)\` and answers with the headers it was told there. */
function service(call: string, ask: string): string {
  return `
    import http from "node:http";
    import { transaction } from "@clew/instrumentation/correlation";
    const server = http.createServer(async (req, res) => {
      if (req.url === "/told") { res.end(JSON.stringify(req.headers)); return; }
      let sent = "";
      req.on("data", (chunk) => { sent += chunk; });
      req.on("end", async () => {
        const inside = transaction.id();
        const told = await call("http://127.0.0.1:" + server.address().port + "/told");
        res.on("finish", () => console.log(JSON.stringify({ finish: transaction.id() })));
        res.end(JSON.stringify({ inside, after: transaction.id(), told, sent }));
      });
    });
    const byHttp = (url, options = {}) => new Promise((resolve) => http.get(url, options, (res) => {
      let body = "";
      res.on("data", (chunk) => { body += chunk; });
      res.on("end", () => resolve(JSON.parse(body)));
    }));
    const byFetch = (url, options = {}) => fetch(url, options).then((answer) => answer.json());
    const call = (url) => ${call};
    server.listen(0, "127.0.0.1", async () => {
      const url = "http://127.0.0.1:" + server.address().port;
      const answer = await fetch(url, { method: "POST", body: "x", ${ask} });
      const echoed = answer.headers.get("x-transaction-id");
      console.log(JSON.stringify({ echoed, ...await answer.json() }));
      server.close();
      server.closeAllConnections();
    });`;
}

test.each([
  ["node:http", "byHttp(url)"],
  ["node:http, headers as a list", 'byHttp(url, { headers: ["host", new URL(url).host] })'],
  ["fetch", "byFetch(url)"],
])("the ID comes in and goes out by %s, and is known in between", async (_name, call) => {
  const headers = { "x-transaction-id": "T-1", baggage: "tenant=a", traceparent: TRACE };
  const ask = `headers: ${JSON.stringify(headers)}`;
  const lines = await node({ code: service(call, ask) });
  expect(lines).toContainEqual({ finish: "T-1" });
  const result = lines.find((line) => "echoed" in line);
  expect(result).toMatchObject({ echoed: "T-1", inside: "T-1", after: "T-1", sent: "x" });
  expect(result?.told).toMatchObject({
    "x-transaction-id": "T-1",
    baggage: "clew.transaction.id=T-1,tenant=a",
    traceparent: TRACE,
  });
  expect(result?.told).not.toHaveProperty("clew-run");
});

test.each([
  ["no ID", "", {}, UUID_V7],
  ["a bad ID", 'headers: { "x-transaction-id": "a b" }', {}, UUID_V7],
  ["no trust", 'headers: { "x-transaction-id": "T-1" }', { CLEW_TRUST_INBOUND: "0" }, UUID_V7],
])("with %s a new one is made, and is the same everywhere", async (_name, ask, env, wanted) => {
  const lines = await node({ code: service("byFetch(url)", ask), env });
  const { echoed, inside, told } = lines.find((line) => "echoed" in line) ?? {};
  expect(echoed).toMatch(wanted);
  expect(inside).toBe(echoed);
  expect(told).toMatchObject({ "x-transaction-id": echoed });
});

test("the service's own header stays, and a host that is not listed is told nothing", async () => {
  const own = '{ headers: { "X-Transaction-ID": "own", baggage: "mine=1" } }';
  const ask = 'headers: { "x-transaction-id": "T-1" }';
  for (const call of [`byHttp(url, ${own})`, `byFetch(url, ${own})`]) {
    const lines = await node({ code: service(call, ask) });
    const { told } = lines.find((line) => "echoed" in line) ?? {};
    expect(told).toMatchObject({ "x-transaction-id": "own", baggage: "mine=1" });
  }
  const env = { CLEW_OUTBOUND_HOSTS: "shop.example" };
  for (const call of ["byHttp(url)", "byFetch(url)"]) {
    const lines = await node({ code: service(call, ask), env });
    const { told } = lines.find((line) => "echoed" in line) ?? {};
    expect(told).not.toHaveProperty("x-transaction-id");
    expect(told).not.toHaveProperty("baggage");
  }
});

test("lines of pino, winston and bunyan carry the ID, and messages to Kafka", async () => {
  const lines = await node({
    code: `
      import bunyan from "bunyan";
      import pino from "pino";
      import winston from "winston";
      import { instrumentKafka } from "@clew/instrumentation";
      import { transaction } from "@clew/instrumentation/correlation";
      const sent = [];
      const producer = { send: async (record) => { sent.push(record); return []; } };
      const kafka = instrumentKafka({ producer: () => producer, consumer: () => ({}) });
      await transaction.run("T-1", async () => {
        pino({ base: null }).child({ order: 7 }).info({ nested: { a: 1 } }, "pino");
        winston.createLogger({ transports: [new winston.transports.Console()] }).info("winston");
        bunyan.createLogger({ name: "b" }).info("bunyan");
        await kafka.producer().send({ topic: "orders", messages: [{ value: "one" }] });
      });
      pino({ base: null }).info("outside");
      const id = String(sent[0].messages[0].headers["x-transaction-id"]);
      console.log(JSON.stringify({ kafka: id }));`,
  });
  const stamped = lines.filter(({ transaction_id }) => transaction_id === "T-1");
  expect(stamped.map((line) => line.msg ?? line.message).toSorted()).toEqual([
    ...["bunyan", "pino", "winston"],
  ]);
  const withFields = { order: 7, nested: { a: 1 }, msg: "pino", transaction_id: "T-1" };
  expect(stamped).toContainEqual(expect.objectContaining(withFields));
  expect(lines).toContainEqual({ kafka: "T-1" });
});

test("it sends nothing, writes no file, keeps nothing running and loads no SDK", async () => {
  await writeFile(
    join(folder, "watch.mjs"),
    `import { registerHooks } from "node:module";
     globalThis.resolved = [];
     registerHooks({ resolve: (specifier, context, next) => {
       const found = next(specifier, context);
       globalThis.resolved.push(found.url);
       return found;
     } });`,
  );
  const [seen = {}] = await node({
    code: `
      import { transaction } from "@clew/instrumentation/correlation";
      transaction.run("T-1", () => transaction.step("one"));
      const active = process.getActiveResourcesInfo().filter((name) => name !== "PipeWrap");
      console.log(JSON.stringify({ active, resolved: globalThis.resolved }));`,
    args: ["--import", "./watch.mjs", "--import", CORRELATION],
  });
  expect(seen.active).toEqual([]);
  const resolved = seen.resolved as string[];
  expect(resolved.filter((url) => url.includes("/correlation/")).length).toBeGreaterThan(3);
  const heavy = /[/]@opentelemetry[/]|prom-client|[/]src[/](?:spool|metrics|otel-sdk)[/]/;
  expect(resolved.filter((url) => heavy.test(url))).toEqual([]);
  expect(sink.requests).toEqual([]);
  expect(existsSync(join(folder, "spool"))).toBe(false);
});

test.each([
  [CORRELATION, REGISTER],
  [REGISTER, CORRELATION],
])("%s and then %s: every ID and every record once", async (...order) => {
  const ask = 'headers: { "x-transaction-id": "T-1" }';
  const lines = await node({
    code: `import pino from "pino"; ${service("{ pino().info('in'); return byHttp(url); }", ask)}`,
    args: order.flatMap((entry) => ["--import", entry]),
  });
  const { echoed, told } = lines.find((line) => "echoed" in line) ?? {};
  expect(echoed).toBe("T-1");
  expect(told).toMatchObject({ "x-transaction-id": "T-1", baggage: "clew.transaction.id=T-1" });
  expect(lines.filter((line) => line.msg === "in" && line.transaction_id === "T-1")).toHaveLength(
    1,
  );
  expect(sink.logs.filter(({ body }) => body === "in")).toHaveLength(1);
  expect(sink.spans.map(({ kind }) => kind).toSorted()).toEqual([2, 2, 3, 3]);
});

test("OTEL_SDK_DISABLED turns IDs off as well", async () => {
  const ask = 'headers: { "x-transaction-id": "T-1" }';
  const env = { OTEL_SDK_DISABLED: "true" };
  const lines = await node({ code: service("byFetch(url)", ask), env });
  const { echoed, inside } = lines.find((line) => "echoed" in line) ?? {};
  expect([echoed, inside]).toEqual([null, undefined]);
});
