import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, it } from "vitest";
import {
  batchOf,
  DAY_NS,
  deadLetter,
  logRecord,
  NOON_NS,
  spanRecord,
} from "../../../test/record-fixtures.ts";
import type { IncomingRecord } from "../../record.ts";
import { type StoreUnderTest, storeContract } from "../store.contract.ts";
import type { StoreReader, StoreWriter } from "../store.ts";
import { openEmbeddedStoreReader } from "./embedded-store-reader.ts";
import { openEmbeddedStoreWriter } from "./embedded-store-writer.ts";

/** In CI the test runs, and fails where it may not mount. */
const canMount = process.getuid?.() === 0 || process.env.CI === "true";
if (!canMount) console.warn("skipped: the store's test of a full disk; run as root to mount one");
const PARTITION = "embedded/0";
const DAY = "2026-03-01";
const NEXT_DAY = "2026-03-02";

let dir = "";
const stores: (StoreReader | StoreWriter)[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "clew-store-"));
});
afterEach(async () => {
  for (const store of stores.splice(0)) await store.stop();
  rmSync(dir, { recursive: true, force: true });
});

storeContract("the embedded store", async () => openBoth(dir));

it("writes each record to the file of its day of receipt, positions with the last", async () => {
  const writer = openWriter();
  const records = [...recordsOf("b", NOON_NS + DAY_NS, 3), ...recordsOf("a", NOON_NS, 3)];
  expect(await writer.write(batchOf(records, { next: 5 }))).toMatchObject({ created: 6 });
  await writer.stop();
  expect(readdirSync(dir).toSorted()).toEqual([`${DAY}.db`, `${NEXT_DAY}.db`]);
  expect(rowsOf(DAY, "SELECT id FROM records")).toEqual(["a0", "a1", "a2"]);
  expect(rowsOf(DAY, "SELECT next_offset FROM positions")).toEqual([]);
  expect(rowsOf(NEXT_DAY, "SELECT next_offset FROM positions")).toEqual([5]);
});

it("takes positions without records, and never goes back", async () => {
  const writer = openWriter();
  await writer.write(batchOf([], { next: 3 }));
  await writer.write(batchOf(recordsOf("a", NOON_NS, 1), { next: 9 }));
  await writer.write(batchOf(recordsOf("b", NOON_NS + DAY_NS, 1), { next: 4 }));
  expect(await writer.positions()).toEqual(new Map([[PARTITION, 9]]));
  await writer.stop();
  expect(await openWriter().positions()).toEqual(new Map([[PARTITION, 9]]));
});

it("keeps the positions back where a record was refused", async () => {
  const writer = openWriter({ recordBytesMax: 1000 });
  const large = logRecord("large", { text: "x".repeat(1000) });
  const never = logRecord("never", { receivedNs: 2n ** 63n });
  const refused = await writer.write(batchOf([large, logRecord("a"), never], { next: 1 }));
  expect(refused).toMatchObject({ created: 1, existing: 0 });
  expect(refused.refused.map(({ index }) => index)).toEqual([0, 2]);
  expect(refused.refused[0]?.reason).toMatch(/bytes: the store takes records up to 1000/);
  expect(await writer.positions()).toEqual(new Map());
  const deadLetters = [deadLetter("large")];
  await writer.write(batchOf([logRecord("a")], { next: 1, deadLetters }));
  expect(await writer.positions()).toEqual(new Map([[PARTITION, 1]]));
});

it("carries the positions over when it expires days, and readers let go of them", async () => {
  const { writer, reader } = openBoth(dir);
  await writer.write(batchOf(recordsOf("b", NOON_NS + DAY_NS, 2), { next: 5 }));
  await writer.write(batchOf(recordsOf("a", NOON_NS, 2), { next: 9 }));
  expect((await reader.searchLogs({ limit: 9, order: "newest" })).items).toHaveLength(4);
  expect(await writer.expire(NEXT_DAY)).toEqual([DAY]);
  expect(await writer.expire(NEXT_DAY)).toEqual([]);
  const left = await reader.searchLogs({ limit: 9, order: "newest" });
  expect(left.items.map(({ id }) => id)).toEqual(["b1", "b0"]);
  expect(openFiles().filter((name) => name.includes(DAY))).toEqual([]);
  expect(await writer.expire("2026-04-01")).toEqual([NEXT_DAY]);
  await writer.stop();
  expect(await openWriter().positions()).toEqual(new Map([[PARTITION, 9]]));
  expect(readdirSync(dir).filter((name) => name < "2026-04-01")).toEqual([]);
  await expect(openWriter().expire("soon")).rejects.toMatchObject({ code: "PARAMETER_INVALID" });
});

it("agrees with itself after SIGKILL in the middle of writing, again and again", async () => {
  let least = 0;
  for (let round = 0; round < 10; round++) {
    const acknowledged = await writeUntilKilled(least + 8);
    const { writer, reader } = openBoth(dir);
    const next = (await writer.positions()).get(PARTITION) ?? 0;
    expect(next).toBeGreaterThanOrEqual(acknowledged);
    // The child writes 20 records over two days, 10 each, for every offset.
    const found = await reader.findTransaction("t");
    const [overview] = await reader.services({});
    const stored = [DAY, NEXT_DAY].map((day) =>
      Number(rowsOf(day, "SELECT count(*) FROM records")),
    );
    expect(stored[1]).toBe(next * 10);
    expect([0, 10]).toContain((stored[0] ?? 0) - next * 10);
    const sum = (stored[0] ?? 0) + (stored[1] ?? 0);
    expect([found?.logs, overview?.logs]).toEqual([sum, sum]);
    await Promise.all([writer.stop(), reader.stop()]);
    least = next;
  }
  expect(least).toBeGreaterThanOrEqual(80);
});

it.skipIf(!canMount)("says STORE_FULL on a full disk, and takes the same write later", async () => {
  const mount = join(dir, "full");
  const unmount = mountTmpfs(mount);
  try {
    const ballast = join(mount, "ballast");
    writeFileSync(ballast, Buffer.alloc(5_000_000));
    const { writer, reader } = openBoth(join(mount, "store"));
    const { batch, stored } = await writeUntil(writer, "STORE_FULL");
    expect(stored).toBeGreaterThan(0);
    const query = { limit: 1, order: "newest" } as const;
    expect((await reader.searchLogs(query)).items).toHaveLength(1);
    await expect(writer.write(batch)).rejects.toMatchObject({ code: "STORE_FULL" });
    expect((await reader.services({}))[0]?.logs).toBe(stored);
    rmSync(ballast);
    expect(await writer.write(batch)).toMatchObject({ created: 200, existing: 0 });
    expect((await reader.services({}))[0]?.logs).toBe(stored + 200);
    const next = (await writer.positions()).get(PARTITION);
    expect(next).toBe(stored / 200 + 1);
    await Promise.all([writer.stop(), reader.stop()]);
  } finally {
    unmount();
  }
});

it("sets a damaged file aside, says so, and goes on", async () => {
  const damages = [
    (path: string) => writeFileSync(path, "this is no database, but text. ".repeat(1000)),
    (path: string) => truncateSync(path, 8192),
    (path: string) => overwrite(path, 8192),
  ];
  for (const [index, damage] of damages.entries()) {
    const first = openWriter();
    await first.write(batchOf(recordsOf("a", NOON_NS, 100), { next: 7 }));
    await first.stop();
    damage(join(dir, `${DAY}.db`));
    const damaged = readFileSync(join(dir, `${DAY}.db`));
    const warnings: string[] = [];
    const writer = openWriter({ warn: (sentence) => warnings.push(sentence) });
    expect(await writer.write(batchOf(recordsOf("b", NOON_NS, 1), { next: 8 }))).toMatchObject({
      created: 1,
    });
    await writer.stop();
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(`${DAY}.db.corrupt-${index + 1}`);
    expect(readFileSync(join(dir, `${DAY}.db.corrupt-${index + 1}`))).toEqual(damaged);
    const reader = openReader();
    expect((await reader.searchLogs({ limit: 9, order: "newest" })).items).toHaveLength(1);
    await reader.stop();
    rmSync(join(dir, `${DAY}.db`));
  }
});

it("refuses a file of a newer version, and leaves it alone", async () => {
  const writer = openWriter();
  await writer.write(batchOf(recordsOf("a", NOON_NS, 1)));
  await writer.stop();
  const path = join(dir, `${DAY}.db`);
  const db = new DatabaseSync(path);
  db.exec("PRAGMA user_version = 99");
  db.close();
  const newer = expect.objectContaining({ code: "STORE_VERSION_UNKNOWN" });
  expect(() => openWriter()).toThrow(/its version is 99, this collector knows up to 3/);
  expect(() => openWriter()).toThrow(newer);
  await expect(openReader().findTransaction("t")).rejects.toEqual(newer);
  expect(readdirSync(dir)).toContain(`${DAY}.db`);
});

it("rolls a batch back as a whole, and is of use again", async () => {
  const writer = openWriter();
  await writer.write(batchOf(recordsOf("a", NOON_NS, 2), { next: 1 }));
  const blocker = new DatabaseSync(join(dir, `${DAY}.db`));
  blocker.exec("CREATE TRIGGER t BEFORE INSERT ON positions BEGIN SELECT RAISE(ABORT, 'no'); END");
  const batch = batchOf(
    [logRecord("b", { transactionId: "t" }), spanRecord("c", { transactionId: "t" })],
    { next: 2, deadLetters: [deadLetter("d", { transactionId: "t" })] },
  );
  for (let i = 0; i < 2; i++) {
    await expect(writer.write(batch)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  }
  const reader = openReader();
  expect(await reader.findTransaction("t")).toBeUndefined();
  blocker.exec("DROP TRIGGER t");
  blocker.close();
  expect(await writer.write(batch)).toMatchObject({ created: 2 });
  expect(await reader.findTransaction("t")).toMatchObject({ logs: 1, spans: 1, deadLetters: 1 });
  expect(await writer.positions()).toEqual(new Map([[PARTITION, 2]]));
});

it("is unavailable where its folder cannot be", async () => {
  writeFileSync(join(dir, "file"), "");
  const inFile = join(dir, "file", "store");
  const unavailable = expect.objectContaining({ code: "STORE_UNAVAILABLE" });
  expect(() => openEmbeddedStoreWriter({ dir: inFile })).toThrow(unavailable);
  await expect(openEmbeddedStoreReader({ dir: inFile }).check()).rejects.toEqual(unavailable);
});

function openBoth(folder: string): StoreUnderTest {
  const writer = openEmbeddedStoreWriter({ dir: folder });
  const reader = openEmbeddedStoreReader({ dir: folder });
  stores.push(writer, reader);
  return { writer, reader, reopen: async () => openBoth(folder) };
}

function openWriter(options: { recordBytesMax?: number; warn?: (text: string) => void } = {}) {
  const writer = openEmbeddedStoreWriter({ dir, ...options });
  stores.push(writer);
  return writer;
}

function openReader(): StoreReader {
  const reader = openEmbeddedStoreReader({ dir });
  stores.push(reader);
  return reader;
}

function recordsOf(prefix: string, receivedNs: bigint, count: number): IncomingRecord[] {
  return Array.from({ length: count }, (_, i) =>
    logRecord(`${prefix}${i}`, { receivedNs, timeNs: receivedNs + BigInt(i) }),
  );
}

/** The only column of each row. */
function rowsOf(day: string, sql: string): unknown[] {
  const path = join(dir, `${day}.db`);
  if (!existsSync(path)) return [];
  const db = new DatabaseSync(path, { readOnly: true });
  const rows = db.prepare(sql).all();
  db.close();
  return rows.flatMap((row) => Object.values(row));
}

/** The files this process holds open. */
function openFiles(): string[] {
  return execFileSync("ls", ["-l", `/proc/${process.pid}/fd`], { encoding: "utf8" }).split("\n");
}

/**
 * Lets a child write until it acknowledged `offset`, kills it while it writes the next, and answers
 * the last it acknowledged.
 */
async function writeUntilKilled(offset: number): Promise<number> {
  const script = join(import.meta.dirname, "../../../test/store-child.ts");
  const child = spawn(process.execPath, [script, dir], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  let acknowledged = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged = Number(line);
    if (acknowledged >= offset) child.kill("SIGKILL");
  }
  expect((await exited)[1]).toBe("SIGKILL");
  return acknowledged;
}

function overwrite(path: string, from: number): void {
  const bytes = readFileSync(path).length - from;
  const file = openSync(path, "r+");
  writeSync(file, Buffer.alloc(bytes, 0xa5), 0, bytes, from);
  closeSync(file);
}

/** Writes batch after batch of 200 until one fails with `code`; answers it and what went before. */
async function writeUntil(writer: StoreWriter, code: string) {
  for (let next = 1; next < 1000; next++) {
    const batch = batchOf(recordsOf(`b${next}-`, NOON_NS, 200), { next });
    try {
      await writer.write(batch);
    } catch (thrown) {
      expect(thrown).toMatchObject({ code });
      return { batch, stored: (next - 1) * 200 };
    }
  }
  throw new Error("cannot fill the disk: everything was taken");
}

/** A disk of 8 MiB. Needs root, as in CI. */
function mountTmpfs(path: string): () => void {
  execFileSync("mkdir", ["-p", path]);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", path]);
  return () => {
    execFileSync("umount", ["-l", path]);
  };
}
