import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { REPORT } from "@clew/instrumentation/names";
import { Hono } from "hono";
import { afterEach, beforeEach, expect, test } from "vitest";
import { numberedLog, numberedReport, numberedSpan } from "../../test/ledger-cases.ts";
import { batchOf, deadLetter } from "../../test/record-fixtures.ts";
import type { BusLag } from "../bus/bus.ts";
import { openEmbeddedStoreReader } from "../store/embedded/embedded-store-reader.ts";
import { openEmbeddedStoreWriter } from "../store/embedded/embedded-store-writer.ts";
import type { StoreReader, StoreWriter } from "../store/store.ts";
import { addCompletenessRoute } from "./completeness-routes.ts";
import type { ShownRun } from "./shown-run.ts";

const NO_LAG: BusLag = { messages: 0, records: 0, seconds: 0 };

let dir: string;
let writer: StoreWriter;
let reader: StoreReader;
let busLag: () => Promise<BusLag>;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "clew-completeness-"));
  writer = openEmbeddedStoreWriter({ dir });
  reader = openEmbeddedStoreReader({ dir });
  busLag = async () => NO_LAG;
});
afterEach(async () => {
  await Promise.all([writer.stop(), reader.stop()]);
  rmSync(dir, { recursive: true, force: true });
});

interface Answer {
  readonly runs: readonly ShownRun[];
  readonly total: { readonly runs: number; readonly logs: object; readonly spans: object };
  readonly inBus: BusLag | null;
  readonly cursor: string | null;
}

async function ask(query = ""): Promise<Answer> {
  const app = new Hono();
  addCompletenessRoute(app, { reader, busLag: () => busLag() });
  return (await (await app.request(`/completeness${query}`)).json()) as Answer;
}

const AT = (seconds: number) => `2026-03-01T12:00:0${seconds}.000000000Z`;
const NOTHING = {
  ...{ emitted: 0, stored: 0, inBus: 0, deadLettered: 0, droppedAtSource: 0, missing: 0 },
  ...{ expired: 0, isCut: false },
};

/** Run `a` lost 1, 4 and 5, and 6 is a dead letter; run `b` lost nothing and told nothing. */
async function fill(): Promise<void> {
  const figures = {
    ...{ [REPORT.logsEmitted]: 7, [REPORT.spansEmitted]: 3, [REPORT.logsDropped]: 1 },
  };
  const report = numberedReport(7, { figures, isFinal: true });
  const letter = deadLetter("dead", { runId: "a", sequence: 6 });
  const records = [numberedLog(2), numberedLog(3), report, numberedSpan(1), numberedSpan(3)];
  await writer.write(batchOf(records, { deadLetters: [letter] }));
  const b = { runId: "b", service: "payments" };
  await writer.write(batchOf([numberedLog(1, b), numberedLog(2, b)]));
}

test("an empty store has no runs", async () => {
  const total = { runs: 0, logs: NOTHING, spans: NOTHING };
  expect(await ask()).toEqual({ runs: [], total, inBus: NO_LAG, cursor: null, isCut: false });
});

test("each run is told with what it made, what is stored, and its gaps", async () => {
  await fill();
  const { runs, total } = await ask();
  const logs = { emitted: 7, stored: 3, deadLettered: 1, missing: 3, droppedAtSource: 1 };
  expect(runs).toEqual([
    {
      ...{ runId: "a", service: "orders", instanceId: "orders-1", isFinal: true },
      ...{ firstSeenAt: AT(0), lastSeenAt: AT(7) },
      logs: {
        ...{ ...NOTHING, ...logs },
        gaps: [
          { first: 1, last: 1, from: null, to: AT(2), deadLettered: 0 },
          { first: 4, last: 6, from: AT(3), to: AT(7), deadLettered: 1 },
        ],
      },
      spans: {
        ...{ ...NOTHING, emitted: 3, stored: 2, missing: 1 },
        gaps: [{ first: 2, last: 2, from: AT(1), to: AT(3), deadLettered: 0 }],
      },
    },
    {
      ...{ runId: "b", service: "payments", instanceId: null, isFinal: null },
      ...{ firstSeenAt: AT(1), lastSeenAt: AT(2) },
      logs: { ...NOTHING, emitted: 2, stored: 2, gaps: [] },
      spans: { ...NOTHING, gaps: [] },
    },
  ]);
  expect(total).toMatchObject({ runs: 2, logs: { ...logs, emitted: 9, stored: 5 } });
});

test.each<[string, BusLag | null, number | null]>([
  ["is empty", NO_LAG, 0],
  ["holds fewer than are missing", { messages: 1, records: 2, seconds: 1 }, 2],
  ["holds more than are missing", { messages: 9, records: 900, seconds: 1 }, 3],
  ["holds messages that nobody looked into", { messages: 2, records: 0, seconds: 1 }, 2],
  ["is away", null, null],
])("where the bus %s, it says how many may still come", async (_, lag, want) => {
  await fill();
  busLag = async () => {
    if (lag === null) throw new Error("the bus is away");
    return lag;
  };
  const { runs, inBus } = await ask("?service=orders");
  expect(inBus).toEqual(lag);
  expect(runs[0]?.logs).toMatchObject({ inBus: want, missing: 3 });
});

test("the window says which runs and which gaps, and pages go on", async () => {
  await fill();
  const late = await ask(`?from=${AT(5)}`);
  expect(late.runs.map(({ runId }) => runId)).toEqual(["a"]);
  expect(late.runs[0]?.logs.gaps.map(({ first }) => first)).toEqual([4]);
  expect(late.runs[0]?.logs.missing).toBe(3);
  expect((await ask(`?to=${AT(0)}`)).runs).toEqual([]);
  expect((await ask("?service=payments")).runs.map(({ runId }) => runId)).toEqual(["b"]);
  const first = await ask("?limit=1");
  expect(first.runs.map(({ runId }) => runId)).toEqual(["a"]);
  const second = await ask(`?limit=1&cursor=${first.cursor}`);
  expect(second.runs.map(({ runId }) => runId)).toEqual(["b"]);
  expect(second.cursor).toBeNull();
});

test("more runs than a store is asked for at once are told in one answer", async () => {
  const runIds = Array.from({ length: 600 }, (_, i) => `run-${i}`);
  await writer.write(batchOf(runIds.map((runId) => numberedLog(2, { runId }))));
  const { runs, total } = await ask("?limit=1000");
  expect(new Set(runs.map(({ runId }) => runId)).size).toBe(600);
  expect(total).toMatchObject({ runs: 600, logs: { emitted: 1200, stored: 600, missing: 600 } });
});
