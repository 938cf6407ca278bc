import { describe, expect, test, vi } from "vitest";
import { anyValue, fieldsOf } from "../../test/otlp-sink.ts";
import { writeRecord } from "../../test/spool-records.ts";
import { writeResource } from "../otlp/otlp-request.ts";
import { counts, instrumentationStats } from "../stats.ts";
import type { Batch, Outbox } from "./outbox.ts";

const A = { name: "a", version: "1" };
const B = { name: "b", version: "" };

export interface OutboxOptions {
  readonly resource: Uint8Array;
  readonly bytesMax: number;
  readonly now: () => number;
}

const RESOURCE = writeResource({ "service.name": "shop" });
const MIB = 1024 * 1024;
const BYTES_MAX = 64 * MIB;

/** What every outbox promises in `outbox.ts`. */
export function describeOutbox(name: string, create: (options: OutboxOptions) => Outbox): void {
  const make = (options: Partial<OutboxOptions> = {}) =>
    create({ resource: RESOURCE, bytesMax: BYTES_MAX, now: () => performance.now(), ...options });
  describe(name, () => {
    describeOrder(make);
    describeBounds(make);
    describeEnd(make);
  });
}

type Make = (options?: Partial<OutboxOptions>) => Outbox;

function describeOrder(make: Make): void {
  test("records are grouped by scope as they came, and the batch counts them", async () => {
    const outbox = make();
    expect(outbox.take("logs")).toBeUndefined();
    put(outbox, "T1");
    put(outbox, "T2");
    put(outbox, "T3", { scope: B });
    put(outbox, "T4");
    const batch = outbox.take("logs");
    expect(batch?.records).toBe(4);
    expect(await contents(batch)).toEqual([
      ["a", ["T1", "T2"]],
      ["b", ["T3"]],
      ["a", ["T4"]],
    ]);
  });

  test("a record that was rolled back leaves nothing, whatever its scope", async () => {
    const outbox = make();
    put(outbox, "T1");
    outbox.open("logs", B).string(1, "half a record");
    outbox.rollback("logs");
    put(outbox, "T2");
    expect(await contents(outbox.take("logs"))).toEqual([["a", ["T1", "T2"]]]);
    outbox.open("logs", B).string(1, "half a record");
    outbox.rollback("logs");
    expect(outbox.dueInMs("logs")).toBeUndefined();
  });

  test("given back, a batch is first again; removed, it is gone", async () => {
    const outbox = make();
    put(outbox, "T1");
    const first = outbox.take("logs");
    put(outbox, "T2");
    expect(outbox.isEmpty).toBe(false);
    if (first === undefined) throw new Error("there is no batch");
    outbox.giveBack(first);
    outbox.giveBack(first);
    expect(outbox.take("logs")).toBe(first);
    outbox.remove(first);
    outbox.remove(first);
    outbox.giveBack(first);
    expect(await contents(outbox.take("logs"))).toEqual([["a", ["T2"]]]);
    expect(outbox.isEmpty).toBe(false);
  });
}

function describeBounds(make: Make): void {
  test("a batch is due at 200 ms, at once when urgent", () => {
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
    expect(outbox.dueInMs("logs")).toBeUndefined();
  });

  test("a batch stays near one MiB, and bytes once given out do not change", async () => {
    const outbox = make();
    for (let i = 0; i < 30; i++) put(outbox, `T${i}`, { bytes: 100_000 });
    const first = outbox.take("logs");
    const bytes = Buffer.concat((await first?.load()) ?? []);
    expect(bytes.length).toBeGreaterThan(0.8 * 1024 * 1024);
    expect(bytes.length).toBeLessThan(1.2 * 1024 * 1024);
    for (let i = 0; i < 300; i++) put(outbox, `U${i}`, { bytes: 100_000 });
    await vi.waitFor(() => expect(outbox.dueInMs("logs")).toBe(0), 20_000);
    expect(Buffer.concat((await first?.load()) ?? []).equals(bytes)).toBe(true);
    expect(Buffer.concat(first?.loadNow() ?? []).equals(bytes)).toBe(true);
  });

  test("over the cap the oldest that nobody sends goes, and is counted", async () => {
    const outbox = make({ bytesMax: 4 * MIB });
    const before = instrumentationStats().logs.dropped;
    put(outbox, "being-sent", { bytes: MIB });
    const sending = outbox.take("logs");
    for (let i = 0; i < 10; i++) put(outbox, `evict-${i}`, { bytes: 1_000_000 });
    await vi.waitFor(() => expect(counts.waitingBytes).toBeLessThanOrEqual(4 * MIB), 20_000);
    const stats = instrumentationStats();
    const dropped = stats.logs.dropped - before;
    expect(dropped).toBeGreaterThan(0);
    const left = outbox.takeRest();
    expect(left).toContain(sending);
    const kept = left.reduce((sum, batch) => sum + batch.records, 0);
    expect(kept + dropped).toBe(11);
    expect(stats.droppedTransactionIds.filter((id) => id.startsWith("evict-"))).toEqual(
      Array.from({ length: dropped }, (_, index) => `evict-${index}`),
    );
  });
}

function describeEnd(make: Make): void {
  test("at the end every record is delivered, kept for the next start, or counted", async () => {
    const outbox = make();
    const before = instrumentationStats().logs.dropped;
    put(outbox, "T1");
    const given = outbox.take("logs");
    put(outbox, "T2", { bytes: 2 * MIB });
    put(outbox, "T3");
    outbox.preserve();
    const rest = outbox.takeRest();
    expect(rest).toContain(given);
    expect(rest.flatMap((batch) => idsOf(Buffer.concat(batch.loadNow())))).toEqual([
      ...["T1", "T2", "T3"],
    ]);
    if (given !== undefined) outbox.remove(given);
    const { lost, kept } = outbox.close();
    expect(lost + kept).toBe(2);
    expect(instrumentationStats().logs.dropped - before).toBe(lost);
  });

  test("nothing is left after an end with nothing to do", () => {
    const outbox = make();
    outbox.preserve();
    expect(outbox.takeRest()).toEqual([]);
    expect(outbox.close()).toEqual({ lost: 0, kept: 0 });
    expect(outbox.close()).toEqual({ lost: 0, kept: 0 });
  });
}

/** Puts a record that consists of its transaction ID and as much text as wanted. */
function put(outbox: Outbox, id: string, options: { scope?: typeof A; bytes?: number } = {}) {
  const writer = outbox.open("logs", options.scope ?? A);
  writeRecord(writer, { id, text: "x".repeat(options.bytes ?? 0) });
  outbox.commit("logs", false);
}

/** Scope name and transaction IDs of each group of records, as a collector reads them. */
async function contents(batch: Batch | undefined): Promise<[string, string[]][]> {
  if (batch === undefined) return [];
  const body = Buffer.concat(await batch.load());
  expect(body.length).toBe(batch.bytes);
  return groupsIn(body);
}

function idsOf(body: Buffer): string[] {
  return groupsIn(body).flatMap(([, ids]) => ids);
}

function groupsIn(body: Buffer): [string, string[]][] {
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
