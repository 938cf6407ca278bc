import { REPORT } from "@clew/instrumentation/names";
import { expect, test } from "vitest";
import {
  ENTRY,
  inputOf,
  ledgerOf,
  logsOf,
  reportOf,
  SECOND_NS,
  spanOf,
  THEN_NS,
} from "../../../../test/verdict-fixture.ts";
import type { RunReport } from "../../../record.ts";
import { Evidence } from "../evidence.ts";
import type { VerdictInput } from "../verdict-input.ts";
import { findOpenEnds } from "./find-open-ends.ts";

const after = (seconds: bigint) => THEN_NS + seconds * SECOND_NS;
const reported = (seconds: bigint, more: Partial<RunReport> = {}) =>
  reportOf("orders", { lastSeenNs: after(seconds), ...more });
const BEFORE_SPAN = { figures: { [REPORT.spansEmitted]: 0 } };
const SUMMARY = [{ ...ENTRY, attributes: { ...ENTRY.attributes, "clew.span.summary": true } }];

test.each<[string, RunReport | null, bigint, Partial<VerdictInput>, string[]]>([
  ["alive, and reported since", reported(3n), 5n, {}, []],
  ["alive, and did not yet", reported(0n), 5n, {}, ["waiting"]],
  ["alive, and its last span is not in its report", reported(4n, BEFORE_SPAN), 5n, {}, ["waiting"]],
  [
    "alive, and logged after its report",
    reported(3n),
    5n,
    { spanLogs: [logsOf({ lastNs: after(4n) })] },
    ["waiting"],
  ],
  ["alive, its clock behind the others'", reported(0n), 60n, { spanLogs: [] }, ["doubt"]],
  [
    "alive, and may hold spans that were not sampled",
    reported(5n),
    6n,
    { spans: SUMMARY },
    ["waiting"],
  ],
  ["alive, and held none for long enough", reported(12n), 13n, { spans: SUMMARY }, []],
  ["ended", reported(0n, { isFinal: true }), 3600n, {}, []],
  ["silent since before it was over", reported(0n), 3600n, {}, ["doubt"]],
  ["silent since a moment after", reported(5n), 3600n, {}, ["doubt"]],
  ["silent since it was long over", reported(7n), 3600n, {}, []],
  ["never reported, and is new", null, 10n, {}, ["waiting"]],
  ["never reported", null, 3600n, {}, ["doubt"]],
])("a run: %s", (_, report, seconds, given, levels) => {
  const ledgers = [ledgerOf("orders", { report })];
  const input = inputOf({ ledgers, nowNs: after(seconds), ...given });
  expect(findOpenEnds(new Evidence(input)).map(({ level }) => level)).toEqual(levels);
});

test("a run of which nothing is known but its records", () => {
  expect(findOpenEnds(new Evidence(inputOf({ ledgers: [] })))).toMatchObject([
    { level: "doubt", runId: "run-of-orders", what: "run" },
  ]);
});

test("a report of before the others were done is enough after a while: clocks differ", () => {
  const call = spanOf({ id: "c", parent: "e", kind: "client", service: "x", startNs: after(9n) });
  const levelAt = (seconds: bigint) => {
    const ledgers = [
      ledgerOf("orders", { report: reported(3n) }),
      ledgerOf("x", { report: { ...reportOf("x"), lastSeenNs: after(11n) } }),
    ];
    const input = inputOf({ spans: [ENTRY, call], ledgers, nowNs: after(seconds) });
    return findOpenEnds(new Evidence(input)).map(({ level }) => level);
  };
  expect(levelAt(12n)).toEqual(["waiting"]);
  expect(levelAt(27n)).toEqual([]);
});

test("services that name no run, each once", () => {
  const spans = [1, 2].map((i) => spanOf({ id: `x${i}`, service: "mail", runId: "" }));
  const spanLogs = [
    logsOf(),
    logsOf({ runId: "", service: "mail" }),
    logsOf({ runId: "", service: "php" }),
  ];
  const found = findOpenEnds(new Evidence(inputOf({ spans: [ENTRY, ...spans], spanLogs })));
  expect(found.map(({ text }) => text)).toEqual([
    "mail does not say how many records it makes",
    "php does not say how many records it makes",
  ]);
});

test("a clock that is ahead of ours is set right by what was received", () => {
  const aheadNs = 600n * SECOND_NS;
  const entry = spanOf({
    ...{ id: "e", kind: "server", startNs: THEN_NS + aheadNs },
    receivedNs: after(2n),
  });
  const times = { firstNs: THEN_NS + aheadNs, lastNs: THEN_NS + aheadNs + SECOND_NS };
  const ledgers = [ledgerOf("orders", { report: reported(4n) })];
  const input = inputOf({ spans: [entry], spanLogs: [logsOf(times)], ledgers, nowNs: after(5n) });
  expect(findOpenEnds(new Evidence(input))).toEqual([]);
});
