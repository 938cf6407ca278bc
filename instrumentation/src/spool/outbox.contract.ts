import { describe, expect, test } from "vitest";
import { anyValue, fieldsOf } from "../../test/otlp-sink.ts";
import { RECORDS, writeResource } from "../otlp/otlp-request.ts";
import { newAllowance, writeAttribute } from "../otlp/write-attribute.ts";
import { instrumentationStats } from "../stats.ts";
import { ATTRIBUTE } from "../wire-names.ts";
import type { Batch, Outbox } from "./outbox.ts";

const A = { name: "a", version: "1" };
const B = { name: "b", version: "" };

export interface OutboxOptions {
  readonly resource: Uint8Array;
  readonly bytesMax: number;
  readonly now: () => number;
}

const RESOURCE = writeResource({ "service.name": "shop" });
const BYTES_MAX = 64 * 1024 * 1024;

/** What every outbox promises in `outbox.ts`. */
export function describeOutbox(name: string, create: (options: OutboxOptions) => Outbox): void {
  const make = (options: Partial<OutboxOptions> = {}) =>
    create({ resource: RESOURCE, bytesMax: BYTES_MAX, now: () => performance.now(), ...options });
  describe(name, () => {
    describeOrder(make);
    describeBounds(make);
  });
}

type Make = (options?: Partial<OutboxOptions>) => Outbox;

function describeOrder(make: Make): void {
  test("records are grouped by scope as they came, and the batch counts them", () => {
    const outbox = make();
    expect(outbox.take("logs")).toBeUndefined();
    put(outbox, "T1");
    put(outbox, "T2");
    put(outbox, "T3", { scope: B });
    put(outbox, "T4");
    const batch = outbox.take("logs");
    expect(batch?.records).toBe(4);
    expect(contents(batch)).toEqual([
      ["a", ["T1", "T2"]],
      ["b", ["T3"]],
      ["a", ["T4"]],
    ]);
  });

  test("a record that was rolled back leaves nothing, whatever its scope", () => {
    const outbox = make();
    put(outbox, "T1");
    outbox.open("logs", B).string(1, "half a record");
    outbox.rollback("logs");
    put(outbox, "T2");
    expect(contents(outbox.take("logs"))).toEqual([["a", ["T1", "T2"]]]);
    outbox.open("logs", B).string(1, "half a record");
    outbox.rollback("logs");
    expect(outbox.dueInMs("logs")).toBeUndefined();
  });

  test("given back, a batch is first again; removed, it is gone", () => {
    const outbox = make();
    put(outbox, "T1");
    const first = outbox.take("logs");
    put(outbox, "T2");
    expect(outbox.isEmpty).toBe(false);
    if (first === undefined) throw new Error("there is no batch");
    outbox.giveBack(first);
    outbox.giveBack(first);
    expect(outbox.remains()).toHaveLength(2);
    expect(outbox.take("logs")).toBe(first);
    outbox.remove(first);
    outbox.remove(first);
    outbox.giveBack(first);
    expect(contents(outbox.take("logs"))).toEqual([["a", ["T2"]]]);
    expect(outbox.isEmpty).toBe(false);
  });
}

function describeBounds(make: Make): void {
  test("a batch is due at 200 ms, at once when urgent, and closed at 512 records", () => {
    let now = 1000;
    const outbox = make({ now: () => now });
    put(outbox, "T");
    expect(outbox.dueInMs("logs")).toBe(200);
    now += 150;
    expect(outbox.dueInMs("logs")).toBe(50);
    outbox.open("logs", A);
    outbox.commit("logs", true);
    expect(outbox.dueInMs("logs")).toBe(0);
    expect(outbox.take("logs")?.records).toBe(2);
    for (let i = 0; i < 600; i++) put(outbox, "T");
    expect(outbox.dueInMs("logs")).toBe(0);
    expect(outbox.take("logs")?.records).toBe(512);
    expect(outbox.take("logs")?.records).toBe(88);
  });

  test("a batch stays near one MiB, and bytes once given out do not change", () => {
    const outbox = make();
    for (let i = 0; i < 30; i++) put(outbox, `T${i}`, { bytes: 100_000 });
    const first = outbox.take("logs");
    const bytes = Buffer.concat(first?.parts ?? []);
    expect(bytes.length).toBeLessThan(1.2 * 1024 * 1024);
    for (let i = 0; i < 30; i++) put(outbox, `U${i}`, { bytes: 100_000 });
    expect(Buffer.concat(first?.parts ?? []).equals(bytes)).toBe(true);
  });

  test("over the cap the oldest batch that nobody sends goes, and is counted", () => {
    const outbox = make({ bytesMax: 4 * 1024 * 1024 });
    const before = instrumentationStats().logs.dropped;
    put(outbox, "being-sent", { bytes: 1 << 20 });
    const sending = outbox.take("logs");
    for (let i = 0; i < 10; i++) put(outbox, `evict-${i}`, { bytes: 1_000_000 });
    const stats = instrumentationStats();
    const dropped = stats.logs.dropped - before;
    expect(dropped).toBeGreaterThan(0);
    expect(stats.waitingBytes).toBeLessThanOrEqual(4 * 1024 * 1024);
    const left = outbox.remains();
    expect(left).toContain(sending);
    const kept = left.reduce((sum, batch) => sum + batch.records, 0);
    expect(kept + dropped).toBe(11);
    expect(stats.droppedTransactionIds.filter((id) => id.startsWith("evict-"))).toEqual(
      Array.from({ length: dropped }, (_, index) => `evict-${index}`),
    );
  });
}

/** Puts a record that consists of its transaction ID and as much text as wanted. */
function put(outbox: Outbox, id: string, options: { scope?: typeof A; bytes?: number } = {}) {
  const writer = outbox.open("logs", options.scope ?? A);
  const start = writer.open(RECORDS, 2);
  const allowance = newAllowance(1 << 20);
  writeAttribute(writer, { field: 6, key: ATTRIBUTE.transactionId, value: id }, allowance);
  const value = "x".repeat(options.bytes ?? 0);
  writeAttribute(writer, { field: 6, key: "text", value }, allowance);
  writer.close(start, 2);
  outbox.commit("logs", false);
}

/** Scope name and transaction IDs of each group of records, as a collector reads them. */
function contents(batch: Batch | undefined): [string, string[]][] {
  if (batch === undefined) return [];
  const body = Buffer.concat(batch.parts);
  expect(body.length).toBe(batch.bytes);
  const sub = (message: Buffer, number: number) =>
    fieldsOf(message)
      .filter((field) => field.number === number)
      .map((field) => field.value as Buffer);
  const one = (message: Buffer | undefined, number: number) =>
    sub(message ?? Buffer.alloc(0), number)[0] ?? Buffer.alloc(0);
  return sub(one(body, 1), 2).map((scoped) => [
    one(one(scoped, 1), 1).toString(),
    sub(scoped, 2).map((record) => String(anyValue(one(one(record, 6), 2)))),
  ]);
}
