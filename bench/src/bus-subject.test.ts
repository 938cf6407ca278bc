import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it, onTestFinished } from "vitest";
import { BUS_SUBJECTS, measurePublishing } from "./bus-subject.ts";
import { SqliteQueue } from "./sqlite-queue.ts";

function freshDir(): string {
  const dir = mkdtempSync(join(tmpdir(), "bench-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  return dir;
}

it.for(BUS_SUBJECTS)("publishes what it measures: %s", async (subject) => {
  const dir = freshDir();
  const figures = await measurePublishing({ subject, dir, valueBytes: 4000, messages: 200 });
  expect(figures.messagesPerSecond).toBeGreaterThan(0);
  expect(figures.p99Ms).toBeGreaterThanOrEqual(figures.p50Ms);
  const files = readdirSync(dir, { recursive: true, withFileTypes: true });
  const sizes = files.map((file) => statSync(join(file.parentPath, file.name)).size);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeGreaterThan(200 * 4000);
});

it("resolves when the message is in the file, in the order of sending", async () => {
  const file = join(freshDir(), "queue.sqlite");
  const queue = await SqliteQueue.open(file);
  await Promise.all([1, 2, 3].map((byte) => queue.publish(Uint8Array.of(byte))));
  const database = new DatabaseSync(file, { readOnly: true });
  const rows = database.prepare("SELECT hex(value) AS value FROM queue ORDER BY position").all();
  expect(rows.map((row) => row.value)).toEqual(["01", "02", "03"]);
  expect(database.prepare("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" });
  database.close();
  await queue.stop();
});
