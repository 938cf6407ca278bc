/** Verdicts over the real embedded store are those over the plain sums of the same records. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { judgePage } from "../src/query/verdict/judge-page.ts";
import { VerdictSource } from "../src/query/verdict/verdict-source.ts";
import type { IncomingRecord, Verdict } from "../src/record.ts";
import { openEmbeddedStoreReader } from "../src/store/embedded/embedded-store-reader.ts";
import { openEmbeddedStoreWriter } from "../src/store/embedded/embedded-store-writer.ts";
import type { StoreReader } from "../src/store/store.ts";
import { batchOf, SECOND_NS, spanRecord } from "./record-fixtures.ts";
import { DELETIONS } from "./verdict-deletions.ts";
import { StoredWorld } from "./verdict-ledger.ts";
import { toIncomingRecord } from "./verdict-records.ts";
import { playWorld } from "./verdict-samples.ts";
import { TOPIC_CONSUMERS } from "./verdict-transactions.ts";
import { type MadeRecord, nsOf, seeded, WORLD_BEGAN_NS } from "./verdict-world.ts";

const TRANSACTIONS = 300;
const LATER_MS = 700_000;
const BATCH_RECORDS = 2000;
const TEST_MS = 120_000;
const NO_LAG = { messages: 0, records: 0, seconds: 0 };

const KINDS = ["nothing", "one record in a thousand", "a whole instance", "the end of a run"];

test.each(KINDS)("%s is lost", { timeout: TEST_MS }, async (kind) => {
  const world = playWorld({ seed: 77, transactions: TRANSACTIONS, laterMs: LATER_MS });
  const gone = DELETIONS[kind]?.(world.records, seeded(5)) ?? new Set();
  const records = world.records.filter((record) => !gone.has(record));
  const reader = await store(records);
  const nowNs = nsOf(world.nowMs);
  const stored = new StoredWorld(records, world.nowMs);
  const verdicts = new VerdictSource({ reader, busLag: async () => NO_LAG, nowNs: () => nowNs });
  const counted: Partial<Record<Verdict, number>> = {};
  const found = await Promise.all(world.ids.map((id) => reader.findTransaction(id)));
  const summaries = found.filter((summary) => summary !== undefined);
  const signal = new AbortController().signal;
  const judgements = await judgePage(summaries, { reader, verdicts, busLag: NO_LAG, signal });
  for (const [i, { transactionId }] of summaries.entries()) {
    const plain = stored.judge(transactionId);
    const { verdict } = judgements[i] ?? {};
    expect({ transactionId, verdict, plain }).toMatchObject({ verdict: plain?.verdict });
    if (verdict !== undefined) counted[verdict] = (counted[verdict] ?? 0) + 1;
  }
  if (kind === "nothing") expect(counted).toEqual({ complete: world.ids.length });
  else expect((counted.incomplete ?? 0) + (counted.unknown ?? 0)).toBeGreaterThan(5);
});

/** Who works on which topic is known from what was done before. */
function earlierWork(): IncomingRecord[] {
  const timeNs = WORLD_BEGAN_NS - 300n * SECOND_NS;
  return Object.entries(TOPIC_CONSUMERS).flatMap(([topic, services]) =>
    services.map((service) => {
      const id = `before-${topic}-${service}`;
      const work = { text: `process ${topic}`, spanKind: 5, service, timeNs, receivedNs: timeNs };
      return spanRecord(id, { ...work, transactionId: id });
    }),
  );
}

/** The records written in batches, in the order in which they were received. */
async function store(records: readonly MadeRecord[]): Promise<StoreReader> {
  const dir = mkdtempSync(join(tmpdir(), "clew-verdicts-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const writer = openEmbeddedStoreWriter({ dir });
  await writer.write(batchOf(earlierWork()));
  const sorted = records.toSorted((a, b) => (a.receivedNs < b.receivedNs ? -1 : 1));
  for (let at = 0; at < sorted.length; at += BATCH_RECORDS) {
    const batch = sorted.slice(at, at + BATCH_RECORDS).map(toIncomingRecord);
    const { refused } = await writer.write(batchOf(batch));
    expect(refused).toEqual([]);
  }
  await writer.stop();
  const reader = openEmbeddedStoreReader({ dir });
  onTestFinished(() => reader.stop());
  return reader;
}
