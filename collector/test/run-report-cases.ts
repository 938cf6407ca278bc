/** What every store does with the reports of runs (store.contract.ts). */
import { REPORT } from "@clew/instrumentation/names";
import { expect, it } from "vitest";
import type { IncomingRecord, RunReport } from "../src/record.ts";
import type { StoreTraits, StoreUnderTest } from "../src/store/store.contract.ts";
import type { RunFilter } from "../src/store/store.ts";
import { batchOf, DAY_NS, logRecord, NOON_NS, SECOND_NS } from "./record-fixtures.ts";

function reportOf(runId: string, seconds: bigint, given: Partial<RunReport> = {}): RunReport {
  const seenNs = NOON_NS + seconds * SECOND_NS;
  return {
    ...{ runId, service: "orders", instanceId: "orders-1", host: "m1", pid: 7 },
    ...{ firstSeenNs: seenNs, lastSeenNs: seenNs, isFinal: false },
    figures: { [REPORT.logsEmitted]: Number(seconds), [REPORT.droppedTransactions]: ["t1", "t2"] },
    ...given,
  };
}

/** As the indexer hands it over: a record of its own, received when it was made. */
function recordOf(report: RunReport): IncomingRecord {
  const id = `${report.runId}-${report.lastSeenNs}-${report.isFinal}`;
  const at = { timeNs: report.lastSeenNs, receivedNs: report.lastSeenNs };
  return logRecord(id, { ...at, report, service: report.service, text: "run report" });
}

type Current = () => StoreUnderTest;

export function runReportCases(current: Current, { expiresDays }: StoreTraits): void {
  latest(current);
  lists(current);
  if (expiresDays) expiry(current);
}

function expiry(current: Current): void {
  it("forgets reports with their day, and a run with its last", async () => {
    const { writer, reader } = current();
    const day = DAY_NS / SECOND_NS;
    await writer.write(batchOf([0n, day].map((seconds) => recordOf(reportOf("a", seconds)))));
    await writer.expire("2026-03-02");
    expect((await reader.findRun("a"))?.firstSeenNs).toBe(NOON_NS + DAY_NS);
    await writer.expire("2026-03-04");
    expect((await reader.runs({ limit: 9 })).items).toEqual([]);
  });
}

function latest(current: Current): void {
  it("keeps of each run the latest report, in whatever order and however often", async () => {
    const { writer, reader } = current();
    expect(await reader.findRun("a")).toBeUndefined();
    const reports = [reportOf("a", 10n), reportOf("a", 0n), reportOf("a", 20n), reportOf("b", 5n)];
    await writer.write(batchOf(reports.slice(0, 2).map(recordOf)));
    await writer.write(batchOf(reports.map(recordOf)));
    expect(await reader.findRun("a")).toEqual({ ...reportOf("a", 20n), firstSeenNs: NOON_NS });
    expect(await reader.findRun("b")).toEqual(reportOf("b", 5n));
  });

  it("knows a run that went on over midnight as one", async () => {
    const { writer, reader } = current();
    const day = DAY_NS / SECOND_NS;
    const reports = [0n, day, 2n * day].map((seconds) => reportOf("a", seconds));
    for (const report of reports.toReversed()) await writer.write(batchOf([recordOf(report)]));
    const whole = { ...reportOf("a", 2n * day), firstSeenNs: NOON_NS };
    expect(await reader.findRun("a")).toEqual(whole);
    expect((await reader.runs({ limit: 9 })).items).toEqual([whole]);
  });

  it("takes the report for the latest that says most, also when a clock went back", async () => {
    const { writer, reader } = current();
    const made = (logs: number) => ({ figures: { [REPORT.logsEmitted]: logs } });
    const most = async () => (await reader.findRun("a"))?.figures[REPORT.logsEmitted];
    await writer.write(batchOf([recordOf(reportOf("a", 20n, made(7)))]));
    await writer.write(batchOf([recordOf(reportOf("a", DAY_NS / SECOND_NS, made(6)))]));
    expect(await most()).toBe(7);
    await writer.write(batchOf([recordOf(reportOf("a", 10n, made(8)))]));
    const went = { ...reportOf("a", 10n, made(8)) };
    expect((await reader.runs({ limit: 9 })).items).toEqual([went]);
    expect((await reader.runs({ limit: 9, seenFromNs: NOON_NS + 15n * SECOND_NS })).items).toEqual(
      [],
    );
  });

  it("knows that a run has ended, until it goes on all the same", async () => {
    const { writer, reader } = current();
    const isOver = async (report: RunReport) => {
      await writer.write(batchOf([recordOf(report)]));
      return (await reader.findRun("a"))?.isFinal;
    };
    expect(await isOver(reportOf("a", 10n))).toBe(false);
    expect(await isOver(reportOf("a", 20n, { isFinal: true }))).toBe(true);
    expect(await isOver(reportOf("a", 15n))).toBe(true);
    expect(await isOver(reportOf("a", 30n))).toBe(false);
    const without = { figures: {}, isFinal: true };
    expect(await isOver(reportOf("a", 40n, without))).toBe(false);
  });
}

function lists(current: Current): void {
  it("lists runs, those seen last first, each once, in pages, and filters", async () => {
    const { writer, reader } = current();
    const ids = Array.from({ length: 23 }, (_, i) => `run-${String(i).padStart(2, "0")}`);
    for (const [i, runId] of ids.entries()) {
      const service = i % 5 ? "orders" : "payments";
      // Some of them at the very same time, some on two days.
      const seconds = BigInt(Math.floor(i / 2) * 2 + (i % 3) * 86_400);
      const first = reportOf(runId, 0n, { service });
      await writer.write(batchOf([first, reportOf(runId, seconds, { service })].map(recordOf)));
    }
    const all = await allRuns(current, {});
    expect(all.map(({ runId }) => runId).toSorted()).toEqual(ids);
    const times = all.map(({ lastSeenNs }) => lastSeenNs);
    expect(times).toEqual(times.toSorted((a, b) => (a < b ? 1 : -1)));
    const payments = await allRuns(current, { service: "payments" });
    expect(payments.map(({ runId }) => runId).toSorted()).toEqual(
      ids.filter((_, i) => i % 5 === 0),
    );
    const seenFromNs = NOON_NS + DAY_NS;
    const late = all.filter(({ lastSeenNs }) => lastSeenNs >= seenFromNs);
    expect(late.length).toBeGreaterThan(5);
    expect(await allRuns(current, { seenFromNs })).toEqual(late);
    await expect(reader.runs({ limit: 1, cursor: "e30" })).rejects.toMatchObject({
      code: "PARAMETER_INVALID",
    });
  });

  it("shows their records only to those who ask for them, and counts them nowhere", async () => {
    const { writer, reader } = current();
    const report = recordOf(reportOf("a", 10n));
    await writer.write(batchOf([report, logRecord("line", { text: "run report read" })]));
    for (const order of ["newest", "oldest"] as const) {
      for (const query of ["", "report"]) {
        const ids = async (filter: object) =>
          (await reader.searchLogs({ order, query, limit: 9, ...filter })).items
            .map(({ id }) => id)
            .toSorted();
        expect(await ids({})).toEqual(["line"]);
        expect(await ids({ withReports: true })).toEqual([report.id, "line"]);
      }
    }
    const [orders] = await reader.services({});
    expect(orders).toMatchObject({ logs: 1, errorLogs: 0, spans: 0, operations: [] });
    expect(orders?.lastSeenNs).toBe(report.timeNs);
    expect((await reader.listTransactions({ limit: 9 })).items).toEqual([]);
  });
}

async function allRuns(current: Current, filter: Partial<RunFilter>): Promise<RunReport[]> {
  const runs: RunReport[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < 100; page++) {
    const more: { cursor?: string } = cursor === null ? {} : { cursor };
    const found = await current().reader.runs({ ...filter, ...more, limit: 4 });
    expect(found.isCut).toBe(false);
    runs.push(...found.items);
    cursor = found.cursor;
    if (cursor === null) return runs;
  }
  throw new Error("cannot read all runs: there is no end to them");
}
