/**
 * What the OTLP specification 1.11 asks of servers, one row per rule, against `clew serve`. The
 * sections are of opentelemetry-proto's docs/specification.md; rules for clients are left out.
 */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import {
  field,
  logsRequest,
  metricsRequest,
  tracesRequest,
} from "../../collector/test/otlp-fixtures.ts";
import { holdAllBytes, MIB, ONE_MIB_EACH } from "./held-bytes.ts";
import { exportOver, type OtlpRequest, type Signal, typeOf, type Way } from "./otlp-client.ts";
import { RealCollector } from "./real-collector.ts";

type Level = "MUST" | "SHOULD" | "MAY" | "RECOMMENDED";
type BodyOf = (request: { way: Way; signal: Signal; id: string }) => Buffer;

interface Rule {
  readonly section: string;
  readonly level: Level;
  readonly says: string;
  readonly ways: readonly Way[];
  readonly signals: readonly Signal[];
  readonly body: BodyOf;
  readonly request?: Partial<OtlpRequest>;
  /** `tight` takes 1 MiB at most; `full` is the same one with no byte left. */
  readonly server?: "tight" | "full";
  /** Sent at once, where more than one. */
  readonly times?: number;
  readonly expected: Expected;
}

interface Expected {
  readonly status: { readonly http: number; readonly grpc: number };
  readonly answer: unknown;
  /** Over gRPC, where it differs. */
  readonly grpcAnswer?: unknown;
  readonly retryAfter?: unknown;
  /** The records that are found afterwards, by the transaction id of the row. */
  readonly stored?: readonly unknown[];
}

const HTTP: readonly Way[] = ["http/protobuf", "http/json"];
const GRPC: readonly Way[] = ["grpc"];
const BINARY: readonly Way[] = ["http/protobuf", "grpc"];
const JSON_ONLY: readonly Way[] = ["http/json"];
const EVERY_WAY: readonly Way[] = [...HTTP, ...GRPC];
const STORED_SIGNALS: readonly Signal[] = ["logs", "traces"];
const EVERY_SIGNAL: readonly Signal[] = [...STORED_SIGNALS, "metrics"];

const TRACE_ID = "5b8efff798038103d269b633813fc60c";
const SPAN_ID = "eee19b7ec3c1b174";
const TIME_NS = 1_544_712_660_300_000_001n;
const TIME = "2018-12-13T14:51:00.300000001Z";
const CONCURRENT = 50;
const DEFAULT_LIMIT_BYTES = 64 * MIB;

const OK = { http: 200, grpc: 0 };
const BAD = { http: 400, grpc: 3 };
const TOO_LARGE = { http: 413, grpc: 8 };
const BUSY = { http: 503, grpc: 14 };
const UNKNOWN = { http: 404, grpc: 12 };
/** Neither `partial_success` nor anything else. */
const ALL_TAKEN = {};
const says = (pattern: RegExp) =>
  expect.objectContaining({ message: expect.stringMatching(pattern) });
const isBadRequest = expect.objectContaining({
  details: ["type.googleapis.com/google.rpc.BadRequest"],
  violations: [expect.stringMatching(/\w{3}/)],
});
const isFinal = expect.objectContaining({ details: [] });
const ONE = [expect.anything()];

const RULES: readonly Rule[] = [
  {
    section: "Protocol Details",
    level: "MUST",
    says: "all servers take requests without compression",
    ...{ ways: EVERY_WAY, signals: STORED_SIGNALS, body: oneRecord },
    expected: { status: OK, answer: ALL_TAKEN, stored: ONE },
  },
  {
    section: "Protocol Details",
    level: "MUST",
    says: "all servers take gzip",
    ...{ ways: EVERY_WAY, signals: STORED_SIGNALS, body: oneRecord, request: { isGzip: true } },
    expected: { status: OK, answer: ALL_TAKEN, stored: ONE },
  },
  {
    section: "Request",
    level: "MUST",
    says: "the size of a request is limited",
    ...{ ways: EVERY_WAY, signals: EVERY_SIGNAL, body: bodyOf(MIB + 1), server: "tight" },
    expected: { status: TOO_LARGE, answer: says(/larger than 1048576/), grpcAnswer: isFinal },
  },
  {
    section: "Request",
    level: "MUST",
    says: "its size after decompression is limited",
    ...{ ways: EVERY_WAY, signals: EVERY_SIGNAL, body: bodyOf(32 * MIB), server: "tight" },
    request: { isGzip: true },
    expected: { status: TOO_LARGE, answer: says(/larger than 1048576/), grpcAnswer: isFinal },
  },
  {
    section: "Request",
    level: "RECOMMENDED",
    says: "64 MiB is the default limit, so as much is taken",
    ...{ ways: EVERY_WAY, signals: ["logs"], body: bodyOf(DEFAULT_LIMIT_BYTES) },
    expected: { status: OK, answer: ALL_TAKEN },
  },
  {
    section: "Request",
    level: "RECOMMENDED",
    says: "64 MiB is the default limit, so more than that is not",
    ...{ ways: EVERY_WAY, signals: ["logs"], body: bodyOf(DEFAULT_LIMIT_BYTES + 1) },
    expected: { status: TOO_LARGE, answer: says(/larger than 67108864/), grpcAnswer: isFinal },
  },
  {
    section: "Request",
    level: "SHOULD",
    says: "the limit can be configured, and a request just as large is taken",
    ...{ ways: EVERY_WAY, signals: ["logs"], body: bodyOf(MIB), server: "tight" },
    expected: { status: OK, answer: ALL_TAKEN },
  },
  {
    section: "OTLP/gRPC Concurrent Requests",
    level: "SHOULD",
    says: "concurrent unary calls are taken",
    ...{ ways: GRPC, signals: STORED_SIGNALS, body: oneRecord, times: CONCURRENT },
    expected: { status: OK, answer: ALL_TAKEN },
  },
  {
    section: "Full Success",
    level: "MUST",
    says: "the answer is an Export*ServiceResponse without partial_success",
    ...{ ways: EVERY_WAY, signals: STORED_SIGNALS, body: oneRecord },
    expected: { status: OK, answer: ALL_TAKEN, stored: ONE },
  },
  {
    section: "Full Success",
    level: "SHOULD",
    says: "an empty request is a success",
    ...{ ways: EVERY_WAY, signals: EVERY_SIGNAL, body: nothing },
    expected: { status: OK, answer: ALL_TAKEN },
  },
  {
    section: "Empty Telemetry Envelopes",
    level: "MAY",
    says: "envelopes without contents are ignored",
    ...{ ways: EVERY_WAY, signals: EVERY_SIGNAL, body: emptyEnvelope },
    expected: { status: OK, answer: ALL_TAKEN },
  },
  {
    section: "Partial Success",
    level: "MUST",
    says: "what is rejected is counted, in a success, and SHOULD be explained in English",
    ...{ ways: EVERY_WAY, signals: ["metrics"], body: threePoints },
    expected: {
      status: OK,
      answer: {
        partialSuccess: {
          rejected: 3,
          errorMessage: expect.stringMatching(/keeps no metrics: \w{3}/),
        },
      },
    },
  },
  {
    section: "Failures",
    level: "MUST",
    says: "an error is a Status, whose message SHOULD say what is wrong",
    ...{ ways: EVERY_WAY, signals: EVERY_SIGNAL, body: cutOff },
    expected: { status: BAD, answer: says(/^cannot .+: .+/) },
  },
  {
    section: "Bad Data",
    level: "MUST",
    says: "what cannot be decoded is Bad Request, and nothing of it is taken",
    ...{ ways: EVERY_WAY, signals: STORED_SIGNALS, body: halfBad },
    expected: { status: BAD, answer: says(/cannot/), stored: [] },
  },
  {
    section: "Bad Data",
    level: "SHOULD",
    says: "Status.details holds a BadRequest (over gRPC: MAY)",
    ...{ ways: EVERY_WAY, signals: EVERY_SIGNAL, body: cutOff },
    expected: { status: BAD, answer: isBadRequest },
  },
  {
    section: "Throttling",
    level: "SHOULD",
    says: "overload is 503 or Unavailable, and MAY say when to come back",
    ...{ ways: EVERY_WAY, signals: EVERY_SIGNAL, body: oneRecord, server: "full" },
    expected: {
      status: BUSY,
      answer: says(/in flight/),
      grpcAnswer: expect.objectContaining({
        details: ["type.googleapis.com/google.rpc.RetryInfo"],
      }),
      retryAfter: expect.stringMatching(/^[1-9]\d?$/),
      stored: [],
    },
  },
  {
    section: "OTLP/HTTP Response",
    level: "MUST",
    says: "the size of the answer is limited, whatever was wrong",
    ...{ ways: JSON_ONLY, signals: ["logs"], body: longEnum },
    expected: { status: BAD, answer: says(/severityNumber/) },
  },
  {
    section: "OTLP/HTTP Request",
    level: "MUST",
    says: "telemetry comes by POST",
    ...{ ways: HTTP, signals: EVERY_SIGNAL, body: oneRecord, request: { method: "PUT" } },
    expected: { status: { http: 405, grpc: 0 }, answer: says(/POST/), stored: [] },
  },
  {
    section: "All Other Responses",
    level: "SHOULD",
    says: "HTTP's and gRPC's own codes tell what is not there",
    ...{ ways: EVERY_WAY, signals: ["logs"], body: oneRecord, request: { path: "/v1/unknown" } },
    expected: { status: UNKNOWN, answer: says(/\w{3}/), stored: [] },
  },
  {
    section: "OTLP/HTTP Connection",
    level: "SHOULD",
    says: "one port tells the encodings apart by Content-Type, parameters and case apart",
    ...{ ways: JSON_ONLY, signals: STORED_SIGNALS, body: oneRecord },
    request: { headers: { "content-type": "Application/JSON; charset=utf-8" } },
    expected: { status: OK, answer: ALL_TAKEN, stored: ONE },
  },
  {
    section: "Future Versions and Interoperability",
    level: "MUST",
    says: "fields of newer versions are ignored",
    ...{ ways: BINARY, signals: STORED_SIGNALS, body: withUnknownFields },
    expected: { status: OK, answer: ALL_TAKEN, stored: ONE },
  },
  ...[
    { letters: "lower", traceId: TRACE_ID, spanId: "eee19b7ec3c1b174" },
    { letters: "upper", traceId: TRACE_ID.toUpperCase(), spanId: "EEE19B7EC3C1B175" },
  ].map(
    ({ letters, traceId, spanId }): Rule => ({
      section: "JSON Protobuf Encoding",
      level: "MUST",
      says: `trace and span ids are hex, ${letters} case`,
      ...{ ways: JSON_ONLY, signals: STORED_SIGNALS },
      body: ({ signal, id }) => json(signal, { ...named(signal, id), traceId, spanId }),
      expected: {
        status: OK,
        answer: ALL_TAKEN,
        stored: [expect.objectContaining({ traceId: TRACE_ID, spanId: spanId.toLowerCase() })],
      },
    }),
  ),
  {
    section: "JSON Protobuf Encoding",
    level: "MUST",
    says: "enums are integers",
    ...{ ways: JSON_ONLY, signals: ["logs"] },
    body: ({ id }) => json("logs", { ...named("logs", id), severityNumber: 17 }),
    expected: {
      status: OK,
      answer: ALL_TAKEN,
      stored: [expect.objectContaining({ severityNumber: 17, isError: true })],
    },
  },
  {
    section: "JSON Protobuf Encoding",
    level: "MUST",
    says: "members of unknown names are ignored, wherever they are",
    ...{ ways: JSON_ONLY, signals: STORED_SIGNALS },
    body: ({ signal, id }) => json(signal, { new: [{ a: 1 }], ...named(signal, id) }, { new: {} }),
    expected: { status: OK, answer: ALL_TAKEN, stored: ONE },
  },
  ...["decimal strings", "numbers"].map(
    (written): Rule => ({
      section: "JSON Protobuf Encoding",
      level: "MUST",
      says: `64-bit integers are ${written}`,
      ...{ ways: JSON_ONLY, signals: ["logs"] },
      body: ({ id }) => {
        const strings = json("logs", { ...named("logs", id), timeUnixNano: String(TIME_NS) });
        if (written !== "numbers") return strings;
        return Buffer.from(strings.toString().replace(`"${TIME_NS}"`, String(TIME_NS)));
      },
      expected: {
        status: OK,
        answer: ALL_TAKEN,
        stored: [expect.objectContaining({ time: TIME })],
      },
    }),
  ),
];

let roomy: RealCollector;
let tight: RealCollector;
beforeAll(async () => {
  [roomy, tight] = await Promise.all([RealCollector.start(), RealCollector.start(ONE_MIB_EACH)]);
});
afterAll(async () => {
  await Promise.all([roomy?.stop(), tight?.stop()]);
});

const ROWS = RULES.flatMap((rule, number) =>
  rule.ways.flatMap((way) =>
    rule.signals.map((signal) => ({ ...rule, way, signal, id: `rule-${number}-${way}-${signal}` })),
  ),
).map((row) => ({ ...row, id: row.id.replace("/", ".") }));

test.each(ROWS)("$section: $level: $says ($way, $signal)", async (row) => {
  const { way, signal, expected, server, times = 1 } = row;
  const collector = server === undefined ? roomy : tight;
  const held = server === "full" ? await holdAllBytes(collector) : undefined;
  const request = { way, signal, body: row.body(row), ...row.request };
  const sent = Array.from({ length: times }, () => exportOver(collector, request));
  const heard = await Promise.all(sent);
  await held?.release();
  for (const told of heard) {
    const status = way === "grpc" ? expected.status.grpc : expected.status.http;
    expect(told).toMatchObject({ status, type: typeOf(way) });
    expect(told.answer).toEqual((way === "grpc" && expected.grpcAnswer) || expected.answer);
    expect(told.answerBytes).toBeLessThan(64 * 1024);
    if (way !== "grpc") expect(told.retryAfter).toEqual(expected.retryAfter);
  }
  await expectStored(collector, row);
});

async function expectStored(
  collector: RealCollector,
  { id, expected }: { readonly id: string; readonly expected: Expected },
): Promise<void> {
  const { stored } = expected;
  if (stored === undefined) return;
  if (stored.length === 0) await expectLaterStored(collector, `${id}-later`);
  await vi.waitFor(async () => expect(await recordsOf(collector, id)).toEqual(stored), 10_000);
}

/** What came after it is there, so what is not there now will not be. */
async function expectLaterStored(collector: RealCollector, id: string): Promise<void> {
  const body = oneRecord({ way: "http/protobuf", signal: "logs", id });
  await exportOver(collector, { way: "http/protobuf", signal: "logs", body });
  await vi.waitFor(async () => expect(await recordsOf(collector, id)).toHaveLength(1), 10_000);
}

async function recordsOf(collector: RealCollector, id: string): Promise<readonly unknown[]> {
  if ((await collector.api.findTransaction(id)) === undefined) return [];
  return collector.api.recordsOf(id);
}

function oneRecord({ way, signal, id }: { way: Way; signal: Signal; id: string }): Buffer {
  if (way === "http/json") return json(signal, named(signal, id));
  const resource = { "service.name": "conformance" };
  const attributes = { transaction_id: id };
  if (signal === "metrics") return metricsRequest("cpu", [1]);
  if (signal === "logs") return logsRequest([{ resource, records: [{ body: "one", attributes }] }]);
  const span = { traceId: TRACE_ID, spanId: spanIdOf(id), name: "one", startNs: 1n, endNs: 2n };
  return tracesRequest([{ resource, spans: [{ ...span, attributes }] }]);
}

/** A request of exactly so many bytes, nearly all of them one log's text (or a metric's name). */
function bodyOf(bytes: number): BodyOf {
  return ({ way, signal }) => {
    const make = (text: string) => {
      if (way === "http/json")
        return json(signal, signal === "logs" ? { body: { stringValue: text } } : { name: text });
      const resource = {};
      if (signal === "metrics") return metricsRequest(text, []);
      if (signal === "logs") return logsRequest([{ resource, records: [{ body: text }] }]);
      const span = { traceId: TRACE_ID, spanId: SPAN_ID, startNs: 1n, endNs: 2n };
      return tracesRequest([{ resource, spans: [{ ...span, name: text }] }]);
    };
    const around = make("x".repeat(bytes)).length - bytes;
    return make("x".repeat(bytes - around));
  };
}

function nothing({ way }: { way: Way }): Buffer {
  return Buffer.from(way === "http/json" ? "{}" : "");
}

/** A resource, and a scope without records. */
function emptyEnvelope({ way, signal }: { way: Way; signal: Signal }): Buffer {
  if (way === "http/json") return json(signal);
  return field.bytes(1, Buffer.concat([field.bytes(1, Buffer.of()), field.bytes(2, Buffer.of())]));
}

function threePoints({ way }: { way: Way }): Buffer {
  if (way !== "http/json") return metricsRequest("cpu", [1, 2, 3]);
  return json("metrics", { name: "cpu", gauge: { dataPoints: [{}, {}, {}] } });
}

function cutOff(request: { way: Way; signal: Signal; id: string }): Buffer {
  return oneRecord(request).subarray(0, -1);
}

/** A good record, then one whose message is longer than its parent. */
function halfBad(request: { way: Way; signal: Signal; id: string }): Buffer {
  const good = oneRecord(request);
  if (request.way !== "http/json") return Buffer.concat([good, Buffer.of(0x0a, 0x7f, 0x12)]);
  return Buffer.from(good.toString().replace(/\}\]\}$/, '},{"resource":[]}]}'));
}

function withUnknownFields(request: { way: Way; signal: Signal; id: string }): Buffer {
  return Buffer.concat([oneRecord(request), field.text(1000, "new"), field.fixed64(1001, 7n)]);
}

function longEnum(): Buffer {
  return json("logs", { severityNumber: "x".repeat(MIB) });
}

/** A request of one resource and scope, with the record if one is given. */
function json(signal: Signal, record?: object, around: object = {}): Buffer {
  const [resources, scopes, records] = {
    logs: ["resourceLogs", "scopeLogs", "logRecords"],
    traces: ["resourceSpans", "scopeSpans", "spans"],
    metrics: ["resourceMetrics", "scopeMetrics", "metrics"],
  }[signal] as [string, string, string];
  const scope = { ...around, ...(record === undefined ? {} : { [records]: [record] }) };
  const resource = { attributes: [attribute("service.name", "conformance")], ...around };
  const request = { ...around, [resources]: [{ ...around, resource, [scopes]: [scope] }] };
  return Buffer.from(JSON.stringify(request));
}

function named(signal: Signal, id: string): object {
  if (signal === "metrics") return { name: "cpu", gauge: { dataPoints: [{}] } };
  const attributes = [attribute("transaction_id", id)];
  if (signal === "logs") return { body: { stringValue: "one" }, attributes };
  return { traceId: TRACE_ID, spanId: spanIdOf(id), name: "one", attributes };
}

function attribute(key: string, value: string): object {
  return { key, value: { stringValue: value } };
}

/** A span is one by its ids, so each row has its own. */
function spanIdOf(id: string): string {
  return createHash("sha256").update(id).digest("hex").slice(0, 16);
}
