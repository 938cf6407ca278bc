import { expect, test } from "vitest";
import { type LineRecord, readLine } from "./line-record.ts";

const KEYS = ["clew.transaction.id", "transaction_id", "labels.transaction_id"];
const TRACE = "0123456789abcdef0123456789abcdef";

test.each<[string, string, Partial<LineRecord>]>([
  [
    "pino",
    `{"level":50,"time":1769860800000,"pid":7,"msg":"declined","transaction_id":"order-1",` +
      `"trace_id":"${TRACE}","span_id":"0123456789abcdef"}`,
    {
      timeNs: 1_769_860_800_000_000_000n,
      severity: { number: 17, text: "error" },
      body: "declined",
      attributes: { pid: 7, transaction_id: "order-1" },
      traceId: TRACE,
      spanId: "0123456789abcdef",
      transactionId: "order-1",
    },
  ],
  [
    "winston",
    `{"level":"warn","message":"slow","timestamp":"2026-01-31T12:00:00Z","service":"orders"}`,
    {
      timeNs: 1_769_860_800_000_000_000n,
      severity: { number: 13, text: "warn" },
      body: "slow",
      service: "orders",
      attributes: {},
    },
  ],
  [
    "ECS, nested and dotted",
    `{"@timestamp":"2026-01-31T12:00:00Z","log.level":"info","message":"m",` +
      `"service":{"name":"pay"},"labels":{"transaction_id":"order-2"}}`,
    { service: "pay", transactionId: "order-2", severity: { number: 9, text: "info" } },
  ],
  [
    "fields of the wrong kind stay attributes",
    `{"time":"soon","level":"loud","msg":{"a":1},"trace_id":"xyz","service":7}`,
    {
      timeNs: undefined,
      severity: undefined,
      attributes: { time: "soon", level: "loud", msg: { a: 1 }, trace_id: "xyz", service: 7 },
      traceId: undefined,
      service: undefined,
    },
  ],
  ["no message: the line itself", `{"a":1}`, { body: `{"a":1}`, attributes: { a: 1 } }],
  ["a number as ID", `{"transaction_id":4711,"msg":"m"}`, { transactionId: "4711" }],
  ["an ID that is none", `{"transaction_id":"a b","msg":"m"}`, { transactionId: undefined }],
  [
    "the first of several IDs",
    `{"transaction_id":"b","clew.transaction.id":"a"}`,
    {
      transactionId: "a",
    },
  ],
  ["JSON that is cut off", `{"msg":"half`, { body: `{"msg":"half`, attributes: {} }],
  ["a list is text", `[1,2]`, { body: "[1,2]", attributes: {} }],
  ["a hostile key", `{"__proto__":{"transaction_id":"x"},"msg":"m"}`, { transactionId: undefined }],
  [
    "text with time, level and pairs",
    `2026-01-31T12:00:00.5Z [main] ERROR card declined transaction_id=order-3 trace_id="${TRACE}"`,
    {
      timeNs: 1_769_860_800_500_000_000n,
      severity: { number: 17, text: "ERROR" },
      transactionId: "order-3",
      traceId: TRACE,
    },
  ],
  [
    "logfmt",
    `level=warn msg="slow" transaction_id=order-4`,
    {
      severity: { number: 13, text: "warn" },
      transactionId: "order-4",
    },
  ],
  ["words are no level", "the error was an info of the alert", { severity: undefined }],
  ["a longer key is another key", "my_transaction_id=a transaction_id=b", { transactionId: "b" }],
  ["plain", "hello", { body: "hello", attributes: {}, timeNs: undefined, service: undefined }],
])("reads %s", (_name, line, want) => {
  expect(readLine(line, KEYS)).toMatchObject(want);
});

test("a deep line and a long one are read in time linear to their length", () => {
  const deep = `{"a":${"[".repeat(5000)}${"]".repeat(5000)}}`;
  expect(readLine(deep, KEYS).body).toBe(deep);
  const long = "transaction_id".repeat(50_000);
  expect(readLine(long, KEYS).transactionId).toBeUndefined();
});
