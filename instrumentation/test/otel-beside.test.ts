import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { observe, spanNamed } from "./otel-observed.ts";

/** Issue 4, scenario 20: inside a user's own NodeSDK, beside another agent, and turned off. */
const ALONE = { args: ["--input-type=module"] };

/** A user's own SDK that exports to the same collector, so that a doubled span would be seen. */
const OWN_SDK = (parts: string) => `
  import { NodeSDK } from "@opentelemetry/sdk-node";
  import { SimpleSpanProcessor } from "@opentelemetry/sdk-trace";
  import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
  import { SimpleLogRecordProcessor } from "@opentelemetry/sdk-logs";
  import { OTLPLogExporter } from "@opentelemetry/exporter-logs-otlp-proto";
  import {
    CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator,
  } from "@opentelemetry/core";
  import { logs } from "@opentelemetry/api";
  import {
    TransactionLogRecordProcessor, TransactionPropagator, TransactionSpanProcessor,
  } from "@clew/instrumentation";
  const spans = new SimpleSpanProcessor({ exporter: new OTLPTraceExporter() });
  const records = new SimpleLogRecordProcessor({ exporter: new OTLPLogExporter() });
  const startOwnSdk = () => {
    const sdk = new NodeSDK({ autoDetectResources: false, metricReaders: [], ${parts} });
    sdk.start();
    return sdk;
  };
`;
const WITH_PARTS = `
  textMapPropagator: new CompositePropagator({ propagators: [
    new W3CTraceContextPropagator(), new W3CBaggagePropagator(), new TransactionPropagator(),
  ] }),
  spanProcessors: [new TransactionSpanProcessor(), spans],
  logRecordProcessors: [new TransactionLogRecordProcessor(), records],
`;
const WITHOUT_PARTS = "spanProcessors: [spans], logRecordProcessors: [records],";

/** A service that calls itself once, and tells what the inner request was sent. */
const CALL_ITSELF = `
  const { default: http } = await import("node:http");
  const server = http.createServer(async (request, response) => {
    if (request.url === "/inner") return response.end(JSON.stringify(request.headers));
    console.log("in the handler");
    const inner = await fetch("http://127.0.0.1:" + server.address().port + "/inner");
    response.end(await inner.text());
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const at = { port: server.address().port, path: "/", agent: false };
  const headers = { "x-transaction-id": "T-1" };
  const text = await new Promise((resolve) => {
    http.get({ ...at, host: "127.0.0.1", headers }, (response) => {
      response.setEncoding("utf8").on("data", resolve);
    });
  });
  process.stderr.write("inner " + text + "\\n");
  server.close();
  server.closeAllConnections();
`;

const innerHeaders = (stderr: string) =>
  JSON.parse(/^inner (.*)$/m.exec(stderr)?.[1] ?? "{}") as Record<string, string>;

test("the parts inside a user's own NodeSDK, without register", async () => {
  const seen = await observe({
    ...ALONE,
    env: {},
    code: `
      ${OWN_SDK(WITH_PARTS)}
      const sdk = startOwnSdk();
      const sent = {};
      transaction.run("T-1", () => {
        trace.getTracer("own").startActiveSpan("mine", (span) => {
          logs.getLogger("own").emit({ body: "line" });
          propagation.inject(context.active(), sent);
          span.end();
        });
      });
      const received = propagation.extract(context.active(), { "x-transaction-id": "T-2" });
      trace.getTracer("own").startSpan("received", {}, received).end();
      process.stdout.write(JSON.stringify(sent));
      await sdk.shutdown();
    `,
  });
  expect(seen.end).toMatchObject({ code: 0, stderr: "" });
  expect(spanNamed(seen, "mine").attributes).toMatchObject({
    "clew.transaction.id": "T-1",
    "clew.span.logs": 1,
  });
  expect(spanNamed(seen, "received").attributes["clew.transaction.id"]).toBe("T-2");
  expect(seen.logs[0]?.attributes["clew.transaction.id"]).toBe("T-1");
  const { traceId, spanId } = spanNamed(seen, "mine");
  expect(JSON.parse(seen.end.stdout)).toEqual({
    traceparent: `00-${traceId}-${spanId}-01`,
    "x-transaction-id": "T-1",
    baggage: "clew.transaction.id=T-1",
  });
  expect(seen.spans).toHaveLength(2);
});

describe("beside a user's own NodeSDK", () => {
  test("that starts after register: it is said, spans are ours and none is doubled", async () => {
    const seen = await observe({
      env: {},
      code: `${OWN_SDK(WITHOUT_PARTS)} const sdk = startOwnSdk(); ${CALL_ITSELF}
        tracer.startSpan("mine").end(); await sdk.shutdown();`,
    });
    expect(seen.end.code).toBe(0);
    expect(seen.warnings).toHaveLength(1);
    expect(seen.warnings[0]).toContain("started after @clew/instrumentation/register");
    expect(seen.spans.filter((span) => span.name === "mine")).toHaveLength(1);
    expect(seen.spans.filter((span) => span.kind === 2)).toHaveLength(2);
    expect(innerHeaders(seen.end.stderr)["x-transaction-id"]).toBe("T-1");
  });

  test("that started before: it is said, spans are left to it, IDs go on", async () => {
    const seen = await observe({
      ...ALONE,
      env: {},
      code: `${OWN_SDK(WITHOUT_PARTS)} const sdk = startOwnSdk();
        await import("@clew/instrumentation/register");
        ${CALL_ITSELF} trace.getTracer("own").startSpan("mine").end(); await sdk.shutdown();`,
    });
    expect(seen.end.code).toBe(0);
    expect(seen.warnings).toHaveLength(1);
    expect(seen.warnings[0]).toContain("registered before @clew/instrumentation/register");
    expect(seen.spans.map((span) => span.name)).toEqual(["mine"]);
    expect(innerHeaders(seen.end.stderr)["x-transaction-id"]).toBe("T-1");
    const line = seen.logs.find((log) => log.body === "in the handler");
    expect(line?.attributes["clew.transaction.id"]).toBe("T-1");
  });
});

/** What agents do: they wrap Node's functions, begin from the root context, and set headers. */
const AGENT = `
  import { subscribe } from "node:diagnostics_channel";
  import nodeHttp from "node:http";
  import { ROOT_CONTEXT } from "@opentelemetry/api";
  const agent = trace.getTracer("@opentelemetry/instrumentation-http");
  const emit = nodeHttp.Server.prototype.emit;
  nodeHttp.Server.prototype.emit = function (event, ...args) {
    if (event !== "request") return emit.call(this, event, ...args);
    const extracted = propagation.extract(ROOT_CONTEXT, args[0].headers);
    const span = agent.startSpan("GET by agent", { kind: 1 }, extracted);
    args[1].once("close", () => span.end());
    return context.with(trace.setSpan(extracted, span), () => emit.call(this, event, ...args));
  };
  const undici = trace.getTracer("@opentelemetry/instrumentation-undici");
  subscribe("undici:request:create", ({ request }) => {
    const headers = {};
    const span = undici.startSpan("GET by agent", { kind: 2 });
    propagation.inject(trace.setSpan(context.active(), span), headers);
    for (const [name, value] of Object.entries(headers)) request.addHeader(name, value);
  });
  const get = nodeHttp.get;
  nodeHttp.get = (options, done) => {
    const span = agent.startSpan("call by agent", { kind: 2 });
    const request = get({ ...options, headers: { ...options.headers, "x-agent": "1" } }, done);
    return request.once("close", () => span.end());
  };
  const fetchByNode = globalThis.fetch;
  globalThis.fetch = (url, init) => fetchByNode(url, { ...init, headers: { "x-agent": "1" } });
`;

test("beside another agent: no crash, no doubled span, IDs still flow", async () => {
  const seen = await observe({ env: {}, code: AGENT + CALL_ITSELF });
  expect(seen.end.code).toBe(0);
  expect(seen.warnings).toEqual([]);
  expect(innerHeaders(seen.end.stderr)).toMatchObject({
    "x-agent": "1",
    "x-transaction-id": "T-1",
  });
  expect(seen.spans.map((span) => span.kind).sort()).toEqual([2, 2, 3, 3]);
  expect(seen.spans.map((span) => span.attributes["clew.transaction.id"])).toContain("T-1");
  const line = seen.logs.find((log) => log.body === "in the handler");
  expect(line?.attributes["clew.transaction.id"]).toBe("T-1");
});

test.each([
  ["nobody traces with it: requests are traced, the API's spans are lost", "", "are lost"],
  ["somebody traces with it: spans are left to that one", "trace: {},", "are left to it"],
])("an older @opentelemetry/api was first, %s", async (_, registered, said) => {
  const seen = await observe({
    ...ALONE,
    env: {},
    code: `
      globalThis[Symbol.for("opentelemetry.js.api.1")] = { version: "1.4.0", ${registered} };
      await import("@clew/instrumentation/register");
      ${CALL_ITSELF}
    `,
  });
  expect(seen.end.code).toBe(0);
  expect(seen.warnings).toHaveLength(1);
  expect(seen.warnings[0]).toContain(said);
  expect(seen.warnings[0]).toContain("@opentelemetry/api 1.4.0 registered first");
  expect(seen.warnings[0]).toContain("npm ls @opentelemetry/api");
  expect(innerHeaders(seen.end.stderr)["x-transaction-id"]).toBe("T-1");
  expect(seen.spans.length > 0).toBe(registered === "");
});

test.each([
  [undefined, { traceparent: "00-0af7651916cd43dd8448eb211c803101-b7ad6b7169203331-01" }],
  ["b3", { b3: "0af7651916cd43dd8448eb211c803101-b7ad6b7169203331-1" }],
])("OTEL_SDK_DISABLED=true: nothing at all but OTEL_PROPAGATORS=%s", async (propagators, want) => {
  const folder = mkdtempSync(join(tmpdir(), "clew-disabled-"));
  try {
    const seen = await observe({
      env: {
        OTEL_SDK_DISABLED: "true",
        CLEW_METRICS_PORT: "0",
        CLEW_SPOOL_DIR: join(folder, "spool"),
        ...(propagators === undefined ? {} : { OTEL_PROPAGATORS: propagators }),
      },
      code: `
        import { hasSubscribers } from "node:diagnostics_channel";
        const sent = {};
        propagation.inject(below(1, 1), sent);
        const channels = ["http.server.request.start", "http.client.request.created",
          "undici:request:create", "console.log", "tracing:pino_asJson:start"];
        const facts = {
          sent,
          listened: channels.filter((channel) => hasSubscribers(channel)),
          signals: ["SIGTERM", "SIGINT", "exit", "beforeExit", "uncaughtExceptionMonitor"]
            .filter((event) => process.listenerCount(event) > 0),
          resources: process.getActiveResourcesInfo()
            .filter((name) => !["PipeWrap", "FSReqCallback"].includes(name)),
          isHooked: Symbol.for("clew.module.loaded") in globalThis,
          isRecording: tracer.startSpan("x").isRecording(),
        };
        metrics.getMeter("x").createCounter("y").add(1);
        console.log(JSON.stringify(facts));
      `,
    });
    expect(seen.end).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(seen.end.stdout)).toEqual({
      sent: want,
      listened: [],
      signals: [],
      resources: [],
      isHooked: false,
      isRecording: false,
    });
    expect(seen.requests).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
