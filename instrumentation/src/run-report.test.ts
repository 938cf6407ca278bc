import { beforeEach, expect, test } from "vitest";
import type { LogLine } from "./recorder.ts";
import { RunReports } from "./run-report.ts";
import { countDropped, counts } from "./stats.ts";
import {
  findContext,
  mintTransaction,
  runIn,
  TransactionContext,
} from "./transaction/transaction-context.ts";

const SCOPE = { name: "test", version: "1" };
const told: Record<string, unknown>[] = [];
const transactions: unknown[] = [];
const recorder = {
  log: (line: LogLine) => {
    counts.logs.made++;
    transactions.push(findContext()?.transaction);
    told.push({ ...line.attributes[0] });
  },
};

beforeEach(() => {
  told.length = 0;
  transactions.length = 0;
  counts.logs.made = 0;
  counts.traces.made = 0;
});

function newReports(address?: string): RunReports {
  return new RunReports({
    recorder,
    scope: SCOPE,
    loopDelay: { read: () => undefined },
    makesSpans: true,
    findMetricsAddress: () => address,
  });
}

test("a final report counts itself, and a second one comes only after more was made", () => {
  const reports = newReports("127.0.0.1:9464");
  counts.logs.made = 7;
  counts.traces.made = 3;
  reports.final();
  reports.final();
  expect(told).toHaveLength(1);
  expect(told[0]).toMatchObject({
    "event.name": "clew.instance.report",
    "clew.report.final": true,
    "clew.report.logs.emitted": 8,
    "clew.report.spans.emitted": 3,
    "clew.report.metrics.address": "127.0.0.1:9464",
  });
  counts.logs.made++;
  reports.final();
  expect(told.map((report) => report["clew.report.logs.emitted"])).toEqual([8, 10]);
});

test("a program that made nothing and ends before its first report says nothing", () => {
  const reports = newReports();
  reports.final();
  expect(told).toEqual([]);
});

test("a report belongs to no transaction, whoever ends the process", () => {
  const reports = newReports();
  counts.logs.made = 1;
  runIn(new TransactionContext({ transaction: mintTransaction() }), () => reports.final());
  expect(told).toHaveLength(1);
  expect(transactions).toEqual([undefined]);
});

test("what was dropped or refused is told with its transactions, and that the list was cut", () => {
  const reports = newReports();
  countDropped("logs", 2, ["T-1", "T-2"]);
  countDropped("traces", 1, ["T-1"]);
  counts.logs.refused = 3;
  counts.logs.made = 9;
  reports.final();
  expect(told[0]).toMatchObject({
    "clew.report.logs.dropped": 5,
    "clew.report.spans.dropped": 1,
    "clew.report.dropped_transactions": ["T-1", "T-2"],
  });
  expect(told[0]?.["clew.report.dropped_transactions.cut"]).toBeUndefined();
  countDropped(
    "logs",
    2000,
    Array.from({ length: 2000 }, (_, index) => `T-${index}`),
  );
  counts.logs.made++;
  reports.final();
  expect(told[1]?.["clew.report.dropped_transactions"]).toHaveLength(1000);
  expect(told[1]?.["clew.report.dropped_transactions.cut"]).toBe(true);
});
