import { mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { isAlive } from "./orphans.ts";
import { ownIdentity, type ProcessIdentity } from "./process-identity.ts";
import { LOCK_SOCKET, OWNER_FILE } from "./spool-directory.ts";

const MINUTE_MS = 60_000;
const OWN = ownIdentity(true);
/** A process that is there as long as this test is, and is not this one. */
const PARENT = { ...OWN, pid: process.ppid };
const NAMESPACE = { pidNamespace: "pid:[1]" };
const KERNEL = { bootId: "another", host: "another" };

let directory: string;
let lock: Server | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "clew-orphans-test-"));
});
afterEach(() => {
  lock?.close();
  lock = undefined;
  rmSync(directory, { recursive: true, force: true });
});

function own(owner: Partial<ProcessIdentity> | string, ageMs = 0): void {
  const path = join(directory, OWNER_FILE);
  writeFileSync(path, typeof owner === "string" ? owner : JSON.stringify({ ...OWN, ...owner }));
  const at = new Date(Date.now() - ageMs);
  utimesSync(path, at, at);
}

function listen(): void {
  lock = createServer().listen(join(directory, LOCK_SOCKET));
}

test.each<[string, Partial<ProcessIdentity>, { isHeld: boolean; ageMs?: number }, boolean]>([
  ["this process, its lock held by a thread", {}, { isHeld: true }, true],
  ["this process, the thread with the lock gone", {}, { isHeld: false }, false],
  ["an earlier process with this id", { startTicks: "1" }, { isHeld: false }, false],
  ["a process whose id has another now", { ...PARENT, startTicks: "1" }, { isHeld: false }, false],
  ["a process that is gone", { pid: 2 ** 22 + 1 }, { isHeld: false }, false],
  ["another container's process, lock held", NAMESPACE, { isHeld: true }, true],
  ["another container's process, lock free", NAMESPACE, { isHeld: false }, false],
  [
    "another container's, which could not bind a lock",
    { ...NAMESPACE, hasLock: false },
    { isHeld: false, ageMs: MINUTE_MS },
    true,
  ],
  ["another machine's, renewed lately", KERNEL, { isHeld: false, ageMs: MINUTE_MS }, true],
  ["another machine's, not renewed", KERNEL, { isHeld: false, ageMs: 6 * MINUTE_MS }, false],
  ["another machine's with this one's pid", { ...KERNEL, pid: 1 }, { isHeld: false }, true],
])("the owner is %s", async (_, owner, { isHeld, ageMs }, want) => {
  if (isHeld) listen();
  own(owner, ageMs);
  expect(await isAlive(directory)).toBe(want);
});

test.each([
  ["nothing", ""],
  ["no JSON", "{"],
  ["null", "null"],
  ["a list", "[1]"],
  ["no pid", "{}"],
  ["a pid that is a text", '{"pid":"1"}'],
  ["a negative pid", '{"pid":-1}'],
  ["a fraction", '{"pid":1.5}'],
])("an owner file with %s: alive while it is being made, then an orphan", async (_, text) => {
  own(text);
  expect(await isAlive(directory)).toBe(true);
  expect(await isAlive(directory, Date.now() + MINUTE_MS)).toBe(false);
});

test("what is not a directory of ours is left alone", async () => {
  const link = `${directory}-link`;
  symlinkSync(directory, link);
  expect(await isAlive(link, Date.now() + MINUTE_MS)).toBe(true);
  rmSync(link);
  writeFileSync(link, "");
  expect(await isAlive(link, Date.now() + MINUTE_MS)).toBe(true);
  rmSync(link);
  expect(await isAlive(link, Date.now() + MINUTE_MS)).toBe(true);
});
