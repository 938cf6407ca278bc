import { expect, test } from "vitest";
import type { JsonObject } from "./json-value.ts";
import type { LineRecord } from "./line-record.ts";
import { readObject } from "./object-record.ts";

const KEYS = ["clew.transaction.id", "transaction_id", "labels.transaction_id"];
const TRACE = "0123456789abcdef0123456789abcdef";
const NOON = "2026-01-31T12:00:00Z";
const NOON_NS = 1_769_860_800_000_000_000n;

function read(json: JsonObject): LineRecord {
  return readObject(json, JSON.stringify(json), KEYS);
}

const kubernetes = {
  pod_name: "pay-1",
  container_name: "sidecar",
  host: "node-7",
  labels: { "app.kubernetes.io/name": "pay" },
};

test.each<[string, JsonObject, Partial<LineRecord>]>([
  [
    "Filebeat, ECS nested",
    {
      "@timestamp": NOON,
      message: "declined",
      log: { level: "error", file: { path: "/a.log" } },
      service: { name: "pay" },
      trace: { id: TRACE },
      host: { name: "node-7" },
      labels: { transaction_id: "order-1" },
    },
    {
      timeNs: NOON_NS,
      body: "declined",
      severity: { number: 17, text: "error" },
      service: "pay",
      traceId: TRACE,
      host: "node-7",
      transactionId: "order-1",
    },
  ],
  [
    "an ECS logger, dotted",
    {
      "@timestamp": NOON,
      "log.level": "INFO",
      message: "m",
      "service.name": "pay",
      "host.name": "h",
    },
    {
      timeNs: NOON_NS,
      severity: { number: 9, text: "INFO" },
      service: "pay",
      host: "h",
      attributes: {},
    },
  ],
  [
    "Fluent Bit in Kubernetes",
    { "@timestamp": NOON, stream: "stdout", log: "plain text\n", kubernetes },
    {
      body: "plain text",
      service: "pay",
      host: "node-7",
      attributes: { stream: "stdout", kubernetes },
    },
  ],
  [
    "Fluent Bit from journald",
    { MESSAGE: "m", PRIORITY: "3", SYSLOG_IDENTIFIER: "sshd", _HOSTNAME: "h" },
    { body: "m", severity: { number: 17, text: "error" }, service: "sshd", host: "h" },
  ],
  [
    "syslog-ng's default template",
    { PROGRAM: "cron", PRIORITY: "notice", PID: "7", MESSAGE: "m", HOST: "h", "@timestamp": NOON },
    {
      body: "m",
      severity: { number: 10, text: "notice" },
      service: "cron",
      host: "h",
      attributes: { PID: "7" },
    },
  ],
  [
    "the Collector's exporter, without a mapping",
    {
      "@timestamp": NOON,
      Body: "m",
      SeverityText: "Warn",
      SeverityNumber: 14,
      TraceId: TRACE,
      Resource: { "service.name": "pay" },
    },
    { body: "m", severity: { number: 14, text: "Warn" }, service: "pay", traceId: TRACE },
  ],
  [
    "a better name counts, wherever it stands",
    { hostname: "b", service: "b", "service.name": "a", "host.name": "a", message: "b", msg: "a" },
    {
      service: "a",
      host: "a",
      body: "a",
      attributes: { service: "b", hostname: "b", message: "b" },
    },
  ],
  [
    "what is not understood stays",
    { "@timestamp": "soon", time: NOON, host: { name: 7 }, level: "loud", severity: "debug" },
    {
      timeNs: NOON_NS,
      severity: { number: 5, text: "debug" },
      host: undefined,
      attributes: { "@timestamp": "soon", host: { name: 7 }, level: "loud" },
    },
  ],
])("reads %s", (_name, json, want) => {
  expect(read(json)).toMatchObject(want);
});

test("a line within a line: what the service said counts before its shipper", () => {
  const inner = { level: 50, time: NOON, msg: "declined", transaction_id: "order-2", pid: 7 };
  const record = read({
    "@timestamp": "2026-02-01T00:00:00Z",
    log: `${JSON.stringify(inner)}\n`,
    kubernetes,
  });
  expect(record).toMatchObject({
    timeNs: NOON_NS,
    severity: { number: 17, text: "error" },
    body: "declined",
    transactionId: "order-2",
    service: "pay",
    attributes: { kubernetes, pid: 7, transaction_id: "order-2" },
  });
});

test("a line within a line whose fields meet others keeps both", () => {
  const record = read({ message: `{"msg":"m","stream":"a","b":1}`, stream: "stdout" });
  expect(record.body).toBe("m");
  expect(record.attributes).toEqual({ stream: "stdout", message: { stream: "a", b: 1 } });
});

test("a line of text within a line: what the document lacks is looked for", () => {
  const log = `2026-01-31T13:00:00Z ERROR declined transaction_id=order-3 trace_id=${TRACE}\n`;
  expect(read({ "@timestamp": NOON, log })).toMatchObject({
    timeNs: NOON_NS,
    severity: { number: 17, text: "ERROR" },
    body: log.trimEnd(),
    transactionId: "order-3",
    traceId: TRACE,
  });
  const known = { log, level: "info", transaction_id: "order-4" };
  expect(read(known)).toMatchObject({ severity: { number: 9 }, transactionId: "order-4" });
});

test.each([`{"a":1`, "{a}", `{"a":1} and more`])("%s is a message as any", (message) => {
  expect(read({ message }).body).toBe(message);
});

const STACK = "Error: no\n  at pay";
test.each<[JsonObject, JsonObject]>([
  [
    { error: { type: "CardError", message: "no", stack_trace: STACK, code: 5 } },
    {
      "exception.type": "CardError",
      "exception.message": "no",
      "exception.stacktrace": STACK,
      error: { code: 5 },
    },
  ],
  [
    { err: { type: "Error", message: "no", stack: STACK } },
    { "exception.type": "Error", "exception.message": "no", "exception.stacktrace": STACK },
  ],
  [{ error: "no" }, { error: "no" }],
  [{ error: { code: 5 } }, { error: { code: 5 } }],
  [
    { error: { message: "b" }, "exception.message": "a" },
    { error: { message: "b" }, "exception.message": "a" },
  ],
])("the error of %j", (json, want) => {
  expect(read({ msg: "m", ...json }).attributes).toEqual(want);
});

test("a document of the Collector's exporter in its own shape", () => {
  const document = {
    "@timestamp": "1769860800000.123456",
    observed_timestamp: "1769860800001.0",
    data_stream: { type: "logs", dataset: "app", namespace: "default" },
    severity_text: "ERROR",
    severity_number: 18,
    trace_id: TRACE,
    body: { text: "declined" },
    attributes: { transaction_id: "order-3", time: "ignored", "http.status": 500 },
    resource: { attributes: { "service.name": "pay", "host.name": "h", "cloud.region": "eu" } },
    scope: { name: "lib" },
  };
  expect(read(document)).toEqual({
    timeNs: NOON_NS + 123_456n,
    severity: { number: 18, text: "ERROR" },
    body: "declined",
    traceId: TRACE,
    spanId: undefined,
    service: "pay",
    host: "h",
    transactionId: "order-3",
    resource: { "cloud.region": "eu" },
    attributes: {
      ...document.attributes,
      data_stream: document.data_stream,
      scope: { name: "lib" },
    },
  });
  const structured = { ...document, body: { structured: { a: 1 } } };
  expect(read(structured).body).toBe(`{"a":1}`);
  const { body: _, ...without } = document;
  expect(read(without).body).toBe(JSON.stringify(without));
});
