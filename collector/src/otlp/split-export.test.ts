import { describe, expect, it } from "vitest";
import { type Decoded, decodeRequest } from "../../test/otlp-decoder.ts";
import {
  anyValue,
  field,
  logsRequest,
  metricsRequest,
  tracesRequest,
} from "../../test/otlp-fixtures.ts";
import type { Signal } from "./otlp-schema.ts";
import { walkOtlp } from "./otlp-walk.ts";
import { type ExportPart, splitExport } from "./split-export.ts";

const LOGS = logsRequest(
  Array.from({ length: 5 }, (_, group) => ({
    resource: { "service.name": `service-${group}`, "host.name": "h".repeat(20) },
    scope: `scope-${group}`,
    records: Array.from({ length: 40 }, (_, i) => ({
      body: `record ${group}/${i} ${"x".repeat((i * 7) % 90)}`,
      attributes: { index: i },
    })),
  })),
);
const TRACES = tracesRequest([
  {
    resource: { "service.name": "orders" },
    scope: "http",
    spans: Array.from({ length: 60 }, (_, i) => ({
      traceId: "ab".repeat(16),
      spanId: i.toString(16).padStart(16, "0"),
      name: `span ${i}`,
      startNs: 1n,
      endNs: 2n,
    })),
  },
]);
const METRICS = Buffer.concat([
  metricsRequest(
    "first",
    Array.from({ length: 50 }, (_, i) => i),
  ),
  metricsRequest(
    "second",
    Array.from({ length: 3 }, (_, i) => i),
  ),
]);
/** As the OpenTelemetry Collector writes it, the last field first; and fields nobody knows. */
const REVERSED = Buffer.concat(
  ["a", "b"].map((name) => {
    const record = (text: string) => field.bytes(2, field.bytes(5, anyValue(text)));
    const scope = [field.text(3, `schema-${name}`), record("1"), field.text(99, "new")];
    const scopes = [...scope, record("2"), record("3"), field.bytes(1, field.text(1, name))];
    const groups = [
      field.text(3, "url"),
      field.bytes(2, Buffer.concat(scopes)),
      field.varint(9, 1),
    ];
    const resource = field.bytes(1, field.bytes(1, keyValue("service.name", name)));
    return field.bytes(1, Buffer.concat([...groups, resource]));
  }),
);

describe.each<[string, Signal, Buffer]>([
  ["logs", "logs", LOGS],
  ["spans", "traces", TRACES],
  ["metrics", "metrics", METRICS],
  ["fields in any order", "logs", REVERSED],
])("%s", (_name, signal, value) => {
  const whole = recordsOf(signal, value);

  it.each([130, 200, 300, 1000, 5000, value.length - 1])(
    "in parts of at most %i bytes: each record once, with all that it had",
    (maxBytes) => {
      const parts = [...splitExport({ signal, value, maxBytes })];
      expect(parts.length).toBeGreaterThan(0);
      for (const part of parts) {
        if (!part.isTooLarge) expect(part.value.length).toBeLessThanOrEqual(maxBytes);
        expect(walkOtlp(signal, part.value)).toBe(part.records);
        expect(part.records).toBeGreaterThan(0);
      }
      const found = parts.flatMap((part) => recordsOf(signal, part.value));
      expect(found.toSorted()).toEqual(whole.toSorted());
    },
  );

  it("in one part where all fits", () => {
    const parts = [...splitExport({ signal, value, maxBytes: value.length * 2 })];
    expect(parts.map(({ records }) => records)).toEqual([whole.length]);
  });
});

it("fills parts: all but the last are more than half full", () => {
  const parts = [...splitExport({ signal: "logs", value: LOGS, maxBytes: 1000 })];
  expect(parts.length).toBeGreaterThan(10);
  for (const part of parts.slice(0, -1)) expect(part.value.length).toBeGreaterThan(500);
});

describe("what no part can hold", () => {
  const large = (bytes: number) => ({ body: "L".repeat(bytes) });

  it("is a record alone, and the others are taken", () => {
    const records = [{ body: "1" }, large(600), { body: "2" }, large(700), { body: "3" }];
    const resource = { "service.name": "orders" };
    const value = logsRequest([{ resource, scope: "s", records }]);
    const parts = [...splitExport({ signal: "logs", value, maxBytes: 500 })];
    expect(summary(parts)).toEqual([
      [true, 1],
      [true, 1],
      [false, 3],
    ]);
    const [first] = parts;
    const alone = logsRequest([{ resource, scope: "s", records: [large(600)] }]);
    expect(decodeRequest("logs", first?.value ?? alone)).toEqual(decodeRequest("logs", alone));
  });

  it("is one data point with its metric", () => {
    const value = Buffer.concat([
      metricsRequest("n".repeat(400), [1, 2, 3]),
      metricsRequest("small", [1, 2]),
    ]);
    const parts = [...splitExport({ signal: "metrics", value, maxBytes: 500 })];
    expect(summary(parts)).toEqual([
      [true, 3],
      [false, 2],
    ]);
  });

  it("is a group in one piece, where repeating its resource would multiply the request", () => {
    const records = Array.from({ length: 500 }, () => ({ body: "tiny" }));
    const value = logsRequest([
      { resource: { "service.name": "s".repeat(300) }, records },
      { resource: { "service.name": "small" }, records },
      { resource: { "service.name": "s".repeat(300) }, records: [] },
    ]);
    const parts = [...splitExport({ signal: "logs", value, maxBytes: 500 })];
    expect(parts.filter(({ isTooLarge }) => isTooLarge).map(({ records }) => records)).toEqual([
      500,
    ]);
    expect(sum(parts.map(({ records }) => records))).toBe(1000);
    expect(sum(parts.map((part) => part.value.length))).toBeLessThan(4 * value.length);
  });

  it("is never more than some four times the request, however it is made", () => {
    const resource = { "service.name": "s".repeat(190) };
    const records = Array.from({ length: 300 }, (_, i) => ({ body: "x".repeat(i) }));
    const value = logsRequest([{ resource, records }]);
    const parts = [...splitExport({ signal: "logs", value, maxBytes: 500 })];
    expect(sum(parts.map((part) => part.value.length))).toBeLessThan(4 * value.length);
  });
});

it("takes records of two bytes each without an object for each", () => {
  const records = Buffer.alloc(4_000_000);
  for (let at = 0; at < records.length; at += 2) records[at] = 0x12;
  const value = field.bytes(1, field.bytes(2, records));
  const parts = [...splitExport({ signal: "logs", value, maxBytes: 900_000 })];
  expect(parts).toHaveLength(5);
  expect(sum(parts.map((part) => part.records))).toBe(2_000_000);
});

function keyValue(key: string, text: string): Buffer {
  return Buffer.concat([field.text(1, key), field.bytes(2, anyValue(text))]);
}

function summary(parts: readonly ExportPart[]) {
  return parts.map(({ isTooLarge, records }) => [isTooLarge, records]);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** Each record as JSON, with everything around it but its siblings. */
function recordsOf(signal: Signal, value: Buffer): string[] {
  return flatten(decodeRequest(signal, value), {});
}

const GROUPS = new Set(
  ["Logs", "Spans", "Metrics"].flatMap((kind) => [`resource${kind}`, `scope${kind}`]),
);
const KINDS = new Set([...GROUPS, "logRecords", "spans", "metrics", "dataPoints", "gauge"]);

function flatten(message: Decoded, around: object): string[] {
  const entries = Object.entries(message);
  const groups = entries.filter(([name]) => KINDS.has(name));
  const own = Object.fromEntries(entries.filter(([name]) => !KINDS.has(name)));
  if (groups.length === 0) return [toJson({ ...around, record: own })];
  return groups.flatMap(([name, members]) => {
    const list = Array.isArray(members) ? members : [members];
    return list.flatMap((member) => flatten(member, { ...around, [name]: own }));
  });
}

function toJson(value: object): string {
  return JSON.stringify(value, (_key, inner) => (typeof inner === "bigint" ? `${inner}` : inner));
}
