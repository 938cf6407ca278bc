import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { VARIABLE } from "../config.ts";
import { busContract } from "./bus.contract.ts";
import type { BusConsumer, DeliveredMessage, OutgoingMessage } from "./bus.ts";
import { EmbeddedBus, type EmbeddedBusOptions } from "./embedded-bus.ts";

const MIB = 1024 * 1024;
const CHILD = fileURLToPath(new URL("../../test/bus-child.ts", import.meta.url));
const hasStrace = spawnSync("strace", ["-V"]).status === 0;
if (!hasStrace) console.warn("skipped: tests of failing syncs; install strace to run them");
const isRoot = process.getuid?.() === 0;
if (!isRoot) console.warn("skipped: the test of a full disk; run as root to mount a small one");

let dir: string;
let reports: string[];
const open: EmbeddedBus[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "clew-bus-"));
  reports = [];
});

afterEach(async () => {
  for (const bus of open.splice(0)) await bus.stop();
  rmSync(dir, { recursive: true, force: true });
});

busContract("embedded", {
  timeoutMs: 30_000,
  open: async ({ maxInFlightBytes }) => ({
    bus: await openBus({ maxInFlightBytes }),
    async reopen() {
      await open.pop()?.stop();
      return openBus({ maxInFlightBytes });
    },
    remove: async () => undefined,
  }),
});

test("has every message acknowledged to a process that was killed", async () => {
  const acknowledged: string[] = [];
  for (const round of [1, 2, 3]) {
    const child = spawn(process.execPath, [CHILD, dir, "0", "24"]);
    const lines = createInterface({ input: child.stdout });
    lines.on("line", (line) => acknowledged.push(String(line.split(" ")[1])));
    await vi.waitFor(() => expect(acknowledged.length).toBeGreaterThan(round * 300), 30_000);
    child.kill("SIGKILL");
    await Promise.all([once(child, "exit"), once(lines, "close")]);
  }
  const bus = await openBus();
  const { offset } = await bus.publish(message("last"));
  const found = await take(await bus.openConsumer(new Map()), offset + 1);
  const ids = new Set(found.map(({ headers }) => headers.requestId));
  expect(acknowledged.filter((id) => !ids.has(id))).toEqual([]);
  expect(found.map((each) => each.offset)).toEqual(found.map((_, index) => index));
});

test("keeps a second collector out, and lets it in once the first was killed", async () => {
  const first = await openBus();
  const refusal = { code: "DATA_DIR_IN_USE", message: expect.stringContaining(VARIABLE.dataDir) };
  await expect(openBus()).rejects.toMatchObject(refusal);
  await first.stop();
  const child = spawn(process.execPath, [CHILD, dir, "0", "1"]);
  await once(child.stdout, "data");
  await expect(openBus()).rejects.toMatchObject({
    code: "DATA_DIR_IN_USE",
    message: expect.stringContaining(`process ${child.pid}`),
  });
  await end(child, "SIGKILL");
  const bus = await openBus();
  await bus.publish(message("after"));
});

test("another process id in the owner file does not keep anybody out", async () => {
  await (await openBus()).stop();
  writeFileSync(join(dir, "owner"), `${process.ppid}\n`);
  await (await openBus()).publish(message("mine"));
});

test.skipIf(!hasStrace)("syncs before it acknowledges, unless told not to", () => {
  expect(unsyncedAcknowledgements(trace(["8", "1", "true"]).calls)).toEqual([]);
  rmSync(dir, { recursive: true });
  expect(unsyncedAcknowledgements(trace(["8", "1", "false"]).calls)).toHaveLength(8);
});

test.skipIf(!hasStrace)("after a failed sync rejects, leaves that file, and goes on", () => {
  // Each thread of the pool counts for itself; two of four meet their second sync.
  const inject = ["-e", "inject=fdatasync:error=EIO:when=2"];
  const { lines } = trace(["12", "1", "true"], inject);
  const rejected = lines.filter((line) => line.startsWith("no "));
  const acknowledged = lines.filter((line) => line.startsWith("ack "));
  expect(rejected.length).toBeGreaterThan(0);
  for (const line of rejected) expect(line).toMatch(/BUS_UNAVAILABLE$/);
  expect(acknowledged.map((line) => Number(line.split(" ")[2]))).toEqual(
    acknowledged.map((_, index) => index),
  );
  // Nothing is delivered that was not durable, and nothing acknowledged is left out.
  expect(idsOf(lines, "got")).toEqual(idsOf(lines, "ack"));
  expect(readdirSync(dir).filter((name) => name.endsWith(".log")).length).toBeGreaterThan(1);
});

test.skipIf(!hasStrace)("takes a sync that finds the disk full as a full disk", () => {
  const { lines } = trace(["12", "1", "true"], ["-e", "inject=fdatasync:error=ENOSPC:when=2"]);
  const rejected = lines.filter((line) => line.startsWith("no "));
  expect(rejected.length).toBeGreaterThan(0);
  for (const line of rejected) expect(line).toMatch(/BUS_DISK_FULL$/);
  expect(idsOf(lines, "got")).toEqual(idsOf(lines, "ack"));
});

test.skipIf(!isRoot)("a full disk is refused with its reason, and loses nothing", async () => {
  expect(spawnSync("mount", ["-t", "tmpfs", "-o", "size=4m", "clew", dir]).status).toBe(0);
  try {
    const acknowledged: string[] = [];
    let bus = await openBus();
    const refused = await fill(bus, acknowledged);
    expect(refused).toMatchObject({ code: "BUS_DISK_FULL" });
    expect(refused.message).toMatch(/no space left on device/);
    await expect(bus.check()).rejects.toMatchObject({ code: "BUS_DISK_FULL" });
    expect(acknowledged.length).toBeGreaterThan(20);
    // It opens on the full disk too, with all it had, and nothing half written.
    await bus.stop();
    bus = await openBus();
    expect(reports.filter((line) => line.startsWith("damage"))).toEqual([]);
    expect(await fill(bus, acknowledged)).toMatchObject({ code: "BUS_DISK_FULL" });
    const consumer = await bus.openConsumer(new Map());
    const found = await take(consumer, acknowledged.length);
    expect(found.map(({ headers }) => headers.requestId)).toEqual(acknowledged);
    // What was committed makes room again.
    await consumer.commit({ partition: "embedded/0", offset: acknowledged.length });
    const next = take(consumer, 1);
    await vi.waitFor(async () => expect(await bus.check()).toBeUndefined());
    await bus.publish(message("room again", Buffer.alloc(100_000)));
    expect((await next)[0]?.headers.requestId).toBe("room again");
    await consumer.stop();
  } finally {
    for (const bus of open.splice(0)) await bus.stop();
    expect(spawnSync("umount", [dir], { encoding: "utf8" }).stderr).toBe("");
  }
});

test("stays below its own disk limit, and takes more once that was committed", async () => {
  const bus = await openBus({ diskLimitBytes: 2 * MIB });
  const acknowledged: string[] = [];
  const refused = await fill(bus, acknowledged);
  expect(refused).toMatchObject({
    code: "BUS_DISK_FULL",
    message: expect.stringContaining(VARIABLE.diskLimit),
  });
  expect(diskBytes()).toBeLessThanOrEqual(2 * MIB);
  const consumer = await bus.openConsumer(new Map());
  await take(consumer, acknowledged.length);
  await consumer.commit({ partition: "embedded/0", offset: acknowledged.length });
  await vi.waitFor(() => bus.publish(message("more")));
});

test("gives back the space of what was committed", async () => {
  const bus = await openBus();
  const consumer = await bus.openConsumer(new Map());
  for (let i = 0; i < 40; i++) {
    const { partition, offset } = await bus.publish(message(String(i), Buffer.alloc(4 * MIB)));
    await take(consumer, 1);
    await consumer.commit({ partition, offset: offset + 1 });
  }
  await vi.waitFor(() => expect(diskBytes()).toBeLessThan(24 * MIB));
  // The next offset outlives the files that it was counted in.
  await bus.stop();
  const { offset } = await (await openBus()).publish(message("41st"));
  expect(offset).toBe(40);
});

test("a consumer that was ahead of a lost bus reads everything, and is not overtaken", async () => {
  const bus = await openBus();
  await bus.publish(message("before"));
  const consumer = await bus.openConsumer(new Map([["embedded/0", 5000]]));
  expect((await take(consumer, 1))[0]?.headers.requestId).toBe("before");
  expect((await bus.publish(message("after"))).offset).toBe(5000);
  expect((await take(consumer, 1))[0]?.headers.requestId).toBe("after");
  expect(reports.join()).toContain("reading all again");
  await bus.stop();
  expect((await (await openBus()).publish(message("next"))).offset).toBe(5001);
});

test("delivers everything again where the committed offset cannot be read", async () => {
  let bus = await openBus();
  const { partition } = await bus.publish(message("0"));
  await bus.publish(message("1"));
  const consumer = await bus.openConsumer(new Map());
  await consumer.commit({ partition, offset: 1 });
  await bus.stop();
  writeFileSync(join(dir, "committed"), "00000000000000000002 deadbeef\n");
  bus = await openBus();
  expect(await take(await bus.openConsumer(new Map()), 2)).toHaveLength(2);
});

test("a new consumer ends the one before", async () => {
  const bus = await openBus();
  const first = await bus.openConsumer(new Map());
  const waiting = first.read({ maxBytes: MIB, signal: new AbortController().signal });
  const second = await bus.openConsumer(new Map());
  expect(await waiting).toEqual([]);
  await bus.publish(message("x"));
  expect(await take(second, 1)).toHaveLength(1);
});

async function openBus(options: Partial<EmbeddedBusOptions> = {}): Promise<EmbeddedBus> {
  const bus = await EmbeddedBus.open({
    dir,
    maxInFlightBytes: 64 * MIB,
    nowNs: () => BigInt(Date.now()) * 1_000_000n,
    report: (line) => reports.push(line),
    ...options,
  });
  open.push(bus);
  return bus;
}

function message(requestId: string, value: Uint8Array = Buffer.from(requestId)): OutgoingMessage {
  const headers = { requestId, part: 0, records: 1, receivedNs: 1n, repeat: false };
  return { topic: "logs", headers, value };
}

/** Publishes until refused; what was acknowledged is added. */
async function fill(bus: EmbeddedBus, acknowledged: string[]): Promise<Error> {
  for (let i = 0; i < 10_000; i++) {
    const requestId = `${acknowledged.length}`;
    try {
      await bus.publish(message(requestId, Buffer.alloc(50_000, i)));
      acknowledged.push(requestId);
    } catch (error) {
      if (error instanceof Error) return error;
    }
  }
  throw new Error("the disk never became full");
}

async function take(consumer: BusConsumer, count: number): Promise<DeliveredMessage[]> {
  const messages: DeliveredMessage[] = [];
  const signal = AbortSignal.timeout(20_000);
  while (messages.length < count && !signal.aborted) {
    const next = await consumer.read({ maxBytes: MIB, signal });
    if (next.length === 0) break;
    messages.push(...next);
  }
  expect(messages).toHaveLength(count);
  return messages;
}

function diskBytes(): number {
  const names = readdirSync(dir).filter((name) => name.endsWith(".log"));
  return names.reduce((sum, name) => sum + statSync(join(dir, name)).size, 0);
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  child.kill(signal);
  await once(child, "exit");
}

/** What the child prints, and its writes and syncs in their order. */
function trace(args: string[], inject: string[] = []): { lines: string[]; calls: string[] } {
  const file = join(tmpdir(), `clew-trace-${process.pid}`);
  const calls = ["-e", "trace=write,writev,pwritev,pwrite64,fdatasync"];
  const command = [process.execPath, CHILD, dir, ...args];
  const result = spawnSync("strace", ["-f", "-o", file, ...calls, ...inject, ...command], {
    encoding: "utf8",
  });
  expect(result.stderr).toBe("");
  const traced = readFileSync(file, "utf8").split("\n");
  rmSync(file);
  return { lines: result.stdout.split("\n"), calls: traced };
}

/** Acknowledgements that no sync, ended well, stands before since the last write of entries. */
function unsyncedAcknowledgements(calls: readonly string[]): string[] {
  let isSynced = true;
  const unsynced: string[] = [];
  for (const call of calls) {
    if (/pwritev\(|pwrite64\(|writev\(/.test(call)) isSynced = false;
    else if (/fdatasync.*= 0$/.test(call)) isSynced = true;
    else if (call.includes('"ack ') && !isSynced) unsynced.push(call);
  }
  return unsynced;
}

function idsOf(lines: readonly string[], word: string): string[] {
  return lines
    .filter((line) => line.startsWith(`${word} `))
    .map((line) => line.split(" ")[1] ?? "");
}
