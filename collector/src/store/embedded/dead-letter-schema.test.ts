import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, it } from "vitest";
import { layOutOldDeadLetters } from "../../../test/old-dead-letters.ts";
import {
  batchOf,
  deadLetter,
  deadLetterAct,
  logRecord,
  NOON_NS,
} from "../../../test/record-fixtures.ts";
import type { StoreReader, StoreWriter } from "../store.ts";
import { openEmbeddedStoreReader } from "./embedded-store-reader.ts";
import { openEmbeddedStoreWriter } from "./embedded-store-writer.ts";

const DAY = "2026-03-01";
const OLD = "INSERT INTO dead_letters VALUES (?, ?, ?, ?, ?, ?, ?, ?)";

let dir: string;
const open: (StoreReader | StoreWriter)[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "clew-store-"));
});
afterEach(async () => {
  for (const part of open.splice(0)) await part.stop();
  rmSync(dir, { recursive: true, force: true });
});

function openBoth(): { writer: StoreWriter; reader: StoreReader } {
  const both = {
    writer: openEmbeddedStoreWriter({ dir, nowMs: () => Number(NOON_NS / 1_000_000n) }),
    reader: openEmbeddedStoreReader({ dir }),
  };
  open.push(both.writer, both.reader);
  return both;
}

it("brings dead letters of version 2 up: they can be read, and acted upon", async () => {
  const { writer: first } = openBoth();
  await first.write(batchOf([logRecord("a", { transactionId: "t" })]));
  await first.stop();
  const db = new DatabaseSync(join(dir, `${DAY}.db`));
  layOutOldDeadLetters(db);
  const row = ["t", "orders", "refused", 'no "x" of 7', "logs", Buffer.from([1, 2])] as const;
  db.prepare(OLD).run("old-1", NOON_NS, ...row);
  db.prepare(OLD).run("old-2", NOON_NS + 1n, ...row);
  db.exec("UPDATE transactions SET dead_letters = 2 WHERE id = 't'");
  // What the ledger adds is left in place: it has a test of its own.
  const added = ["run_seen", "run_numbers", "run_expired", "unnumbered", "traces", "sources"];
  for (const table of added) db.exec(`DROP TABLE IF EXISTS ${table}`);
  db.exec("DROP INDEX spans_alone");
  db.exec("PRAGMA user_version = 2");
  db.close();
  const { writer, reader } = openBoth();
  const { items } = await reader.deadLetters({ limit: 10 });
  expect(items.map(({ id }) => id)).toEqual(["old-2", "old-1"]);
  expect(await reader.findDeadLetter("old-1")).toEqual({
    ...{ id: "old-1", receivedNs: NOON_NS, refusedNs: NOON_NS, transactionId: "t" },
    ...{ service: "orders", runId: "", sequence: 0, reason: "refused", status: null },
    ...{ detail: 'no "x" of 7', topic: "logs", original: new Uint8Array([1, 2]), isWhole: true },
    ...{ state: "open", refusals: 1, acts: [] },
  });
  const groups = await reader.deadLetterGroups({ limit: 10 });
  expect(groups.items).toMatchObject([{ pattern: "no * of *", count: 2 }]);
  expect((await reader.findTransaction("t"))?.deadLetters).toBe(2);
  await writer.write(batchOf([], { deadLetterActs: [deadLetterAct("old-1")] }));
  await writer.write(
    batchOf([], { deadLetters: [deadLetter("old-2", { refusedNs: NOON_NS + 9n })] }),
  );
  expect((await reader.findTransaction("t"))?.deadLetters).toBe(1);
  expect(await reader.findDeadLetter("old-2")).toMatchObject({ refusals: 2, transactionId: "t" });
});
