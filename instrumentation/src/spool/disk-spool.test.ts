import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { recordsOnDisk, segmentPaths, writeRecord } from "../../test/spool-records.ts";
import { writeResource } from "../otlp/otlp-request.ts";
import { findTransactionIds } from "../otlp/transaction-scan.ts";
import { counts, instrumentationStats } from "../stats.ts";
import { DiskSpool, type DiskSpoolOptions } from "./disk-spool.ts";
import { describeOutbox } from "./outbox.contract.ts";
import type { Batch } from "./outbox.ts";

const MIB = 1024 * 1024;
const SCOPE = { name: "s", version: "" };

let root: string;
let runs = 0;
let spools: DiskSpool[];
let reports: string[];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "clew-spool-test-"));
  spools = [];
  reports = [];
  counts.waitingBytes = 0;
  Object.assign(counts.spool, { adopted: 0, adoptedDelivered: 0, adoptedDropped: 0 });
  counts.spool.damagedBytes = 0;
});
afterEach(() => {
  for (const spool of spools) spool.close();
  rmSync(root, { recursive: true, force: true });
});

function create(options: Partial<DiskSpoolOptions> = {}): DiskSpool {
  const spool = new DiskSpool({
    ...{ root, limitBytes: 64 * MIB, service: "shop", runId: String(++runs).padEnd(32, "-") },
    resource: writeResource({ "service.name": `run ${runs}` }),
    report: (message) => reports.push(message),
    ...options,
  });
  spools.push(spool);
  return spool;
}

describeOutbox("on disk", ({ resource, bytesMax, now }) =>
  create({ resource, limitBytes: bytesMax, now }),
);

function put(
  spool: DiskSpool,
  id: string,
  of: { bytes?: number; signal?: "logs" | "traces" } = {},
) {
  const { bytes = 0, signal = "logs" } = of;
  const writer = spool.open(signal, SCOPE);
  writeRecord(writer, { id, text: "x".repeat(bytes) });
  spool.commit(signal, false);
}

const onDisk = (records: number) =>
  vi.waitFor(() => expect(recordsOnDisk(root)).toBe(records), 20_000);

async function idsOf(batch: Batch | undefined): Promise<string[]> {
  return [...findTransactionIds((await batch?.load()) ?? [])];
}

/** Everything that waits, batch by batch, removed as if delivered. */
async function deliver(spool: DiskSpool): Promise<string[]> {
  const ids: string[] = [];
  for (let batch = spool.take("logs"); batch !== undefined; batch = spool.take("logs")) {
    ids.push(...(await idsOf(batch)));
    spool.remove(batch);
  }
  return ids;
}

const numbered = (count: number) => Array.from({ length: count }, (_, index) => `T${index}`);

describe("files", () => {
  test("only their owner may look into them, and delivered they are gone", async () => {
    const spool = create();
    expect(readdirSync(root)).toEqual([]);
    put(spool, "T1", { bytes: 100_000 });
    await onDisk(1);
    const [path = ""] = segmentPaths(root);
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(dirname(path)).filter((one) => one !== "lock")) {
      expect(statSync(join(dirname(path), name)).mode & 0o777).toBe(0o600);
    }
    expect(await deliver(spool)).toEqual(["T1"]);
    await onDisk(0);
    expect(statSync(path).size).toBeLessThan(200);
    expect(spool.close()).toEqual({ lost: 0, kept: 0 });
    expect(readdirSync(root)).toEqual([]);
  });

  test("a request holds what waited, whatever frames it came in", async () => {
    const spool = create();
    for (const id of numbered(40)) put(spool, id, { bytes: 30_000 });
    const batch = spool.take("logs");
    expect(batch?.records).toBeGreaterThan(30);
    expect(batch?.bytes).toBeLessThan(1.1 * MIB);
  });

  test("what memory does not hold any more comes back from disk, in order", async () => {
    const spool = create();
    const ids = numbered(400);
    for (const id of ids) put(spool, id, { bytes: 70_000 });
    await onDisk(400);
    expect(await deliver(spool)).toEqual(ids);
    expect(segmentPaths(root).length).toBeLessThan(3);
  });

  test("frames that are damaged on disk are counted, told once, and never sent", async () => {
    const spool = create();
    const dropped = counts.logs.dropped;
    const ids = numbered(300);
    for (const id of ids) put(spool, id, { bytes: 70_000 });
    await onDisk(300);
    const path = segmentPaths(root).sort()[0] ?? "";
    const bytes = readFileSync(path);
    bytes.fill(0, 100_000, 100_010);
    writeFileSync(path, bytes);
    expect(await deliver(spool)).toHaveLength(299);
    expect(counts.logs.dropped - dropped).toBe(1);
    expect(counts.spool.damagedBytes).toBeGreaterThan(70_000);
    expect(reports).toEqual(["1 records in the spool cannot be read any more"]);
  });

  test("a directory that was tidied away is made anew, and the run goes on", async () => {
    const spool = create();
    put(spool, "first", { bytes: 100_000 });
    await onDisk(1);
    rmSync(dirname(segmentPaths(root)[0] ?? ""), { recursive: true });
    for (const id of numbered(100)) put(spool, id, { bytes: 70_000 });
    await vi.waitFor(() => expect(recordsOnDisk(root)).toBeGreaterThan(0), 20_000);
    expect(await deliver(spool)).toEqual(["first", ...numbered(100)]);
  });
});

describe("bounds", () => {
  test("over the limit the oldest go, of both signals, with their transactions", async () => {
    const spool = create({ limitBytes: 2 * MIB });
    const before = instrumentationStats();
    for (let i = 0; i < 60; i++) {
      put(spool, `log-${i}`, { bytes: 100_000 });
      put(spool, `span-${i}`, { bytes: 100_000, signal: "traces" });
    }
    await vi.waitFor(() => expect(counts.waitingBytes).toBeLessThan(2 * MIB), 20_000);
    const after = instrumentationStats();
    const logs = after.logs.dropped - before.logs.dropped;
    const traces = after.traces.dropped - before.traces.dropped;
    expect(Math.abs(logs - traces)).toBeLessThan(10);
    expect(recordsOnDisk(root)).toBe(120 - logs - traces);
    expect(after.droppedTransactionIds).toContain(`log-${logs - 1}`);
    expect(after.droppedTransactionIds).not.toContain(`log-${logs}`);
    expect(after.droppedTransactionIds).toContain(`span-${traces - 1}`);
    expect(await deliver(spool)).toHaveLength(60 - logs);
  });

  test("a loop that logs without a pause loses nothing: it waits for the disk", async () => {
    const spool = create({ memoryBytesMax: 4 * MIB });
    const dropped = counts.logs.dropped;
    const ids = numbered(500);
    for (const id of ids) put(spool, id, { bytes: 70_000 });
    expect(recordsOnDisk(root)).toBeGreaterThan(300);
    expect(await deliver(spool)).toEqual(ids);
    expect(counts.logs.dropped).toBe(dropped);
  });
});

describe("what another run left", () => {
  /** A run that is over; its records wait on disk. */
  function leave(ids: string[], options: Partial<DiskSpoolOptions> = {}): void {
    const spool = create(options);
    for (const id of ids) put(spool, id);
    expect(spool.close()).toEqual({ lost: 0, kept: ids.length });
  }

  test("is sent under that run's resource, as a repetition, and counted apart", async () => {
    leave(["A", "B"], { resource: writeResource({ "service.name": "the dead" }) });
    const delivered = { ...counts.logs };
    const found = vi.fn<(signal: string) => void>();
    const spool = create({ onFound: found });
    spool.start();
    await vi.waitFor(() => expect(found).toHaveBeenCalledWith("logs"), 20_000);
    put(spool, "own");
    const first = spool.take("logs");
    const second = spool.take("logs");
    const adopted = first?.isAdopted === true ? first : second;
    const own = first?.isAdopted === true ? second : first;
    expect([adopted?.attempts, own?.attempts]).toEqual([1, 0]);
    expect(Buffer.concat((await adopted?.load()) ?? []).includes("the dead")).toBe(true);
    expect([await idsOf(adopted), await idsOf(own)]).toEqual([["A", "B"], ["own"]]);
    expect(counts.spool.adopted).toBe(2);
    expect(counts.logs).toEqual(delivered);
    for (const batch of [adopted, own]) if (batch !== undefined) spool.remove(batch);
    spool.close();
    await vi.waitFor(() => expect(readdirSync(root)).toEqual([]), 20_000);
  });

  test("is not taken from a run that is alive", async () => {
    const alive = create();
    put(alive, "A", { bytes: 100_000 });
    await onDisk(1);
    leave(["B"]);
    const found = vi.fn<(signal: string) => void>();
    const spool = create({ onFound: found });
    spool.start();
    await vi.waitFor(() => expect(found).toHaveBeenCalled(), 20_000);
    expect(await deliver(spool)).toEqual(["B"]);
    expect(await deliver(alive)).toEqual(["A"]);
  });

  test("torn or foreign files: what is whole is sent, the rest counted and told once", async () => {
    leave(["A"]);
    leave(["B"]);
    const [torn = "", foreign = ""] = segmentPaths(root);
    const whole = readFileSync(torn);
    writeFileSync(torn, Buffer.concat([whole, whole.subarray(-30)]));
    writeFileSync(foreign, "not a segment");
    const spool = create();
    spool.start();
    await vi.waitFor(() => expect(counts.spool.damagedBytes).toBe(30 + 13), 20_000);
    expect(await deliver(spool)).toHaveLength(1);
    expect(reports).toHaveLength(1);
    expect(reports[0]).toContain("torn");
    spool.close();
    await vi.waitFor(() => expect(readdirSync(root)).toEqual([]), 20_000);
  });

  test("goes before this run's own where the limit is reached, counted with its IDs", async () => {
    leave(numbered(3).map((id) => `left-${id}`));
    const found = vi.fn<(signal: string) => void>();
    const spool = create({ onFound: found, limitBytes: MIB });
    spool.start();
    await vi.waitFor(() => expect(found).toHaveBeenCalled(), 20_000);
    for (const id of numbered(20)) put(spool, id, { bytes: 70_000 });
    await vi.waitFor(() => expect(counts.spool.adoptedDropped).toBe(3), 20_000);
    expect(instrumentationStats().droppedTransactionIds).toContain("left-T2");
    expect(await deliver(spool)).toContain("T19");
  });

  test("passes from adopter to adopter until it is delivered", async () => {
    leave(["A"]);
    for (let i = 0; i < 3; i++) {
      const found = vi.fn<(signal: string) => void>();
      const spool = create({ onFound: found });
      spool.start();
      await vi.waitFor(() => expect(found).toHaveBeenCalled(), 20_000);
      spool.close();
    }
    const spool = create();
    spool.start();
    await vi.waitFor(() => expect(spool.dueInMs("logs")).toBe(0), 20_000);
    expect(await deliver(spool)).toEqual(["A"]);
  });
});

test("a line that is made after the end, in a late `exit` listener, is on disk at once", () => {
  const spool = create();
  spool.preserve();
  spool.close();
  put(spool, "late");
  expect(recordsOnDisk(root)).toBe(1);
});
