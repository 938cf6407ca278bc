/** What every store knows of the numbers that runs give out (store.contract.ts, ledger.ts). */
import { ATTRIBUTE, REPORT } from "@clew/instrumentation/names";
import { expect, it } from "vitest";
import type { IncomingRecord, RunReport } from "../src/record.ts";
import { GAPS_MAX, LEDGER_RUNS_MAX, type RunLedger, SEQUENCE_MAX } from "../src/store/ledger.ts";
import type { StoreTraits, StoreUnderTest } from "../src/store/store.contract.ts";
import {
  batchOf,
  DAY_NS,
  deadLetter,
  type LogFixture,
  logRecord,
  NOON_NS,
  resourceBytes,
  SECOND_NS,
  type SpanFixture,
  spanRecord,
} from "./record-fixtures.ts";

type Current = () => StoreUnderTest;

const NOTHING = {
  ...{ emitted: 0, stored: 0, deadLettered: 0, missing: 0, expired: 0, expiredToNs: 0n },
  ...{ dropped: 0, gaps: [], isCut: false },
};

export function ledgerCases(current: Current, { expiresDays }: StoreTraits): void {
  sums(current);
  gaps(current);
  gapBounds(current);
  oddNumbers(current);
  deadLetters(current);
  if (expiresDays) expiry(current);
  lists(current);
}

/** The second of the day at which the run gave out a number: so its clock is easy to read. */
const at = (seconds: number) => NOON_NS + BigInt(seconds) * SECOND_NS;

/** A log record of run `a`, numbered at that second after noon. */
export function numberedLog(sequence: number, given: LogFixture = {}): IncomingRecord {
  const runId = given.runId ?? "a";
  const [timeNs, resource] = [at(sequence), resourceOf(runId)];
  return logRecord(`${runId}-${sequence}`, { runId, sequence, timeNs, resource, ...given });
}

/** A span that ended then, a second long. */
export function numberedSpan(sequence: number, given: SpanFixture = {}): IncomingRecord {
  const runId = given.runId ?? "a";
  const times = { timeNs: at(sequence - 1), durationNs: SECOND_NS };
  const resource = resourceOf(runId);
  return spanRecord(`span ${runId} ${sequence}`, { runId, sequence, ...times, resource, ...given });
}

/** The report that run `a` gave at that second, which is its log record of that number. */
export function numberedReport(sequence: number, given: Partial<RunReport> = {}): IncomingRecord {
  const runId = given.runId ?? "a";
  const seenNs = at(sequence);
  const report: RunReport = {
    ...{ runId, service: "orders", instanceId: "orders-1", host: "m1", pid: 7 },
    ...{ firstSeenNs: seenNs, lastSeenNs: seenNs, isFinal: false },
    figures: { [REPORT.logsEmitted]: sequence, [REPORT.spansEmitted]: 0 },
    ...given,
  };
  return numberedLog(sequence, { runId, report, service: report.service });
}

function resourceOf(runId: string): Uint8Array {
  return resourceBytes({ "service.name": "orders", ...(runId && { [ATTRIBUTE.runId]: runId }) });
}

async function ledgerOf(current: Current, window: { fromNs?: bigint; toNs?: bigint } = {}) {
  const found = await current().reader.ledgers({ runIds: ["a"], ...window });
  expect(found).toHaveLength(1);
  return found[0] as RunLedger;
}

function sums(current: Current): void {
  it("knows no run that nothing is stored of, and each that is asked for once", async () => {
    const { writer, reader } = current();
    await writer.write(batchOf([numberedLog(1), logRecord("of no run")]));
    expect(await reader.ledgers({ runIds: ["b", ""] })).toEqual([]);
    expect(await reader.ledgers({ runIds: [] })).toEqual([]);
    expect(await reader.ledgers({ runIds: ["b", "a", "a"] })).toHaveLength(1);
    const runIds = Array.from({ length: LEDGER_RUNS_MAX + 1 }, (_, i) => `r${i}`);
    await expect(reader.ledgers({ runIds })).rejects.toMatchObject({ code: "PARAMETER_INVALID" });
  });

  it("adds up a run without gaps, in whatever order and however often it came", async () => {
    const { writer } = current();
    const logs = [1, 2, 3, 4, 5, 6].map((number) => numberedLog(number));
    const report = numberedReport(7, {
      figures: {
        ...{ [REPORT.logsEmitted]: 7, [REPORT.spansEmitted]: 2 },
        ...{ [REPORT.logsDropped]: 0, [REPORT.spansDropped]: 0 },
      },
    });
    const spans = [numberedSpan(2), numberedSpan(1)];
    const all = [...logs, ...spans, report];
    await writer.write(batchOf([all[4], all[2], all[8], all[7]].flatMap((one) => one ?? [])));
    await writer.write(batchOf(all.toReversed()));
    await writer.write(batchOf(all));
    expect(await ledgerOf(current)).toEqual({
      ...{ runId: "a", service: "orders", report: report.report },
      ...{ firstSeenNs: at(1), lastSeenNs: at(7) },
      logs: { ...NOTHING, emitted: 7, stored: 7 },
      spans: { ...NOTHING, emitted: 2, stored: 2 },
    });
  });

  it("counts logs and spans apart, and runs too", async () => {
    const { writer, reader } = current();
    const b = { runId: "b", service: "payments" };
    await writer.write(batchOf([numberedLog(1), numberedSpan(2), numberedLog(2, b)]));
    const ledgers = await reader.ledgers({ runIds: ["a", "b"] });
    const byId = new Map(ledgers.map((ledger) => [ledger.runId, ledger]));
    expect(byId.get("a")).toMatchObject({ service: "orders", report: null });
    expect(byId.get("a")?.logs).toMatchObject({ emitted: 1, stored: 1, missing: 0 });
    expect(byId.get("a")?.spans).toMatchObject({ emitted: 2, stored: 1, missing: 1 });
    expect(byId.get("b")).toMatchObject({ service: "payments", report: null });
    expect(byId.get("b")?.logs).toMatchObject({ emitted: 2, stored: 1, missing: 1 });
    expect(byId.get("b")?.spans).toEqual(NOTHING);
  });

  it("knows a run whose records have no numbers", async () => {
    await current().writer.write(batchOf([numberedLog(0, { timeNs: at(3) })]));
    const of = { firstSeenNs: at(3), lastSeenNs: at(3), logs: NOTHING, spans: NOTHING };
    expect(await ledgerOf(current)).toMatchObject(of);
  });

  it("adds up a run over midnight as one", async () => {
    const { writer } = current();
    const nextDay = { receivedNs: NOON_NS + DAY_NS };
    const records = [numberedLog(1), numberedLog(2), numberedLog(3, nextDay)];
    await writer.write(batchOf([...records, numberedLog(5, nextDay)]));
    // One that was under way while the day ended.
    await writer.write(batchOf([numberedLog(6)]));
    const { logs, lastSeenNs } = await ledgerOf(current);
    expect(lastSeenNs).toBe(at(6));
    expect(logs).toMatchObject({ emitted: 6, stored: 5, missing: 1 });
    expect(logs.gaps).toEqual([gap(4, 4, at(3), at(5))]);
  });
}

const gap = (first: number, last: number, fromNs: bigint, toNs: bigint, deadLettered = 0) => ({
  ...{ first, last, fromNs, toNs, deadLettered },
});

function gaps(current: Current): void {
  it("names gaps by their numbers and by the times around them", async () => {
    const { writer } = current();
    const figures = { [REPORT.logsEmitted]: 12, [REPORT.spansEmitted]: 4 };
    const report = numberedReport(12, { figures });
    const logs = [3, 4, 8, 10, 11].map((number) => numberedLog(number));
    await writer.write(batchOf([...logs, report, numberedSpan(1), numberedSpan(2)]));
    const { logs: of, spans } = await ledgerOf(current);
    expect(of).toMatchObject({ emitted: 12, stored: 6, missing: 6, isCut: false });
    expect(of.gaps).toEqual([
      gap(1, 2, 0n, at(3)),
      gap(5, 7, at(4), at(8)),
      gap(9, 9, at(8), at(10)),
    ]);
    expect(spans).toMatchObject({ emitted: 4, stored: 2, missing: 2 });
    expect(spans.gaps).toEqual([gap(3, 4, at(2), at(12))]);
  });

  it("closes a gap where what was missing comes after all", async () => {
    const { writer } = current();
    await writer.write(batchOf([numberedLog(1), numberedLog(5)]));
    await writer.write(batchOf([numberedLog(3)]));
    expect((await ledgerOf(current)).logs.gaps).toHaveLength(2);
    await writer.write(batchOf([numberedLog(4), numberedLog(2, { receivedNs: at(0) + DAY_NS })]));
    expect((await ledgerOf(current)).logs).toEqual({ ...NOTHING, emitted: 5, stored: 5 });
  });

  it("gives the gaps that touch the window, and counts them all", async () => {
    const { writer } = current();
    const numbers = [1, 2, 10, 11, 20, 30];
    await writer.write(batchOf(numbers.map((number) => numberedLog(number))));
    const firsts = async (fromNs?: bigint, toNs?: bigint) => {
      const window = { ...(fromNs && { fromNs }), ...(toNs && { toNs }) };
      const { logs } = await ledgerOf(current, window);
      expect(logs).toMatchObject({ emitted: 30, stored: 6, missing: 24, isCut: false });
      return logs.gaps.map(({ first }) => first);
    };
    expect(await firsts()).toEqual([3, 12, 21]);
    expect(await firsts(at(15), at(16))).toEqual([12]);
    expect(await firsts(at(10), at(11))).toEqual([3]);
    expect(await firsts(at(10), at(11) + 1n)).toEqual([3, 12]);
    expect(await firsts(at(20))).toEqual([12, 21]);
    expect(await firsts(undefined, at(11))).toEqual([3]);
    expect(await firsts(at(31))).toEqual([]);
  });
}

function gapBounds(current: Current): void {
  it("lists a bounded number of gaps, says so, and counts what is missing in all", async () => {
    const { writer } = current();
    const records = Array.from({ length: 3 * GAPS_MAX }, (_, i) => numberedLog(2 * i + 1));
    await writer.write(batchOf(records));
    const { logs } = await ledgerOf(current);
    expect(logs).toMatchObject({
      ...{ emitted: 6 * GAPS_MAX - 1, stored: 3 * GAPS_MAX, missing: 3 * GAPS_MAX - 1 },
      isCut: true,
    });
    expect(logs.gaps.length).toBeLessThanOrEqual(GAPS_MAX);
    const last = 6 * GAPS_MAX - 2;
    const { logs: late } = await ledgerOf(current, { fromNs: at(last) });
    if (!late.isCut) expect(late.gaps).toEqual([gap(last, last, at(last - 1), at(last + 1))]);
  });

  it("goes by when a number was given out, whatever time the record tells", async () => {
    const { writer } = current();
    const off = { numberedNs: at(2), timeNs: 1n };
    await writer.write(
      batchOf([
        numberedLog(1, { numberedNs: at(1), timeNs: NOON_NS + 400n * DAY_NS }),
        numberedLog(2, off),
        numberedLog(4),
      ]),
    );
    const { logs, firstSeenNs, lastSeenNs } = await ledgerOf(current);
    expect(logs.gaps).toEqual([gap(3, 3, at(2), at(4))]);
    expect([firstSeenNs, lastSeenNs]).toEqual([at(1), at(4)]);
  });

  it("gives a gap's times in order also where a clock went back", async () => {
    const times = { timeNs: at(1), numberedNs: at(1) };
    await current().writer.write(
      batchOf([numberedLog(1, { timeNs: at(9) }), numberedLog(3, times)]),
    );
    expect((await ledgerOf(current)).logs.gaps).toEqual([gap(2, 2, at(1), at(9))]);
  });

  it("looks for the end at the run's latest record, where its reports come too early", async () => {
    const figures = { [REPORT.logsEmitted]: 9, [REPORT.spansEmitted]: 2 };
    const report = { ...numberedReport(9, { figures, lastSeenNs: at(3) }) };
    await current().writer.write(batchOf([report, numberedSpan(1)]));
    const { logs, spans } = await ledgerOf(current);
    expect(logs.gaps).toEqual([gap(1, 8, 0n, at(9))]);
    expect(spans.gaps).toEqual([gap(2, 2, at(1), at(9))]);
  });
}

function oddNumbers(current: Current): void {
  it("counts a number once that several spans carry, and hides no gap by it", async () => {
    const { writer } = current();
    const twice = [1, 2, 2, 4].map((number, i) => ({ ...numberedSpan(number), id: `span ${i}` }));
    await writer.write(batchOf(twice));
    await writer.write(batchOf([{ ...numberedSpan(4), id: "one more of 4" }]));
    const { spans } = await ledgerOf(current);
    expect(spans).toMatchObject({ emitted: 4, stored: 3, missing: 1 });
    expect(spans.gaps).toEqual([gap(3, 3, at(2), at(4))]);
  });

  it("takes the highest number seen where a report says less, or what is no number", async () => {
    const { writer } = current();
    for (const [i, told] of [1, -5, 1.5, 1e300, "many", null].entries()) {
      const runId = `told ${i}`;
      const figures = { [REPORT.logsEmitted]: told, [REPORT.spansEmitted]: told };
      const records = [numberedLog(2, { runId }), numberedReport(3, { runId, figures })];
      await writer.write(batchOf([...records, numberedSpan(3, { runId })]));
      const [ledger] = await current().reader.ledgers({ runIds: [runId] });
      expect(ledger?.logs).toMatchObject({ emitted: 3, stored: 2, missing: 1 });
      expect(ledger?.spans).toMatchObject({ emitted: 3, stored: 1, missing: 2 });
    }
  });

  it("stands numbers as large as they can be", async () => {
    const { writer } = current();
    const large = SEQUENCE_MAX;
    const times = { timeNs: at(5), numberedNs: at(5) };
    await writer.write(batchOf([numberedLog(1), numberedLog(large, times)]));
    const { logs } = await ledgerOf(current);
    expect(logs).toMatchObject({ emitted: large, stored: 2, missing: large - 2 });
    expect(logs.gaps).toEqual([gap(2, large - 1, at(1), at(5))]);
  });

  it("tells what the run says it dropped", async () => {
    const figures = {
      ...{ [REPORT.logsEmitted]: 4, [REPORT.logsDropped]: 2 },
      ...{ [REPORT.spansEmitted]: 1, [REPORT.spansDropped]: 1 },
    };
    await current().writer.write(batchOf([numberedLog(1), numberedReport(4, { figures })]));
    const { logs, spans } = await ledgerOf(current);
    expect(logs).toMatchObject({ emitted: 4, stored: 2, missing: 2, dropped: 2 });
    expect(spans).toMatchObject({ emitted: 1, stored: 0, missing: 1, dropped: 1 });
    expect(spans.gaps).toEqual([gap(1, 1, 0n, at(4))]);
  });
}

function deadLetters(current: Current): void {
  const letter = (sequence: number, topic = "logs") =>
    deadLetter(`dead ${topic} ${sequence}`, { runId: "a", sequence, topic });

  it("tells a gap's dead letters from what is missing", async () => {
    const { writer } = current();
    const letters = [3, 4, 4, 9].map((sequence) => letter(sequence));
    const records = [numberedLog(1), numberedLog(6)];
    await writer.write(batchOf(records, { deadLetters: letters }));
    await writer.write(batchOf([], { deadLetters: [...letters, letter(1, "traces")] }));
    const { logs, spans } = await ledgerOf(current);
    expect(logs).toMatchObject({ emitted: 9, stored: 2, deadLettered: 3, missing: 4 });
    const [inner, end] = logs.gaps;
    expect(inner).toEqual(gap(2, 5, at(1), at(6), 2));
    expect(end).toMatchObject({ first: 7, last: 9, fromNs: at(6), deadLettered: 1 });
    expect(spans).toMatchObject({ emitted: 1, stored: 0, deadLettered: 1, missing: 0 });
  });

  it("counts one that was replayed as stored", async () => {
    const { writer } = current();
    const letters = [letter(2), letter(3)];
    await writer.write(batchOf([numberedLog(1)], { deadLetters: letters }));
    await writer.write(batchOf([numberedLog(2, { mayRepeat: true })]));
    const { logs } = await ledgerOf(current);
    expect(logs).toMatchObject({ emitted: 3, stored: 2, deadLettered: 1, missing: 0 });
    expect(logs.gaps.map(({ first, last }) => [first, last])).toEqual([[3, 3]]);
  });

  it("takes no number of a letter that has none", async () => {
    const letters = [deadLetter("of nobody"), letter(0), deadLetter("no run", { sequence: 7 })];
    await current().writer.write(batchOf([numberedLog(1)], { deadLetters: letters }));
    expect((await ledgerOf(current)).logs).toEqual({ ...NOTHING, emitted: 1, stored: 1 });
  });
}

function expiry(current: Current): void {
  it("never says of what retention deleted that it is missing", async () => {
    const { writer, reader } = current();
    const day = (number: number) => ({ receivedNs: NOON_NS + BigInt(number) * DAY_NS });
    const first = [1, 2, 3, 5].map((number) => numberedLog(number, day(0)));
    const later = [7, 8].map((number) => numberedLog(number, day(1)));
    const latest = [numberedLog(10, day(2)), numberedSpan(1, day(2))];
    const over = numberedLog(4, { ...day(0), runId: "over" });
    await writer.write(batchOf([...first, over, ...later, ...latest]));
    const of = async () => {
      const { logs, spans } = await ledgerOf(current);
      expect(logs.stored + logs.deadLettered + logs.missing + logs.expired).toBe(logs.emitted);
      expect(spans).toEqual({ ...NOTHING, emitted: 1, stored: 1 });
      return { ...logs, gaps: logs.gaps.map((one) => [one.first, one.last]) };
    };
    expect(await of()).toMatchObject({ stored: 7, missing: 3, expired: 0, expiredToNs: 0n });
    await writer.expire("2026-03-02");
    // Of 6, which came on neither day, a store may know that it is missing; of 4 no more.
    const second = await of();
    expect(second).toMatchObject({ stored: 3, expiredToNs: at(7) });
    expect(second.gaps.at(-1)).toEqual([9, 9]);
    expect(second.gaps.flat().every((number) => number >= 6)).toBe(true);
    await writer.expire("2026-03-03");
    const last = await of();
    expect(last).toMatchObject({ stored: 1, expiredToNs: at(10) });
    expect(last.gaps.flat().every((number) => number === 9)).toBe(true);
    expect(await reader.ledgers({ runIds: ["over"] })).toEqual([]);
  });
}

function lists(current: Current): void {
  it("lists the runs of a window, those seen last first, each once, in pages", async () => {
    const { writer, reader } = current();
    const nextDay = { receivedNs: NOON_NS + DAY_NS };
    for (let i = 1; i <= 9; i++) {
      const of = { runId: `run-${i}`, service: i % 3 ? "orders" : "payments" };
      const late = i % 2 ? { ...of, ...nextDay } : of;
      await writer.write(batchOf([numberedLog(i, of), numberedSpan(i + 10, late)]));
    }
    const idsOf = async (filter: object) => {
      const ids: string[] = [];
      for (let cursor: string | null = ""; cursor !== null; ) {
        const page: Awaited<ReturnType<typeof reader.listRunIds>> = await reader.listRunIds({
          ...{ ...filter, limit: 2 },
          ...(cursor && { cursor }),
        });
        expect(page.isCut).toBe(false);
        ids.push(...page.items);
        cursor = page.cursor;
      }
      return ids.map((id) => Number(id.slice(4)));
    };
    expect(await idsOf({})).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1]);
    expect(await idsOf({ service: "payments" })).toEqual([9, 6, 3]);
    expect(await idsOf({ seenFromNs: at(16) })).toEqual([9, 8, 7, 6]);
    expect(await idsOf({ toNs: at(3) })).toEqual([2, 1]);
    expect(await idsOf({ seenFromNs: at(12), toNs: at(4) })).toEqual([3, 2]);
    expect(await idsOf({ service: "nobody" })).toEqual([]);
    const wrong = reader.listRunIds({ limit: 1, cursor: "e30" });
    await expect(wrong).rejects.toMatchObject({ code: "PARAMETER_INVALID" });
  });
}
