import { describe, expect, test } from "vitest";
import { type Observed, observe, spanNamed } from "./otel-observed.ts";

/**
 * OpenTelemetry's "Environment Variable Specification" and "OTLP Exporter Configuration", one row
 * per variable, as far as they concern the fast path. Each row starts a service and looks at what
 * its collector got. The exporters of OpenTelemetry's SDK are in `otel-exporters.test.ts`.
 */
interface Row {
  /** The variables and their values. */
  readonly env: Readonly<Record<string, string>>;
  readonly says: string;
  readonly code?: string;
  readonly check: (observed: Observed) => void;
}

/** With one more propagator the service needs OpenTelemetry's SDK; nothing else may change. */
const MODES: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ["fast", {}],
  ["SDK", { OTEL_PROPAGATORS: "tracecontext,baggage,b3" }],
];

const work = (observed: Observed) => spanNamed(observed, "work");
/** What the service itself put on its span. */
const own = (attributes: Readonly<Record<string, unknown>>) =>
  Object.keys(attributes).filter((key) => ["a", "b", "c"].includes(key));
const logged = ({ logs }: Observed) => logs.find((log) => log.scope === "pino");
const names = ({ spans }: Observed) => spans.map((span) => span.name).sort();

const SAMPLED = `
  tracer.startSpan("root").end();
  tracer.startSpan("kept", {}, below(1, 1)).end();
  tracer.startSpan("left", {}, below(2, 0)).end();
`;
const sampler = (value: string, argument: string | undefined, want: string[]): Row => ({
  env: {
    OTEL_TRACES_SAMPLER: value,
    ...(argument === undefined ? {} : { OTEL_TRACES_SAMPLER_ARG: argument }),
  },
  says: `keeps ${want.join(", ") || "nothing"}`,
  code: SAMPLED,
  check: (observed) => expect(names(observed)).toEqual(want),
});

const BOTH_MODES: readonly Row[] = [
  {
    env: { OTEL_SERVICE_NAME: "orders", OTEL_RESOURCE_ATTRIBUTES: "service.name=no" },
    says: "names the service, over the resource's attribute",
    check: (seen) => expect(work(seen).resource["service.name"]).toBe("orders"),
  },
  {
    env: { OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=prod,team=a%2Cb" },
    says: "adds attributes to the resource",
    check: (seen) => {
      const wanted = { "deployment.environment.name": "prod", team: "a,b" };
      expect(work(seen).resource).toMatchObject(wanted);
      expect(logged(seen)?.resource).toEqual(work(seen).resource);
    },
  },
  sampler("always_on", undefined, ["kept", "left", "root"]),
  sampler("always_off", undefined, []),
  sampler("traceidratio", "1", ["kept", "left", "root"]),
  sampler("traceidratio", "0", []),
  sampler("parentbased_always_on", undefined, ["kept", "root"]),
  sampler("PARENTBASED_ALWAYS_ON", undefined, ["kept", "root"]),
  sampler("parentbased_always_off", undefined, ["kept"]),
  sampler("parentbased_traceidratio", "0", ["kept"]),
  {
    env: { OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "0.25" },
    says: "keeps that share of traces",
    code: 'for (let i = 0; i < 400; i++) tracer.startSpan("root").end();',
    check: ({ spans }) => {
      // Six standard deviations around a hundred: it fails by chance once in 10^9 runs.
      expect(spans.length).toBeGreaterThan(48);
      expect(spans.length).toBeLessThan(152);
    },
  },
  {
    env: { OTEL_ATTRIBUTE_COUNT_LIMIT: "1", OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: "4" },
    says: "limits spans and log records alike",
    check: (seen) => {
      expect(own(work(seen).attributes)).toEqual(["a"]);
      expect(work(seen).attributes.a).toBe("abcd");
      expect(own(logged(seen)?.attributes ?? {})).toEqual(["a"]);
      expect(logged(seen)?.attributes.a).toBe("abcd");
    },
  },
  {
    env: { OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: "2", OTEL_ATTRIBUTE_COUNT_LIMIT: "1" },
    says: "goes before the common limit",
    check: (seen) => expect(own(work(seen).attributes)).toEqual(["a", "b"]),
  },
  {
    env: { OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT: "5", OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: "2" },
    says: "goes before the common limit",
    check: (seen) => expect(work(seen).attributes.a).toBe("abcde"),
  },
  {
    env: { OTEL_SPAN_EVENT_COUNT_LIMIT: "2" },
    says: "keeps that many events",
    check: (seen) => expect(work(seen).events).toHaveLength(2),
  },
  {
    env: { OTEL_SPAN_LINK_COUNT_LIMIT: "1" },
    says: "keeps that many links",
    check: (seen) => expect(work(seen).links).toHaveLength(1),
  },
  {
    env: { OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT: "2" },
    says: "limits the attributes of each event",
    check: (seen) => {
      expect(work(seen).events.map((event) => Object.keys(event.attributes))).toEqual(
        Array(3).fill(["x", "y"]),
      );
    },
  },
  {
    env: { OTEL_LINK_ATTRIBUTE_COUNT_LIMIT: "1" },
    says: "limits the attributes of each link",
    check: (seen) => {
      const kept = work(seen).links.map((link) => Object.keys(link.attributes ?? {}));
      expect(kept).toEqual([["x"], ["x"], ["x"]]);
    },
  },
  {
    env: { OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT: "2", OTEL_ATTRIBUTE_COUNT_LIMIT: "1" },
    says: "goes before the common limit",
    check: (seen) => expect(own(logged(seen)?.attributes ?? {})).toEqual(["a", "b"]),
  },
  {
    env: { OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT: "3" },
    says: "cuts a log record's values",
    check: (seen) => expect(logged(seen)?.attributes.a).toBe("abc"),
  },
  {
    env: { OTEL_TRACES_EXPORTER: "none" },
    says: "sends no spans",
    check: (seen) => {
      expect(seen.spans).toEqual([]);
      expect(logged(seen)?.body).toBe("hello");
    },
  },
  {
    env: { OTEL_LOGS_EXPORTER: "none" },
    says: "sends no log records",
    check: (seen) => {
      expect(seen.logs).toEqual([]);
      expect(work(seen).name).toBe("work");
    },
  },
  {
    env: {
      OTEL_EXPORTER_OTLP_HEADERS: "api-key=one,x=y%20z",
      OTEL_EXPORTER_OTLP_LOGS_HEADERS: "api-key=two",
    },
    says: "adds headers; the signal's own go first",
    check: ({ requests }) => {
      const headers = (path: string) => requests.find((sent) => sent.path === path)?.headers;
      expect(headers("/v1/traces")).toMatchObject({ "api-key": "one", x: "y z" });
      expect(headers("/v1/logs")).toMatchObject({ "api-key": "two", x: "y z" });
    },
  },
  {
    env: { OTEL_EXPORTER_OTLP_COMPRESSION: "gzip", OTEL_EXPORTER_OTLP_LOGS_COMPRESSION: "none" },
    says: "packs requests; the signal's own goes first",
    check: ({ requests }) => {
      const packed = requests.map(({ path, headers }) => [path, headers["content-encoding"]]);
      expect(Object.fromEntries(packed)).toEqual({ "/v1/traces": "gzip", "/v1/logs": undefined });
    },
  },
  {
    env: { OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf", OTEL_EXPORTER_OTLP_INSECURE: "true" },
    says: "is the default; the second concerns gRPC only",
    check: ({ requests }) => {
      expect(requests.map(({ headers }) => headers["content-type"])).toEqual(
        Array(2).fill("application/x-protobuf"),
      );
    },
  },
  {
    env: { OTEL_BSP_SCHEDULE_DELAY: "600000", OTEL_BLRP_SCHEDULE_DELAY: "600000" },
    says: "have no part in the spool, which delivers all the same",
    check: (seen) => expect([work(seen).name, logged(seen)?.body]).toEqual(["work", "hello"]),
  },
];

/** Values that mean nothing: named once on stderr, and the default holds. */
const WRONG: readonly (readonly [name: string, value: string])[] = [
  ["OTEL_TRACES_SAMPLER", "jaeger_remote"],
  ["OTEL_TRACES_SAMPLER_ARG", "2"],
  ["OTEL_PROPAGATORS", "xray"],
  ["OTEL_TRACES_EXPORTER", "jaeger"],
  ["OTEL_LOGS_EXPORTER", "zipkin"],
  ["OTEL_METRICS_EXPORTER", "statsd"],
  ["OTEL_LOG_LEVEL", "loud"],
  ["OTEL_BSP_SCHEDULE_DELAY", "soon"],
  ["OTEL_BSP_EXPORT_TIMEOUT", "-1"],
  ["OTEL_BSP_MAX_QUEUE_SIZE", "many"],
  ["OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "1.5"],
  ["OTEL_BLRP_SCHEDULE_DELAY", "soon"],
  ["OTEL_BLRP_EXPORT_TIMEOUT", "-1"],
  ["OTEL_BLRP_MAX_QUEUE_SIZE", "many"],
  ["OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "1.5"],
  ["OTEL_ATTRIBUTE_COUNT_LIMIT", "few"],
  ["OTEL_SPAN_EVENT_COUNT_LIMIT", "-3"],
  ["OTEL_EXPORTER_OTLP_PROTOCOL", "http/xml"],
  ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/xml"],
  ["OTEL_EXPORTER_OTLP_TIMEOUT", "never"],
  ["OTEL_EXPORTER_OTLP_COMPRESSION", "brotli"],
  ["OTEL_EXPORTER_OTLP_CERTIFICATE", "/nowhere/ca.pem"],
  ["OTEL_EXPORTER_OTLP_CLIENT_KEY", "/nowhere/key.pem"],
  ["OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "/nowhere/cert.pem"],
  ["OTEL_NODE_RESOURCE_DETECTORS", "cloud"],
  ["OTEL_CONFIG_FILE", "otel.yaml"],
  ["OTEL_ENTITIES", "service{service.name=x}"],
  ["OTEL_METRICS_EXEMPLAR_FILTER", "trace_based"],
];

const title = ({ env, says }: Row) =>
  `${Object.entries(env)
    .map((pair) => pair.join("="))
    .join(" ")}: ${says}`;

describe.each(MODES)("in the %s mode", (_, mode) => {
  test.each(BOTH_MODES.map((row) => [title(row), row] as const))("%s", async (_title, row) => {
    const { env, code } = row;
    const seen = await observe({
      env: { ...mode, ...env },
      ...(code === undefined ? {} : { code }),
    });
    expect(seen.end.code).toBe(0);
    // The SDK says what its limits took away, as the specification asks for.
    expect(seen.warnings.filter((line) => !line.startsWith("OpenTelemetry: Dropp"))).toEqual([]);
    row.check(seen);
  });
});

test.each(WRONG)("%s=%s is named once and changes nothing", async (name, value) => {
  const seen = await observe({ env: { [name]: value } });
  expect(seen.warnings).toHaveLength(1);
  expect(seen.warnings[0]).toContain(name);
  expect(seen.end.code).toBe(0);
  expect(work(seen).attributes).toMatchObject({ a: "abcdefghij", b: 2, c: 3 });
  expect(logged(seen)?.body).toBe("hello");
});

test.each([
  ["error", []],
  ["none", []],
  ["warn", ["OTEL_BSP_SCHEDULE_DELAY"]],
  ["INFO", ["OTEL_BSP_SCHEDULE_DELAY"]],
])("OTEL_LOG_LEVEL=%s tells %j", async (level, told) => {
  const { warnings } = await observe({
    env: { OTEL_LOG_LEVEL: level, OTEL_BSP_SCHEDULE_DELAY: "soon" },
  });
  expect(warnings.map((warning) => warning.split(" ")[0])).toEqual(told);
});

test("OTEL_EXPORTER_OTLP_ENDPOINT gets the signal's path, a signal's own does not", async () => {
  const [common, single] = [
    await observeElsewhere("/base/"),
    await observeElsewhere("/own/v1/logs", "LOGS"),
  ];
  expect(common).toEqual(["/base/v1/logs", "/base/v1/traces"]);
  expect(single).toEqual(["/own/v1/logs", "/v1/traces"]);
});

/** The paths that are asked for where the endpoint is that path of the collector. */
async function observeElsewhere(path: string, signal?: "LOGS"): Promise<string[]> {
  const code = `
    const name = "OTEL_EXPORTER_OTLP${signal === undefined ? "" : `_${signal}`}_ENDPOINT";
    process.env[name] = process.env.OTEL_EXPORTER_OTLP_ENDPOINT + ${JSON.stringify(path)};
    await import("@clew/instrumentation/register");
    trace.getTracer("shop").startSpan("work").end();
    console.log("hello");
  `;
  const { requests } = await observe({ env: {}, code, args: ["--input-type=module"] });
  return requests.map((request) => request.path).sort();
}

test("OTEL_EXPORTER_OTLP_TIMEOUT: what takes longer is given up and sent again", async () => {
  const code = `
    import { createServer } from "node:http";
    let requests = 0;
    // The first request never gets an answer.
    const server = createServer((_, response) => { if (++requests > 1) response.end(); });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    process.env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT = "http://127.0.0.1:" + server.address().port;
    await import("@clew/instrumentation/register");
    trace.getTracer("shop").startSpan("work").end();
    const timer = setInterval(() => {
      const { traces } = instrumentationStats();
      if (traces.delivered < 1) return;
      clearInterval(timer);
      process.stdout.write(JSON.stringify({ resent: traces.resent }));
      server.closeAllConnections();
      server.close();
    }, 10);
  `;
  const { end } = await observe({
    env: { OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: "50", OTEL_EXPORTER_OTLP_TIMEOUT: "600000" },
    code,
    args: ["--input-type=module"],
  });
  expect(JSON.parse(end.stdout)).toEqual({ resent: 1 });
});
