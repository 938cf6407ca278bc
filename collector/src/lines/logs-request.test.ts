import { expect, test } from "vitest";
import type { JsonValue } from "./line-record.ts";
import { type ShippedRecord, toLogsRequest } from "./logs-request.ts";

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

function attributesOf(record: ShippedRecord): Record<string, unknown> {
  const { resourceLogs } = JSON.parse(toLogsRequest([record], undefined));
  const { attributes } = resourceLogs[0].scopeLogs[0].logRecords[0];
  return Object.fromEntries(
    attributes.map(({ key, value }: { key: string; value: unknown }) => [key, value]),
  );
}

test("a record with its id, its transaction and its file", () => {
  const request = JSON.parse(toLogsRequest([RECORD], undefined));
  expect(request.resourceLogs[0].resource.attributes).toEqual([
    { key: "service.name", value: { stringValue: "orders" } },
  ]);
  expect(request.resourceLogs[0].scopeLogs[0].logRecords[0]).toMatchObject({
    timeUnixNano: "5",
    observedTimeUnixNano: "7",
    severityNumber: 9,
    severityText: "info",
    body: { stringValue: "hello" },
  });
  expect(attributesOf(RECORD)).toEqual({
    "log.record.uid": { stringValue: "run-1" },
    "clew.transaction.id": { stringValue: "order-1" },
    "log.file.path": { stringValue: "/var/log/a.log" },
  });
});

test("a line that has its own record uid keeps it, so that it is stored once", () => {
  const record = { ...RECORD, attributes: { "log.record.uid": "mine-1" } };
  expect(attributesOf(record)["log.record.uid"]).toEqual({ stringValue: "mine-1" });
});

test.each<[JsonValue, unknown]>([
  ["a", { stringValue: "a" }],
  [true, { boolValue: true }],
  [3, { intValue: "3" }],
  [0.5, { doubleValue: 0.5 }],
  [2 ** 60, { doubleValue: 2 ** 60 }],
  [null, {}],
  [[1, "a"], { arrayValue: { values: [{ intValue: "1" }, { stringValue: "a" }] } }],
  [{ a: 1 }, { kvlistValue: { values: [{ key: "a", value: { intValue: "1" } }] } }],
])("the value %j", (value, want) => {
  expect(attributesOf({ ...RECORD, attributes: { value } }).value).toEqual(want);
});

test("what is nested too deep goes as text, and is not lost", () => {
  let value: JsonValue = "core";
  for (let i = 0; i < 50; i++) value = [value];
  const text = JSON.stringify(attributesOf({ ...RECORD, attributes: { value } }).value);
  expect(text).toContain("stringValue");
  expect(text).toContain("core");
});

test("each service has its resource; a given one is all of them", () => {
  const records = [RECORD, { ...RECORD, service: undefined }, { ...RECORD, service: "payments" }];
  const names = (service: string | undefined) =>
    JSON.parse(toLogsRequest(records, service)).resourceLogs.map(
      (item: { resource: { attributes: { value: { stringValue: string } }[] } }) =>
        item.resource.attributes[0]?.value.stringValue,
    );
  expect(names(undefined)).toEqual(["orders", "unknown_service", "payments"]);
  expect(names("all")).toEqual(["all"]);
});
