import { expect, it } from "vitest";
import {
  anyValue,
  type FixtureValue,
  logRecord,
  NOON_NS,
  spanRecord,
} from "../../../test/record-fixtures.ts";
import type { IncomingRecord, StoredRecord } from "../../record.ts";
import { readResource, readScopeName, toRfc3339, toStoredRecord } from "./stored-record.ts";

it("gives every kind of value as JSON", () => {
  const check = (value: FixtureValue, want: unknown) => {
    const { attributes } = stored(logRecord("l", { attributes: { value } }));
    expect(attributes).toEqual({ value: want });
  };
  check("text ✓", "text ✓");
  check("", "");
  check(true, true);
  check(false, false);
  check(0n, 0);
  check(-5n, -5);
  check(2n ** 53n - 1n, 2 ** 53 - 1);
  check(2n ** 53n, "9007199254740992");
  check(-(2n ** 63n), "-9223372036854775808");
  check(1.5, 1.5);
  check(Number.NaN, "NaN");
  check(Number.NEGATIVE_INFINITY, "-Infinity");
  check(null, null);
  check(Buffer.from([0, 255]), "AP8=");
  check([1n, "a", [true]], [1, "a", [true]]);
  check({ a: { b: [{ c: 1n }] } }, { a: { b: [{ c: 1 }] } });
  check([], []);
  check({}, {});
});

it("keeps a key like __proto__ a key", () => {
  const attributes = Object.fromEntries([["__proto__", { polluted: true }]]);
  const record = stored(logRecord("l", { attributes }));
  expect(Object.keys(record.attributes)).toEqual(["__proto__"]);
  expect(Object.getPrototypeOf(record.attributes)).toBe(Object.prototype);
});

it("ends at a depth, however deep the value goes", () => {
  let value: FixtureValue = "core";
  for (let depth = 0; depth < 500; depth++) value = depth % 2 ? [value] : { inner: value };
  const text = JSON.stringify(stored(logRecord("l", { attributes: { value } })).attributes);
  expect(text).toContain("(nested deeper than 32)");
  expect(text).not.toContain("core");
});

it("reads a log's body as its message", () => {
  const check = (body: FixtureValue, want: Partial<StoredRecord>) =>
    expect(stored(logRecord("l", { body }))).toMatchObject(want);
  check("plain", { message: "plain", body: null });
  check({ a: 1n }, { message: '{"a":1}', body: { a: 1 } });
  check([1n, 2n], { message: "[1,2]", body: [1, 2] });
  check(7n, { message: "7", body: 7 });
  check(null, { message: "", body: null });
  const named = logRecord("l", { eventName: "started", severityText: "INFO" });
  expect(stored(named)).toMatchObject({
    severityText: "INFO",
    attributes: { "event.name": "started" },
    span: null,
  });
});

it("reads a span with events, links and status", () => {
  const link = { traceId: "ab".repeat(16), spanId: "cd".repeat(8), attributes: { why: "batch" } };
  const event = { name: "exception", timeNs: NOON_NS + 1n, attributes: { n: 1n } };
  const span = spanRecord("s", {
    ...{ text: "GET /", spanKind: 2, durationNs: 1_500_000n, isError: true },
    ...{ statusMessage: "boom", events: [event], links: [link], attributes: { a: "b" } },
  });
  expect(stored(span)).toMatchObject({
    message: "GET /",
    attributes: { a: "b" },
    span: {
      ...{ kind: "server", durationMs: 1.5, status: "error", statusMessage: "boom" },
      events: [{ name: "exception", time: "2026-03-01T12:00:00.000000001Z", attributes: { n: 1 } }],
      links: [link],
    },
  });
});

it("shows a record whose bytes are damaged, and says that they are", () => {
  const whole = logRecord("l", { attributes: { key: "value" } });
  let unreadable = 0;
  for (let length = 0; length < whole.payload.length; length++) {
    const record = stored({ ...whole, payload: whole.payload.subarray(0, length) });
    expect(record.id).toBe("l");
    if (record.message === "(the bytes of this record cannot be read)") unreadable++;
  }
  expect(unreadable).toBeGreaterThan(10);
  expect(readResource(Buffer.from([0x0a, 0xff]))).toEqual({});
  expect(readScopeName(Buffer.from([0x0a, 0xff]))).toBe("");
});

it("passes over fields it does not know", () => {
  const { payload } = logRecord("l", { text: "known" });
  const unknown = Buffer.concat([Buffer.from([0xfa, 0x01, 3]), anyValue(true), Buffer.from([0])]);
  expect(stored({ ...logRecord("l"), payload: Buffer.concat([unknown, payload]) })).toMatchObject({
    message: "known",
  });
});

it("has nine digits", () => {
  expect(toRfc3339(0n)).toBe("1970-01-01T00:00:00.000000000Z");
  expect(toRfc3339(NOON_NS + 7n)).toBe("2026-03-01T12:00:00.000000007Z");
  expect(toRfc3339(2n ** 64n - 1n)).toBe("2554-07-21T23:34:33.709551615Z");
});

function stored(record: IncomingRecord): StoredRecord {
  return toStoredRecord({ ...record, resource: {}, scope: "" });
}
