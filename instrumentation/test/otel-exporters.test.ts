import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { observe, spanNamed, WORK } from "./otel-observed.ts";
import { makeCertificates, OtelReceiver, removeCertificates } from "./otel-receiver.ts";

/** The variables that OpenTelemetry's SDK has exporters for, and the certificates of both paths. */
let receiver: OtelReceiver;

beforeEach(() => {
  receiver = new OtelReceiver();
});
afterEach(() => receiver.stop());

const paths = () => receiver.requests.map(({ path }) => path).sort();
const jsonOf = (path: string) => {
  const found = receiver.requests.find((request) => request.path === path);
  return JSON.parse(found?.body.toString() ?? "null");
};
const STATS = `
  process.on("exit", () => process.stderr.write(JSON.stringify(instrumentationStats())));
`;

test("OTEL_EXPORTER_OTLP_PROTOCOL=http/json: spans and log records with their uids", async () => {
  const port = await receiver.http();
  const seen = await observe({
    env: {
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_HEADERS: "api-key=one",
    },
  });
  expect(seen.end).toMatchObject({ code: 0, stderr: "" });
  expect(paths()).toEqual(["/v1/logs", "/v1/traces"]);
  expect(receiver.requests.map(({ headers }) => headers["api-key"])).toEqual(["one", "one"]);
  const { resource, scopeSpans } = jsonOf("/v1/traces").resourceSpans[0];
  const keys = (attributes: { key: string }[]) => attributes.map(({ key }) => key);
  expect(keys(resource.attributes)).toEqual(
    expect.arrayContaining(["clew.run.id", "service.name"]),
  );
  expect(scopeSpans[0]).toMatchObject({ scope: { name: "shop" }, spans: [{ name: "work" }] });
  expect(keys(scopeSpans[0].spans[0].attributes)).toContain("clew.span.sequence");
  const records = jsonOf("/v1/logs").resourceLogs[0].scopeLogs.flatMap(
    (scope: { logRecords: object[] }) => scope.logRecords,
  );
  const line = records.find((record: { body: object }) => "stringValue" in record.body);
  expect(keys(line.attributes)).toEqual(expect.arrayContaining(["log.record.uid", "a", "b", "c"]));
});

test("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=grpc beside a spool for log records", async () => {
  const port = await receiver.grpc();
  const seen = await observe({
    env: {
      OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "grpc",
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_TRACES_INSECURE: "true",
    },
    code: WORK + STATS,
  });
  expect(paths()).toEqual(["/opentelemetry.proto.collector.trace.v1.TraceService/Export"]);
  expect(receiver.requests[0]?.body.includes("clew.span.sequence")).toBe(true);
  expect(seen.spans).toEqual([]);
  expect(seen.logs.map((log) => log.body)).toContain("hello");
  const stats = JSON.parse(seen.end.stderr);
  expect(stats.traces).toMatchObject({ made: 1, delivered: 1, dropped: 0 });
});

test("OTEL_TRACES_EXPORTER, OTEL_LOGS_EXPORTER=otlp,console: both, nothing twice", async () => {
  const seen = await observe({
    env: { OTEL_TRACES_EXPORTER: "otlp,console", OTEL_LOGS_EXPORTER: "console,otlp" },
  });
  expect(seen.end.stdout).toContain("name: 'work'");
  expect(seen.end.stdout).toContain("body: 'hello'");
  expect(seen.spans.map((span) => span.name)).toEqual(["work"]);
  expect(seen.logs.filter((log) => log.body === "hello")).toHaveLength(1);
  const { resource } = spanNamed(seen, "work");
  const printed = /'clew.run.id': '(\w+)'/.exec(seen.end.stdout)?.[1];
  expect(printed).toBe(resource["clew.run.id"]);
});

test("OTEL_TRACES_EXPORTER=zipkin, OTEL_EXPORTER_ZIPKIN_ENDPOINT", async () => {
  const port = await receiver.http();
  const seen = await observe({
    env: {
      OTEL_TRACES_EXPORTER: "zipkin",
      OTEL_EXPORTER_ZIPKIN_ENDPOINT: `http://127.0.0.1:${port}/api/v2/spans`,
    },
  });
  expect(seen.end).toMatchObject({ code: 0, stderr: "" });
  expect(jsonOf("/api/v2/spans")).toMatchObject([
    { name: "work", localEndpoint: { serviceName: "test-app" } },
  ]);
});

test("OTEL_BSP_MAX_QUEUE_SIZE, OTEL_BSP_MAX_EXPORT_BATCH_SIZE: oldest go, counted", async () => {
  const port = await receiver.http();
  const code = `
    transaction.run("T-old", () => tracer.startSpan("s0").end());
    for (let i = 1; i < 8; i++) tracer.startSpan("s" + i).end();
    ${STATS}
  `;
  const { end } = await observe({
    env: {
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_LOGS_EXPORTER: "none",
      OTEL_BSP_MAX_QUEUE_SIZE: "5",
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: "2",
      OTEL_BSP_SCHEDULE_DELAY: "600000",
    },
    code,
  });
  const sizes = receiver.requests.map(
    ({ body }) => JSON.parse(body.toString()).resourceSpans[0].scopeSpans[0].spans.length,
  );
  expect(sizes).toEqual([2, 2, 1]);
  const stats = JSON.parse(end.stderr.split("\n").at(-1) ?? "");
  expect(stats.traces).toMatchObject({ made: 8, delivered: 5, dropped: 3 });
  expect(stats.droppedTransactionIds).toEqual(["T-old"]);
});

test("a refused request is counted as refused, with what was in it", async () => {
  const port = await receiver.http();
  receiver.statuses.push(400);
  const { end } = await observe({
    env: {
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_LOGS_EXPORTER: "none",
    },
    code: `transaction.run("T-1", () => tracer.startSpan("s").end()); ${STATS}`,
  });
  const stats = JSON.parse(end.stderr.split("\n").at(-1) ?? "");
  expect(stats.traces).toMatchObject({ made: 1, delivered: 0, refused: 1, dropped: 0 });
  expect(stats.droppedTransactionIds).toEqual(["T-1"]);
  expect(end.stderr).toContain("otlp-http-json refused 1 traces records");
});

test.each([["http/protobuf"], ["http/json"]])(
  "OTEL_EXPORTER_OTLP_CERTIFICATE, _CLIENT_KEY, _CLIENT_CERTIFICATE over %s",
  async (protocol) => {
    const certificates = makeCertificates();
    try {
      const port = await receiver.http(certificates);
      const seen = await observe({
        env: {
          OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
          OTEL_EXPORTER_OTLP_ENDPOINT: `https://127.0.0.1:${port}`,
          OTEL_EXPORTER_OTLP_CERTIFICATE: join(certificates.folder, "ca.pem"),
          OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: join(certificates.folder, "own.pem"),
          OTEL_EXPORTER_OTLP_CLIENT_KEY: join(certificates.folder, "own.key"),
        },
      });
      expect(seen.end).toMatchObject({ code: 0, stderr: "" });
      expect(paths()).toEqual(["/v1/logs", "/v1/traces"]);
    } finally {
      removeCertificates(certificates);
    }
  },
);

const METER = `
  const counter = metrics.getMeter("shop").createCounter("orders");
  counter.add(3, { kind: "book" });
`;

test.each([
  ["http/protobuf", "application/x-protobuf"],
  ["http/json", "application/json"],
])(
  "OTEL_METRICS_EXPORTER is otlp by itself, over %s, once somebody has a meter",
  async (protocol, type) => {
    const port = await receiver.http();
    const endpoint = `http://127.0.0.1:${port}`;
    const env = {
      OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: protocol,
      OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `${endpoint}/v1/metrics`,
      OTEL_EXPORTER_OTLP_METRICS_HEADERS: "api-key=two",
    };
    const unused = await observe({ env });
    expect(unused.end).toMatchObject({ code: 0, stderr: "" });
    expect(receiver.requests).toEqual([]);
    const used = await observe({ env, code: METER });
    expect(used.end).toMatchObject({ code: 0, stderr: "" });
    expect(paths()).toEqual(["/v1/metrics"]);
    const [request] = receiver.requests;
    expect(request?.headers).toMatchObject({ "api-key": "two", "content-type": type });
    for (const text of ["orders", "book", "clew.run.id"])
      expect(request?.body.includes(text)).toBe(true);
  },
);

test("OTEL_METRICS_EXPORTER=none: meters do nothing", async () => {
  const seen = await observe({ env: { OTEL_METRICS_EXPORTER: "none" }, code: METER });
  expect(seen.end).toMatchObject({ code: 0, stderr: "", stdout: "" });
  expect(seen.requests.map(({ path }) => path)).not.toContain("/v1/metrics");
});

test("OTEL_METRICS_EXPORTER=console", async () => {
  const seen = await observe({ env: { OTEL_METRICS_EXPORTER: "console" }, code: METER });
  expect(seen.end.stdout).toContain("name: 'orders'");
});

test.each([
  ["sent again while the service runs", "response.end();", "150", ""],
  ["given up where no answer comes in time", "", "40", "metrics export timed out after 40ms"],
])("OTEL_METRIC_EXPORT_INTERVAL and _TIMEOUT: %s", async (_, answer, timeout, said) => {
  const code = `
    import { createServer } from "node:http";
    let requests = 0;
    const server = createServer((request, response) => {
      ${answer}
      // Where nothing is sent again, the service never ends.
      if (++requests === 3) process.exit();
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    const endpoint = "http://127.0.0.1:" + server.address().port;
    process.env.OTEL_EXPORTER_OTLP_METRICS_ENDPOINT = endpoint + "/v1/metrics";
    await import("@clew/instrumentation/register");
    ${METER}
  `;
  const { end } = await observe({
    env: { OTEL_METRIC_EXPORT_INTERVAL: "150", OTEL_METRIC_EXPORT_TIMEOUT: timeout },
    code,
    args: ["--input-type=module"],
  });
  expect(end.code).toBe(0);
  expect(end.stderr).toContain(said);
});

test("OTEL_METRICS_EXPORTER=prometheus, OTEL_EXPORTER_PROMETHEUS_HOST and _PORT", async () => {
  const free = await receiver.http();
  await receiver.stop();
  const code = `
    ${METER}
    import http from "node:http";
    const at = { host: "127.0.0.1", port: ${free}, path: "/metrics", agent: false };
    const ask = () =>
      http.get(at, (answer) => answer.pipe(process.stdout)).on("error", () => setImmediate(ask));
    ask();
  `;
  const env = {
    OTEL_METRICS_EXPORTER: "prometheus",
    OTEL_EXPORTER_PROMETHEUS_HOST: "127.0.0.1",
    OTEL_EXPORTER_PROMETHEUS_PORT: String(free),
  };
  const seen = await observe({ env, code });
  expect(seen.end.stdout).toContain('orders_total{kind="book"');
});

test.each([
  ["http/json", {}],
  ["http/protobuf", { OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: "20" }],
])("secrets are blacked out over %s with %j as well", async (protocol, limits) => {
  const port = await receiver.http();
  const code = `
    tracer.startActiveSpan("work", (span) => {
      span.setAttributes({ password: "hunter2", note: "see password=hunter2 there" });
      span.addEvent("tried", { token: "hunter2" });
      span.setStatus({ code: 2, message: "login with password=hunter2" });
      pino().info({ user: { secret: "hunter2" }, card: "4111 1111 1111 1111" }, "password=hunter2");
      span.end();
    });
  `;
  await observe({
    env: {
      OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      ...limits,
    },
    code,
  });
  expect(paths()).toEqual(expect.arrayContaining(["/v1/logs", "/v1/traces"]));
  const sent = receiver.requests.map(({ body }) => body.toString("latin1")).join();
  expect(sent).toContain("[redacted]");
  expect(sent).not.toContain("hunt");
  // With its blanks: four digits alone stand in ids and times as well.
  expect(sent).not.toContain("4111 1111");
});
