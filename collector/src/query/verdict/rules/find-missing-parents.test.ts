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
import { findMissingParents } from "./find-missing-parents.ts";

/** A step whose parent is not stored. */
const CHILD = { spans: [ENTRY, spanOf({ id: "c", parent: "gone" })] };
const LOGS = { spanLogs: [logsOf(), logsOf({ spanId: "gone" })] };
const ENDED = { report: reportOf("orders", { isFinal: true }) };
const KILLED = { report: reportOf("orders", { lastSeenNs: THEN_NS }) };
const GAP = { spans: signalOf({ gaps: [gapOf()] }) };
const YOUNG_GAP = { spans: signalOf({ gaps: [gapOf({ toNs: LATER_NS })] }) };
const NO_SPANS = { spans: signalOf({ emitted: 0, stored: 0 }) };
const AFTER_MINUTES = { nowNs: THEN_NS + 300n * SECOND_NS };
const outside = (name: string) => ({
  spans: [ENTRY, spanOf({ id: "c", parent: "gone", attributes: { [name]: true } })],
});

test.each<[string, Partial<VerdictInput>, object, string[]]>([
  ["no parent is missing", {}, {}, []],
  ["its run has a gap", CHILD, GAP, ["missing"]],
  ["its run has ended", CHILD, ENDED, ["missing"]],
  ["its run was killed", CHILD, KILLED, ["missing"]],
  ["its run lost nothing: it has not ended yet", { ...CHILD, ...AFTER_MINUTES }, {}, ["waiting"]],
  ["its run may not have sent it yet", { ...CHILD, ...AFTER_MINUTES }, YOUNG_GAP, ["waiting"]],
  ["it never ends", CHILD, {}, ["doubt"]],
  ["the parent is another transaction's", outside("clew.parent.outside"), GAP, []],
  ["the transaction began here", outside("clew.transaction.start"), GAP, []],
  ["log records name it", LOGS, GAP, ["missing"]],
  ["log records name it, of a run that makes no spans", LOGS, { ...ENDED, ...NO_SPANS }, []],
  ["late ones name it", { spanLogs: [logsOf(), logsOf({ spanId: "g", logs: 0 })] }, GAP, []],
  [
    "a service that reports nothing names it",
    { spans: [ENTRY, spanOf({ id: "c", parent: "gone", service: "x", runId: "" })] },
    GAP,
    [],
  ],
])("%s", (_, given, ledger, levels) => {
  const nowNs = given.nowNs ?? LATER_NS + 60n * SECOND_NS;
  const report = reportOf("orders", { lastSeenNs: nowNs - SECOND_NS });
  const ledgers = [ledgerOf("orders", { report, ...ledger })];
  const found = findMissingParents(new Evidence(inputOf({ ledgers, ...given, nowNs })));
  expect(found.map(({ level }) => level)).toEqual(levels);
});

test("a span that many name is missing once", () => {
  const spans = ["a", "b", "c"].map((id) => spanOf({ id, parent: "gone" }));
  const ledgers = [ledgerOf("orders", GAP)];
  const found = findMissingParents(
    new Evidence(inputOf({ spans: [ENTRY, ...spans], ...LOGS, ledgers })),
  );
  expect(found).toMatchObject([{ spanId: "gone", count: 1, service: "orders" }]);
});
