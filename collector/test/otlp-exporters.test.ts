/** OpenTelemetry's own JavaScript exporters, which know nothing of Clew, against the receiver. */
import { type Attributes, context, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { OTLPLogExporter as LogsOverGrpc } from "@opentelemetry/exporter-logs-otlp-grpc";
import { OTLPLogExporter as LogsOverHttpJson } from "@opentelemetry/exporter-logs-otlp-http";
import { OTLPLogExporter as LogsOverProtobuf } from "@opentelemetry/exporter-logs-otlp-proto";
import { OTLPMetricExporter as MetricsOverGrpc } from "@opentelemetry/exporter-metrics-otlp-grpc";
import { OTLPMetricExporter as MetricsOverJson } from "@opentelemetry/exporter-metrics-otlp-http";
import { OTLPMetricExporter as MetricsOverProto } from "@opentelemetry/exporter-metrics-otlp-proto";
import { OTLPTraceExporter as TracesOverGrpc } from "@opentelemetry/exporter-trace-otlp-grpc";
import { OTLPTraceExporter as TracesOverHttpJson } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as TracesOverProtobuf } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BatchSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { afterEach, describe, expect, it } from "vitest";
import { ClewError } from "../src/errors.ts";
import type { Signal } from "../src/otlp/otlp-schema.ts";
import { type RunningGrpc, startGrpc } from "./grpc-harness.ts";
import { type Decoded, decodeRequest } from "./otlp-decoder.ts";
import { type RunningReceiver, startReceiver } from "./receiver-harness.ts";

type Compression = NonNullable<
  NonNullable<ConstructorParameters<typeof LogsOverProtobuf>[0]>["compression"]
>;

const TRACE_ID = "5b8efff798038103d269b633813fc60c";
const SPAN_ID = "eee19b7ec3c1b174";
const RESOURCE = resourceFromAttributes({ "service.name": "orders", "process.pid": 42 });
const START: [seconds: number, nanos: number] = [1_700_000_000, 123_456_789];
const START_NS = 1_700_000_000_123_456_789n;

let running: RunningReceiver | RunningGrpc;
afterEach(async () => {
  await running.receiver.stop();
});

/** Starts what the exporters of one protocol send to; answers the URL for a signal. */
type Start = () => Promise<(signal: Signal) => string>;

async function overHttp(): Promise<(signal: Signal) => string> {
  running = await startReceiver();
  return (signal) => `http://127.0.0.1:${running.port}/v1/${signal}`;
}

async function overGrpc(): Promise<(signal: Signal) => string> {
  running = await startGrpc();
  return () => `http://127.0.0.1:${running.port}`;
}

const LOG_EXPORTERS = [
  ["http/json", LogsOverHttpJson, overHttp],
  ["http/protobuf", LogsOverProtobuf, overHttp],
  ["grpc", LogsOverGrpc, overGrpc],
] as const;
const SPAN_EXPORTERS = [
  ["http/json", TracesOverHttpJson, overHttp],
  ["http/protobuf", TracesOverProtobuf, overHttp],
  ["grpc", TracesOverGrpc, overGrpc],
] as const;
const METRIC_EXPORTERS = [
  ["http/json", MetricsOverJson, overHttp],
  ["http/protobuf", MetricsOverProto, overHttp],
  ["grpc", MetricsOverGrpc, overGrpc],
] as const satisfies readonly (readonly [string, unknown, Start])[];

describe.each(LOG_EXPORTERS)("logs over %s", (protocol, Exporter, start) => {
  it.each([undefined, "gzip"])("arrive whole, compression %s", async (compression) => {
    const url = (await start())("logs");
    const options =
      compression === undefined ? { url } : { url, compression: compression as Compression };
    await emitLogs(
      new LoggerProvider({
        resource: RESOURCE,
        processors: [new BatchLogRecordProcessor({ exporter: new Exporter(options) })],
      }),
    );
    const [message] = running.bus.messages;
    expect(message).toMatchObject({ topic: "logs", headers: { records: 2, repeat: false } });
    const { resource, records } = onlyGroup("logs");
    expect(resource).toEqual({ "service.name": "orders", "process.pid": 42n });
    expect(records).toEqual([
      {
        timeUnixNano: START_NS,
        observedTimeUnixNano: START_NS + 1n,
        severityNumber: 17,
        severityText: "ERROR",
        eventName: "payment.refused",
        body: { stringValue: 'Karte abgelehnt für "Zoë" 👋 \ufffd' },
        traceId: TRACE_ID,
        spanId: SPAN_ID,
        flags: 1,
        droppedAttributesCount: 0,
        attributes: { whole: 7n, half: 0.5, yes: true, text: "", list: [1n, 2n], negative: -1n },
      },
      expect.objectContaining({
        body: { kvlistValue: { values: [{ key: "a", value: nestedList() }] } },
      }),
    ]);
  });

  it("are sent again after a refusal, and then taken; not over gRPC", async () => {
    const url = (await start())("logs");
    let refusals = 0;
    running.bus.fault = async () => {
      if (refusals++ < 1) throw new ClewError("BUS_DISK_FULL", "cannot write: no space is left");
    };
    await emitLogs(
      new LoggerProvider({
        resource: RESOURCE,
        processors: [new BatchLogRecordProcessor({ exporter: new Exporter({ url }) })],
      }),
    );
    // OpenTelemetry's gRPC exporter for JavaScript tries nothing twice.
    const attempts = protocol === "grpc" ? 1 : 2;
    expect(refusals).toBe(attempts);
    expect(running.bus.messages).toHaveLength(attempts - 1);
  });
});

describe.each(SPAN_EXPORTERS)("spans over %s", (_protocol, Exporter, start) => {
  it("arrive whole", async () => {
    const url = (await start())("traces");
    const provider = new TracerProvider({
      resource: RESOURCE,
      spanProcessors: [new BatchSpanProcessor({ exporter: new Exporter({ url }) })],
    });
    const { traceId, spanId } = makeSpan(provider);
    await provider.shutdown();
    const [message] = running.bus.messages;
    expect(message).toMatchObject({ topic: "traces", headers: { records: 1 } });
    const { resource, records } = onlyGroup("traces");
    expect(resource).toEqual({ "service.name": "orders", "process.pid": 42n });
    expect(records).toMatchObject([
      {
        traceId,
        spanId,
        parentSpanId: SPAN_ID,
        name: "POST /orders",
        kind: 2,
        startTimeUnixNano: START_NS,
        endTimeUnixNano: START_NS + 5n,
        attributes: { "http.route": "/orders", "http.response.status_code": 500n },
        status: { code: 2, message: "no stock" },
        events: [{ name: "retry", timeUnixNano: START_NS + 1n, attributes: { attempt: 2n } }],
        links: [{ traceId: TRACE_ID, spanId: SPAN_ID, attributes: { why: "batch" } }],
      },
    ]);
  });
});

describe.each(METRIC_EXPORTERS)("metrics over %s", (_protocol, Exporter, start) => {
  it.each([true, false])("arrive whole where the bus keeps them: %s", async (keepsMetrics) => {
    const url = (await start())("metrics");
    running.bus.keepsMetrics = keepsMetrics;
    const reader = new PeriodicExportingMetricReader({ exporter: new Exporter({ url }) });
    const provider = new MeterProvider({ resource: RESOURCE, readers: [reader] });
    const counter = provider.getMeter("shop").createCounter("orders.taken", { unit: "{order}" });
    counter.add(2, { route: "/orders" });
    counter.add(3, { route: "/orders" });
    // What is not kept is said in a partial success, which is no reason to fail.
    await provider.shutdown();
    expect(running.bus.messages).toHaveLength(keepsMetrics ? 1 : 0);
    if (!keepsMetrics) return;
    expect(running.bus.messages[0]).toMatchObject({ topic: "metrics", headers: { records: 1 } });
    expect(onlyGroup("metrics")).toMatchObject({
      resource: { "service.name": "orders", "process.pid": 42n },
      records: [
        {
          name: "orders.taken",
          unit: "{order}",
          sum: {
            aggregationTemporality: 2,
            isMonotonic: true,
            dataPoints: [{ attributes: { route: "/orders" } }],
          },
        },
      ],
    });
  });
});

/** Emits two records, one with everything, and returns once they are exported. */
async function emitLogs(provider: LoggerProvider): Promise<void> {
  const logger = provider.getLogger("pino", "10.4.0");
  logger.emit({
    timestamp: START,
    observedTimestamp: [START[0], START[1] + 1],
    severityNumber: 17,
    severityText: "ERROR",
    eventName: "payment.refused",
    body: 'Karte abgelehnt für "Zoë" 👋 \ud83d',
    attributes: { whole: 7, half: 0.5, yes: true, text: "", list: [1, 2], negative: -1 },
    context: remoteParent(),
  });
  logger.emit({ body: { a: [1, "two", null] } });
  await provider.shutdown();
}

function makeSpan(provider: TracerProvider): { traceId: string; spanId: string } {
  const tracer = provider.getTracer("http", "1.0.0");
  const attributes: Attributes = { "http.route": "/orders", "http.response.status_code": 500 };
  const links = [
    {
      context: { traceId: TRACE_ID, spanId: SPAN_ID, traceFlags: 1 },
      attributes: { why: "batch" },
    },
  ];
  const span = tracer.startSpan(
    "POST /orders",
    { kind: SpanKind.SERVER, startTime: START, attributes, links },
    remoteParent(),
  );
  span.addEvent("retry", { attempt: 2 }, [START[0], START[1] + 1]);
  span.setStatus({ code: SpanStatusCode.ERROR, message: "no stock" });
  span.end([START[0], START[1] + 5]);
  return span.spanContext();
}

function remoteParent() {
  const parent = { traceId: TRACE_ID, spanId: SPAN_ID, traceFlags: 1 };
  return trace.setSpanContext(context.active(), parent);
}

function nestedList(): Decoded {
  return { arrayValue: { values: [{ intValue: 1n }, { stringValue: "two" }, {}] } };
}

/** The records of the one resource and scope that reached the bus, attributes as maps. */
function onlyGroup(signal: Signal): { resource: Decoded; records: Decoded } {
  const value = running.bus.messages[0]?.value ?? Buffer.alloc(0);
  const request = plain(decodeRequest(signal, value));
  const [group] = asList(Object.values(asMap(request))[0]);
  const { resource, scopeLogs, scopeSpans, scopeMetrics } = asMap(group);
  const [scope] = asList(scopeLogs ?? scopeSpans ?? scopeMetrics);
  const { logRecords, spans, metrics } = asMap(scope);
  const records = asList(logRecords ?? spans ?? metrics);
  return { resource: asMap(resource).attributes ?? {}, records };
}

/** Lists of `KeyValue` called `attributes` as maps of plain values. */
function plain(value: Decoded): Decoded {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, child]) =>
      name === "attributes" ? [name, toMap(asList(child))] : [name, plain(child)],
    ),
  );
}

function toMap(pairs: Decoded[]): Decoded {
  return Object.fromEntries(
    pairs.map((pair) => {
      const { key, value } = asMap(pair);
      return [String(key), single(value ?? {})];
    }),
  );
}

function single(any: Decoded): Decoded {
  const [kind, value] = Object.entries(asMap(any))[0] ?? [];
  return kind === "arrayValue" ? asList(asMap(value).values).map(single) : (value ?? {});
}

function asMap(value: Decoded | undefined): { readonly [name: string]: Decoded } {
  expect(value).toBeTypeOf("object");
  return value as { readonly [name: string]: Decoded };
}

function asList(value: Decoded | undefined): Decoded[] {
  expect(value).toBeInstanceOf(Array);
  return value as Decoded[];
}
