import { expect, test } from "vitest";
import { logsRequest, metricsRequest, tracesRequest } from "../../test/otlp-fixtures.ts";
import { ClewError } from "../errors.ts";
import { otlpJsonToProtobuf } from "./otlp-json.ts";
import type { Signal } from "./otlp-schema.ts";
import { otlpToJson } from "./otlp-to-json.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const RESOURCE = { "service.name": "orders" };
const MIB = 1024 * 1024;

const thereAndBack = (signal: Signal, request: Buffer): Buffer => {
  const json = Buffer.from(JSON.stringify(otlpToJson(signal, request)));
  return otlpJsonToProtobuf({ signal, json, maxBytes: MIB });
};

test("is what OTLP/JSON says", () => {
  const request = logsRequest([
    { resource: RESOURCE, records: [{ body: "hello", attributes: { price: 7 } }] },
  ]);
  const [group] = otlpToJson("logs", request).resourceLogs as { resource: unknown }[];
  expect(group?.resource).toEqual({
    attributes: [{ key: "service.name", value: { stringValue: "orders" } }],
  });
});

const SPAN = { traceId: TRACE, spanId: "00f067aa0ba902b7", name: "POST /ü" };

test.each<[string, Signal, Buffer]>([
  ["logs", "logs", logsRequest([{ resource: RESOURCE, records: [{ body: "a" }, { body: "b" }] }])],
  [
    "spans",
    "traces",
    tracesRequest([{ resource: {}, spans: [{ ...SPAN, startNs: 1n, endNs: 2n }] }]),
  ],
  ["metrics", "metrics", metricsRequest("up", [1, 2.5])],
  ["nothing", "logs", Buffer.alloc(0)],
])("%s come back byte for byte", (_name, signal, request) => {
  expect(thereAndBack(signal, request).equals(request)).toBe(true);
});

const exact = (record: object) => ({ resourceLogs: [{ scopeLogs: [{ logRecords: [record] }] }] });

test.each<[string, object]>([
  ["numbers at their ends", { timeUnixNano: "18446744073709551615", flags: 4294967295 }],
  ["a negative integer", { body: { intValue: "-9223372036854775808" } }],
  ["no number", { body: { doubleValue: "NaN" } }],
  ["less than every number", { body: { doubleValue: "-Infinity" } }],
  ["bytes", { body: { bytesValue: "AAH/" } }],
  ["an empty body", { body: {} }],
  ["an empty list, and one in it", { body: { arrayValue: { values: [{ arrayValue: {} }] } } }],
  ["false, which is a value", { body: { boolValue: false } }],
  ["an enum", { severityNumber: 17, severityText: "ERROR" }],
  ["ids", { traceId: TRACE, spanId: "00f067aa0ba902b7" }],
])("%s are told exactly", (_name, record) => {
  const json = Buffer.from(JSON.stringify(exact(record)));
  const request = otlpJsonToProtobuf({ signal: "logs", json, maxBytes: MIB });
  expect(otlpToJson("logs", request)).toEqual(exact(record));
});

test("leaves out what nobody knows, and takes packed and single numbers", () => {
  // Metric > ResourceMetrics > ScopeMetrics > Histogram > bucketCounts (6), packed and alone.
  const message = (number: number, ...parts: Uint8Array[]) => {
    const content = Buffer.concat(parts);
    return Buffer.concat([Buffer.from([(number << 3) | 2, content.length]), content]);
  };
  const count = (value: number) => Buffer.from([value, 0, 0, 0, 0, 0, 0, 0]);
  const alone = Buffer.concat([Buffer.from([(6 << 3) | 1]), count(3)]);
  const point = message(1, message(6, count(1), count(2)), alone, message(15, count(9)));
  const request = message(1, message(2, message(2, message(9, point))));
  const told = JSON.stringify(otlpToJson("metrics", request));
  expect(told).toContain('{"dataPoints":[{"bucketCounts":["1","2","3"]');
});

test("refuses what is no such request", () => {
  expect(() => otlpToJson("logs", Buffer.from("no protobuf"))).toThrow(ClewError);
});
