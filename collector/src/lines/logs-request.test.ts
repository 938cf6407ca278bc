import { expect, test } from "vitest";
import { decodeRequest } from "../../test/otlp-decoder.ts";
import { walkOtlp } from "../otlp/otlp-walk.ts";
import type { JsonValue } from "./json-value.ts";
import { encodeLogsRequest, type LogsRequestOptions, type ShippedRecord } from "./logs-request.ts";

const RECORD: ShippedRecord = {
  timeNs: 5n,
  observedNs: 7n,
  severity: { number: 9, text: "info" },
  body: "hello",
  attributes: {},
  traceId: undefined,
  spanId: undefined,
  service: "orders",
  transactionId: "order-1",
  uid: "run-1",
  file: "/var/log/a.log",
};

interface Group {
  readonly resource: Record<string, unknown>;
  readonly scope: unknown;
  readonly records: readonly { readonly attributes: readonly Pair[] }[];
}

interface Pair {
  readonly key: string;
  readonly value: unknown;
}

/** What a receiver reads; 64-bit integers as text. */
function encode(records: ShippedRecord[], options: Partial<LogsRequestOptions> = {}): Group[] {
  const request = encodeLogsRequest(records, { scope: "test", ...options });
  expect(walkOtlp("logs", request)).toBe(records.length);
  const text = JSON.stringify(decodeRequest("logs", request), (_key, value) =>
    typeof value === "bigint" ? String(value) : value,
  );
  const { resourceLogs } = JSON.parse(text) as { resourceLogs: DecodedGroup[] };
  return resourceLogs.map(({ resource, scopeLogs: [scoped] }) => ({
    resource: byKey(resource.attributes),
    scope: scoped?.scope,
    records: scoped?.logRecords ?? [],
  }));
}

interface DecodedGroup {
  readonly resource: { readonly attributes: readonly Pair[] };
  readonly scopeLogs: readonly { readonly scope: unknown; readonly logRecords: Group["records"] }[];
}

function byKey(pairs: readonly Pair[]): Record<string, unknown> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, value]));
}

function attributesOf(record: ShippedRecord): Record<string, unknown> {
  return byKey(encode([record])[0]?.records[0]?.attributes ?? []);
}

test("a record with its id, its transaction and its file", () => {
  const ids = { traceId: "0123456789abcdef0123456789abcdef", spanId: "0123456789abcdef" };
  const [group] = encode([{ ...RECORD, ...ids }]);
  expect(group?.resource).toEqual({ "service.name": { stringValue: "orders" } });
  expect(group?.scope).toEqual({ name: "test" });
  expect(group?.records[0]).toMatchObject({
    timeUnixNano: "5",
    observedTimeUnixNano: "7",
    severityNumber: 9,
    severityText: "info",
    body: { stringValue: "hello" },
    ...ids,
  });
  expect(attributesOf(RECORD)).toEqual({
    "log.record.uid": { stringValue: "run-1" },
    "clew.transaction.id": { stringValue: "order-1" },
    "log.file.path": { stringValue: "/var/log/a.log" },
  });
});

test("what is not known is not sent", () => {
  const unknown = {
    timeNs: undefined,
    severity: undefined,
    transactionId: undefined,
    uid: undefined,
    file: undefined,
  };
  const [group] = encode([{ ...RECORD, ...unknown }]);
  expect(group?.records[0]).toEqual({ body: { stringValue: "hello" }, observedTimeUnixNano: "7" });
});

test("a line that has its own record uid keeps it, so that it is stored once", () => {
  const record = { ...RECORD, attributes: { "log.record.uid": "mine-1" } };
  expect(attributesOf(record)["log.record.uid"]).toEqual({ stringValue: "mine-1" });
});

test("attributes that a door adds", () => {
  const record = { ...RECORD, extra: { "elasticsearch.index": "logs" } };
  expect(attributesOf(record)["elasticsearch.index"]).toEqual({ stringValue: "logs" });
});

test.each<[JsonValue, unknown]>([
  ["a", { stringValue: "a" }],
  ["é".repeat(300), { stringValue: "é".repeat(300) }],
  ["half \ud800", { stringValue: "half \ufffd" }],
  [true, { boolValue: true }],
  [false, { boolValue: false }],
  [3, { intValue: "3" }],
  [-3, { intValue: "-3" }],
  [2 ** 32, { intValue: "4294967296" }],
  [2n ** 63n - 1n, { intValue: "9223372036854775807" }],
  [0.5, { doubleValue: 0.5 }],
  [2 ** 60, { doubleValue: 2 ** 60 }],
  [null, {}],
  [[1, "a"], { arrayValue: { values: [{ intValue: "1" }, { stringValue: "a" }] } }],
  [[], { arrayValue: {} }],
  [{ a: 1 }, { kvlistValue: { values: [{ key: "a", value: { intValue: "1" } }] } }],
])("the value %o", (value, want) => {
  expect(attributesOf({ ...RECORD, attributes: { value } }).value).toEqual(want);
});

test("what is nested too deep goes as text, and is not lost", () => {
  let value: JsonValue = ["core", 2n ** 62n];
  for (let i = 0; i < 50; i++) value = [value];
  const text = JSON.stringify(attributesOf({ ...RECORD, attributes: { value } }).value);
  expect(text).toContain("stringValue");
  expect(text).toContain("core");
  expect(text).toContain(String(2n ** 62n));
});

test("each resource is named once, whatever the order of its records", () => {
  const records = [
    RECORD,
    { ...RECORD, service: undefined },
    { ...RECORD, host: "a" },
    { ...RECORD, host: "a", resource: { zone: "z" } },
    { ...RECORD, host: "a", resource: { zone: "z" } },
    RECORD,
  ];
  const found = encode(records).map(({ resource, records: own }) => [
    ...Object.values(resource).map((value) => (value as { stringValue: string }).stringValue),
    own.length,
  ]);
  expect(found).toEqual([
    ["orders", 2],
    ["unknown_service", 1],
    ["orders", "a", 1],
    ["orders", "a", "z", 2],
  ]);
  expect(encode([RECORD, { ...RECORD, service: "pay" }], { service: "all" })).toHaveLength(1);
});

test("a request larger than it may be is refused", () => {
  const body = "x".repeat(2000);
  const request = () => encodeLogsRequest([{ ...RECORD, body }], { scope: "test", maxBytes: 1000 });
  expect(request).toThrow(expect.objectContaining({ code: "REQUEST_TOO_LARGE" }));
});
