import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { numberedLog, numberedSpan } from "../../../test/ledger-cases.ts";
import { batchOf, DAY_NS, deadLetter, NOON_NS } from "../../../test/record-fixtures.ts";
import type { IncomingRecord } from "../../record.ts";
import { openEmbeddedStoreReader } from "./embedded-store-reader.ts";
import { openEmbeddedStoreWriter } from "./embedded-store-writer.ts";

const DAY = "2026-03-01";

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "clew-store-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

function rowsOf(sql: string): unknown[] {
  const db = new DatabaseSync(join(dir, `${DAY}.db`), { readOnly: true });
  const rows = db.prepare(sql).all();
  db.close();
  return rows;
}

async function ledgerOf(runId: string) {
  const reader = openEmbeddedStoreReader({ dir });
  const [ledger] = await reader.ledgers({ runIds: [runId] });
  await reader.stop();
  return ledger;
}

test("unites what comes in any order, in any batches, over days and restarts", async () => {
  const random = randomFrom(7);
  const numbersOf: Record<string, { logs: Set<number>; spans: Set<number>; dead: Set<number> }> =
    {};
  let writer = openEmbeddedStoreWriter({ dir });
  for (let round = 0; round < 60; round++) {
    const runId = `run-${Math.floor(random() * 3)}`;
    numbersOf[runId] ??= { logs: new Set(), spans: new Set(), dead: new Set() };
    const numbers = numbersOf[runId];
    const receivedNs = NOON_NS + (random() < 0.3 ? DAY_NS : 0n);
    const given = { runId, receivedNs, mayRepeat: random() < 0.5 };
    const records: IncomingRecord[] = [];
    const start = 1 + Math.floor(random() * 60);
    for (let i = Math.floor(random() * 12); i > 0; i--) {
      const number = random() < 0.7 ? start + i : 1 + Math.floor(random() * 80);
      if (random() < 0.5) {
        records.push(numberedLog(number, given));
        numbers.logs.add(number);
      } else {
        records.push(numberedSpan(number, given));
        numbers.spans.add(number);
      }
    }
    const sequence = 1 + Math.floor(random() * 90);
    const letter = deadLetter(`dead ${round}`, { runId, sequence, receivedNs });
    if (random() < 0.3) numbers.dead.add(sequence);
    const deadLetters = numbers.dead.has(sequence) ? [letter] : [];
    await writer.write(batchOf(records, { deadLetters }));
    if (random() < 0.2) {
      await writer.stop();
      writer = openEmbeddedStoreWriter({ dir });
    }
  }
  await writer.stop();
  expect(Object.keys(numbersOf)).toHaveLength(3);
  for (const [runId, { logs, spans, dead }] of Object.entries(numbersOf)) {
    const ledger = await ledgerOf(runId);
    const emitted = Math.max(...logs, ...dead);
    const deadLettered = [...dead].filter((number) => !logs.has(number)).length;
    const missing = emitted - logs.size - deadLettered;
    expect(ledger?.logs).toMatchObject({ emitted, stored: logs.size, deadLettered, missing });
    const spansMissing = Math.max(...spans) - spans.size;
    expect(ledger?.spans).toMatchObject({ stored: spans.size, missing: spansMissing });
  }
});

test("keeps a run without gaps as one row, and a run with a gap as two", async () => {
  const writer = openEmbeddedStoreWriter({ dir });
  const logs = Array.from({ length: 100 }, (_, i) => numberedLog(i + 1));
  for (let at = 0; at < 100; at += 7) await writer.write(batchOf(logs.slice(at, at + 7)));
  const b = Array.from({ length: 9 }, (_, i) => numberedLog(i + 1, { runId: "b" }));
  for (const log of b.toReversed()) await writer.write(batchOf(log.sequence === 4 ? [] : [log]));
  await writer.stop();
  const ranges = rowsOf("SELECT run, list, first, last FROM run_numbers ORDER BY run, first");
  expect(ranges).toEqual([
    { run: 1, list: 0, first: 1, last: 100 },
    { run: 2, list: 0, first: 1, last: 3 },
    { run: 2, list: 0, first: 5, last: 9 },
  ]);
});

test("a batch that is rolled back leaves nothing in the ledger", async () => {
  const writer = openEmbeddedStoreWriter({ dir });
  await writer.write(batchOf([numberedLog(1)], { next: 1 }));
  const blocker = new DatabaseSync(join(dir, `${DAY}.db`));
  blocker.exec("CREATE TRIGGER t BEFORE INSERT ON positions BEGIN SELECT RAISE(ABORT, 'no'); END");
  const batch = batchOf([numberedLog(2), numberedLog(4)], { next: 2 });
  await expect(writer.write(batch)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  expect((await ledgerOf("a"))?.logs).toMatchObject({ emitted: 1, stored: 1 });
  blocker.exec("DROP TRIGGER t");
  blocker.close();
  await writer.write(batch);
  await writer.stop();
  expect((await ledgerOf("a"))?.logs).toMatchObject({ emitted: 4, stored: 3, missing: 1 });
});

test("remembers a bounded number of runs, and knows the others all the same", async () => {
  const writer = openEmbeddedStoreWriter({ dir });
  const runIds = Array.from({ length: 5000 }, (_, i) => `run-${i}`);
  for (const number of [1, 2]) {
    await writer.write(batchOf(runIds.map((runId) => numberedLog(number, { runId }))));
  }
  await writer.stop();
  expect(rowsOf("SELECT count(*) AS rows, min(last) AS last FROM run_numbers")).toEqual([
    { rows: 5000, last: 2 },
  ]);
});

test("says that it did not look, where a run has more gaps than it looks through", async () => {
  const writer = openEmbeddedStoreWriter({ dir });
  await writer.write(batchOf([numberedLog(1)]));
  await writer.stop();
  const db = new DatabaseSync(join(dir, `${DAY}.db`));
  db.exec(`
    WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i <= 200000)
    INSERT INTO run_numbers SELECT 1, 0, 2 * i, 2 * i, 0, 0 FROM n`);
  db.close();
  expect((await ledgerOf("a"))?.logs).toEqual({
    ...{ emitted: 400_002, stored: 200_001, missing: 200_001, deadLettered: 0, dropped: 0 },
    ...{ expired: 0, expiredToNs: 0n, gaps: [], isCut: true },
  });
});
