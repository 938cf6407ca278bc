import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { REPORT } from "@clew/instrumentation/names";
import { afterEach, beforeEach, expect, it } from "vitest";
import { numberedLog, numberedReport, numberedSpan } from "../../../test/ledger-cases.ts";
import { layOutOldDeadLetters } from "../../../test/old-dead-letters.ts";
import {
  batchOf,
  DAY_NS,
  logRecord,
  NOON_NS,
  SECOND_NS,
  spanRecord,
} from "../../../test/record-fixtures.ts";
import type { RunReport } from "../../record.ts";
import type { StoreReader, StoreWriter } from "../store.ts";
import { openEmbeddedStoreReader } from "./embedded-store-reader.ts";
import { openEmbeddedStoreWriter } from "./embedded-store-writer.ts";

const DAY = "2026-03-01";
const PARTITION = "embedded/0";
const LEDGER_TABLES = ["run_seen", "run_numbers", "run_expired", "unnumbered"];
/** As long after its last record as the old day's runs may have been ahead. */
const AFTER_NS = NOON_NS + 100n * SECOND_NS;

let dir: string;
let writer: StoreWriter;
let reader: StoreReader;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "clew-store-"));
  open();
});
afterEach(async () => {
  await stop();
  rmSync(dir, { recursive: true, force: true });
});

function open(): void {
  writer = openEmbeddedStoreWriter({ dir });
  reader = openEmbeddedStoreReader({ dir });
}

async function stop(): Promise<void> {
  await Promise.all([writer.stop(), reader.stop()]);
}

/** Makes the day's file what a collector of that version left, as a newer one finds it. */
async function becomeVersion(version: 1 | 2): Promise<void> {
  await stop();
  const db = new DatabaseSync(join(dir, `${DAY}.db`));
  for (const table of LEDGER_TABLES) db.exec(`DROP TABLE ${table}`);
  for (const table of ["traces", "sources"]) db.exec(`DROP TABLE ${table}`);
  db.exec("DROP INDEX spans_alone");
  layOutOldDeadLetters(db);
  if (version === 1) {
    for (const column of ["deadline", "deadline_time", "events"]) {
      db.exec(`ALTER TABLE transactions DROP COLUMN ${column}`);
    }
    db.exec("DROP TABLE runs");
  }
  db.exec(`PRAGMA user_version = ${version}`);
  db.close();
}

it.each([1, 2] as const)("brings a file of version %i up, with all that is in it", async (old) => {
  const span = spanRecord("s", { transactionId: "t", isEntry: true });
  await writer.write(batchOf([span], { next: 7 }));
  await becomeVersion(old);
  reader = openEmbeddedStoreReader({ dir });
  expect(await reader.findTransaction("t")).toBeUndefined();
  writer = openEmbeddedStoreWriter({ dir });
  expect(await writer.positions()).toEqual(new Map([[PARTITION, 7]]));
  const event = logRecord("e", { transactionId: "t", isTransactionEvent: true, deadlineNs: 1n });
  expect(await writer.write(batchOf([span, event]))).toMatchObject({ created: 1, existing: 1 });
  const found = await reader.findTransaction("t");
  expect(found).toMatchObject({ spans: 1, logs: 1, events: 1, deadlineNs: 1n });
  expect(await reader.findRun("nobody")).toBeUndefined();
});

const told = (logs: unknown, spans: unknown): Partial<RunReport> => ({
  figures: { [REPORT.logsEmitted]: logs as number, [REPORT.spansEmitted]: spans as number },
});

it("takes what an old day may hold for expired, and what comes after for what it is", async () => {
  const records = [1, 2, 3].map((number) => numberedLog(number));
  await writer.write(batchOf([...records, numberedSpan(1), numberedReport(4, told(4, 2))]));
  await becomeVersion(2);
  open();
  const ledger = async () => (await reader.ledgers({ runIds: ["a"] }))[0];
  expect(await ledger()).toMatchObject({
    logs: { emitted: 4, stored: 0, missing: 0, expired: 4, gaps: [] },
    spans: { emitted: 2, stored: 0, missing: 0, expired: 2, gaps: [] },
  });
  // Of 5 and 6 nobody knows whether the day had them: the last report came before.
  const after = (seconds: number) => ({ timeNs: AFTER_NS + BigInt(seconds) * SECOND_NS });
  const endedAfter = (seconds: number) => ({ ...after(seconds), durationNs: 0n });
  await writer.write(batchOf([numberedLog(7, after(7)), numberedLog(9, after(9))]));
  await writer.write(batchOf([numberedSpan(3, endedAfter(3)), numberedSpan(5, endedAfter(5))]));
  expect(await ledger()).toMatchObject({
    logs: { emitted: 9, stored: 2, missing: 1, expired: 6, gaps: [{ first: 8, last: 8 }] },
    spans: { emitted: 5, stored: 2, missing: 1, expired: 2, gaps: [{ first: 4, last: 4 }] },
  });
  // One of those that was on its way comes: of the others nobody knows more.
  await writer.write(batchOf([numberedLog(5)]));
  expect(await ledger()).toMatchObject({
    logs: { stored: 3, missing: 1, expired: 5, expiredToNs: AFTER_NS + 7n * SECOND_NS },
  });
  expect((await reader.listRunIds({ limit: 9 })).items).toEqual(["a"]);
});

it("remembers of an old day what it may have held, also when it is deleted", async () => {
  const nextDay = { receivedNs: NOON_NS + DAY_NS, timeNs: NOON_NS + DAY_NS };
  await writer.write(batchOf([numberedReport(4, told(4, 0))]));
  await becomeVersion(2);
  open();
  await writer.write(batchOf([numberedLog(8, nextDay), numberedLog(10, nextDay)]));
  const before = (await reader.ledgers({ runIds: ["a"] }))[0]?.logs;
  await writer.expire("2026-03-02");
  const after = (await reader.ledgers({ runIds: ["a"] }))[0]?.logs;
  expect(after).toMatchObject({ emitted: 10, stored: 2, missing: 1, expired: 7 });
  expect(after).toEqual(before);
  expect(after?.expiredToNs).toBe(nextDay.timeNs);
  expect(after?.gaps).toMatchObject([{ first: 9, last: 9, fromNs: nextDay.timeNs }]);
});
