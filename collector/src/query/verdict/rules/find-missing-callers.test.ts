import { expect, test } from "vitest";
import {
  ENTRY,
  gapOf,
  inputOf,
  LATER_NS,
  ledgerOf,
  reportOf,
  SECOND_NS,
  type SpanGiven,
  signalOf,
  spanOf,
  THEN_NS,
  TRACE,
} from "../../../../test/verdict-fixture.ts";
import { Evidence } from "../evidence.ts";
import { findMissingCallers } from "./find-missing-callers.ts";

const CALLER = { "clew.caller.run.id": "run-of-web" };
const SERVER = { id: "s", parent: "gone", kind: "server" } as const;
const CONSUMER = { id: "s", parent: "gone", kind: "consumer" } as const;
const MERGING = { id: "s", kind: "consumer" } as const;
const to = (spanId: string, attributes = {}) => ({ traceId: TRACE, spanId, attributes });

test.each<[string, SpanGiven, string[]]>([
  ["the caller is there", { ...SERVER, parent: "e" }, []],
  ["a reporting run called", { ...SERVER, attributes: CALLER }, ["missing"]],
  ["who called is not known", SERVER, ["doubt"]],
  ["the ID was minted here", { ...SERVER, attributes: { "clew.transaction.start": true } }, []],
  [
    "the caller is of another transaction",
    { ...SERVER, attributes: { "clew.parent.outside": true } },
    [],
  ],
  ["a reporting run sent", { ...CONSUMER, attributes: CALLER }, ["missing"]],
  ["who sent is not known", CONSUMER, ["doubt"]],
  ["all senders are there", { ...MERGING, links: [to("e")] }, []],
  ["a sender is gone", { ...MERGING, links: [to("e"), to("gone", CALLER)] }, ["missing"]],
  ["a sender is gone who is not known", { ...MERGING, links: [to("gone")] }, ["doubt"]],
  [
    "senders of other transactions",
    {
      ...MERGING,
      links: [to("x", CALLER)],
      attributes: { "clew.transaction.sources": ["a", "b"] },
    },
    [],
  ],
])("%s", (_, given, levels) => {
  const web = ledgerOf("web", { spans: signalOf({ gaps: [gapOf()] }) });
  const input = inputOf({ spans: [ENTRY, spanOf(given)], ledgers: [ledgerOf("orders"), web] });
  expect(findMissingCallers(new Evidence(input)).map(({ level }) => level)).toEqual(levels);
});

test("a caller that lost nothing is at it still, for an hour", () => {
  const spans = [ENTRY, spanOf({ ...SERVER, attributes: CALLER })];
  const levelAt = (nowNs: bigint) => {
    const report = reportOf("web", { lastSeenNs: nowNs - SECOND_NS });
    const ledgers = [ledgerOf("orders"), ledgerOf("web", { report })];
    const found = findMissingCallers(new Evidence(inputOf({ spans, ledgers, nowNs })));
    return found.map(({ level }) => level);
  };
  expect(levelAt(THEN_NS + 300n * SECOND_NS)).toEqual(["waiting"]);
  expect(levelAt(LATER_NS + 60n * SECOND_NS)).toEqual(["doubt"]);
});
