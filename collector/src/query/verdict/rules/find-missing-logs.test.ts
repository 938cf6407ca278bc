import { expect, test } from "vitest";
import {
  ENTRY,
  gapOf,
  inputOf,
  LATER_NS,
  ledgerOf,
  logsOf,
  reportOf,
  SECOND_NS,
  signalOf,
  spanOf,
  THEN_NS,
} from "../../../../test/verdict-fixture.ts";
import { Evidence } from "../evidence.ts";
import type { VerdictInput } from "../verdict-input.ts";
import { findMissingLogs } from "./find-missing-logs.ts";

const JUST_NOW = THEN_NS + 10n * SECOND_NS;
const REPORTED = { report: reportOf("orders", { lastSeenNs: JUST_NOW - SECOND_NS }) };
const ENDING = [gapOf({ toNs: LATER_NS - SECOND_NS })];
/** Its entry was received a minute ago, and its logs are the last that its run made. */
const UNSENT = {
  spans: [{ ...ENTRY, receivedAt: "2026-03-01T12:59:00.000000000Z" }],
  ledgers: [ledgerOf("orders", { logs: signalOf({ gaps: ENDING }) })],
};

test.each<[string, Partial<VerdictInput>, string[]]>([
  ["all are stored", {}, []],
  ["more than it counted", { spanLogs: [logsOf({ logs: 5 })] }, []],
  [
    "late ones count to the run alone",
    { spanLogs: [logsOf({ logs: 0, lateLogs: 3 })] },
    ["missing"],
  ],
  ["none is stored", { spanLogs: [] }, ["missing"]],
  ["those of another run under the same id", { spanLogs: [logsOf({ runId: "x" })] }, ["missing"]],
  ["the span was received just now", { spanLogs: [], nowNs: JUST_NOW }, ["waiting"]],
  [
    "the bus holds what was received when it was",
    { spanLogs: [], busLag: { messages: 1, records: 9, seconds: 3600 } },
    ["waiting"],
  ],
  ["the bus is away", { spanLogs: [], busLag: null }, ["waiting"]],
  ["the run has not sent its last numbers yet", { spanLogs: [], ...UNSENT }, ["waiting"]],
  ["nobody counted", { spans: [spanOf({ id: "e" })], spanLogs: [] }, []],
])("%s", (_, given, levels) => {
  const ledgers = [ledgerOf("orders", given.nowNs === undefined ? {} : REPORTED)];
  const found = findMissingLogs(new Evidence(inputOf({ ledgers, ...given })));
  expect(found.map(({ level }) => level)).toEqual(levels);
});

test("two spans of one run that share an id are counted together", () => {
  const spans = [ENTRY, { ...ENTRY, id: "client", attributes: { "clew.span.logs": 2 } }];
  const find = (logs: number) =>
    findMissingLogs(new Evidence(inputOf({ spans, spanLogs: [logsOf({ logs })] })));
  expect(find(3)).toEqual([]);
  expect(find(2)).toMatchObject([{ count: 1 }]);
});
