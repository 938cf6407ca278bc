import { expect, test } from "vitest";
import {
  ENTRY,
  gapOf,
  inputOf,
  LATER_NS,
  ledgerOf,
  logsOf,
  SECOND_NS,
  signalOf,
  spanOf,
  THEN_NS,
} from "../../../../test/verdict-fixture.ts";
import type { SignalLedger } from "../../../store/ledger.ts";
import { Evidence } from "../evidence.ts";
import { findGaps } from "./find-gaps.ts";

const at = (fromSeconds: bigint, toSeconds: bigint) =>
  gapOf({ fromNs: THEN_NS + fromSeconds * SECOND_NS, toNs: THEN_NS + toSeconds * SECOND_NS });

test.each<[string, Partial<SignalLedger>, string[]]>([
  ["no gap", {}, []],
  ["while it was at work", { gaps: [gapOf()] }, ["doubt"]],
  ["minutes before", { gaps: [at(-900n, -500n)] }, ["doubt"]],
  ["minutes after: a late log record", { gaps: [at(500n, 900n)] }, ["doubt"]],
  ["long before", { gaps: [at(-9000n, -900n)] }, []],
  ["long after", { gaps: [at(900n, 1000n)] }, []],
  ["around it all", { gaps: [at(-9000n, 9000n)] }, ["doubt"]],
  ["from the run's start", { gaps: [gapOf({ fromNs: 0n })] }, ["doubt"]],
  ["all are dead letters, which are told apart", { gaps: [gapOf({ deadLettered: 2 })] }, []],
  ["some are dead letters", { gaps: [gapOf({ deadLettered: 1 })] }, ["doubt"]],
  ["more than are listed", { isCut: true }, ["doubt"]],
  ["older than what is kept", { expired: 5, expiredToNs: THEN_NS }, ["doubt"]],
  ["older, and long before", { expired: 5, expiredToNs: THEN_NS - 900n * SECOND_NS }, []],
])("%s", (_, given, levels) => {
  for (const signal of ["logs", "spans"]) {
    const ledgers = [ledgerOf("orders", { [signal]: signalOf(given) })];
    const found = findGaps(new Evidence(inputOf({ ledgers })));
    expect(found.map(({ level }) => level)).toEqual(levels);
  }
});

test("nothing was made before the request for which the ID was minted", () => {
  const minted = { ...ENTRY, attributes: { ...ENTRY.attributes, "clew.transaction.start": true } };
  const find = (spans: (typeof ENTRY)[], toSeconds: bigint) => {
    const ledgers = [ledgerOf("orders", { logs: signalOf({ gaps: [at(-300n, toSeconds)] }) })];
    return findGaps(new Evidence(inputOf({ spans, ledgers })));
  };
  expect(find([ENTRY], -20n)).toHaveLength(1);
  expect(find([minted], -20n)).toHaveLength(0);
  expect(find([minted], -4n)).toHaveLength(1);
  const job = { ...minted, span: spanOf({ id: "j" }).span };
  expect(find([job], -20n)).toHaveLength(1);
});

test("a gap that ends just now waits in the run's spool, but not for ever", () => {
  const gaps = [gapOf({ toNs: LATER_NS })];
  const ledgers = [ledgerOf("orders", { logs: signalOf({ gaps }) })];
  const levelAt = (nowNs: bigint) =>
    findGaps(new Evidence(inputOf({ ledgers, nowNs }))).map(({ level }) => level);
  expect(levelAt(THEN_NS + 300n * SECOND_NS)).toEqual(["waiting"]);
  expect(levelAt(LATER_NS)).toEqual(["doubt"]);
});

test("a clock that is far off is measured by what its own run did", () => {
  const spanLogs = [
    logsOf({ firstNs: THEN_NS - 9000n * SECOND_NS, lastNs: THEN_NS - 8999n * SECOND_NS }),
  ];
  const ledgers = [ledgerOf("orders", { logs: signalOf({ gaps: [at(-9100n, -9050n)] }) })];
  expect(findGaps(new Evidence(inputOf({ spanLogs, ledgers })))).toHaveLength(1);
});

test("says how many, whose, when, and that they may be others'", () => {
  const ledgers = [ledgerOf("orders", { logs: signalOf({ gaps: [gapOf()] }) })];
  expect(findGaps(new Evidence(inputOf({ ledgers })))).toMatchObject([
    {
      text:
        "2 log records of orders (run run-of-o) are missing, made from 12:00:00.000 UTC " +
        "to 12:00:01.000 UTC: some may belong to this transaction",
      ...{ count: 2, runId: "run-of-orders", since: "2026-03-01T12:00:00.000000000Z" },
    },
  ]);
});
