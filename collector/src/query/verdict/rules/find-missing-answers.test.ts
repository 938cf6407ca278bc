import { expect, test } from "vitest";
import {
  ENTRY,
  inputOf,
  ledgerOf,
  SECOND_NS,
  type SpanGiven,
  spanOf,
  THEN_NS,
} from "../../../../test/verdict-fixture.ts";
import { Evidence } from "../evidence.ts";
import { findMissingAnswers } from "./find-missing-answers.ts";

const PEER = { "clew.peer.run.id": "run-of-pay" };
const SERVED = spanOf({ id: "s", parent: "c", kind: "server", service: "pay" });
const OTHER = spanOf({ id: "s", parent: "c", kind: "server", service: "pay", runId: "other" });

function levelsOf(call: Partial<SpanGiven>, ...answers: (typeof SERVED)[]) {
  const client = spanOf({ id: "c", parent: "e", kind: "client", name: "POST", ...call });
  const input = inputOf({ spans: [ENTRY, client, ...answers], ledgers: [ledgerOf("orders")] });
  return findMissingAnswers(new Evidence(input)).map(({ level, what }) => `${level} ${what}`);
}

test.each<[string, Partial<SpanGiven>, (typeof SERVED)[], string[]]>([
  ["answered, and the answer is there", { attributes: PEER }, [SERVED], []],
  ["answered, and nothing is there", { attributes: PEER }, [], ["missing span"]],
  ["answered by another run as well", { attributes: PEER }, [OTHER, SERVED], []],
  ["the answer is another run's", { attributes: PEER }, [OTHER], ["missing span"]],
  ["nobody is known to have answered", {}, [], ["doubt hop"]],
  ["somebody did who does not name its run", {}, [OTHER], []],
  ["a database makes no records", { attributes: { "db.system.name": "postgresql" } }, [], []],
  ["nobody was reached", { attributes: { "error.type": "ECONNREFUSED" } }, [], []],
  ["somebody may have been", { attributes: { "error.type": "ECONNRESET" } }, [], ["doubt hop"]],
  ["a service that reports nothing calls", { runId: "", service: "x" }, [], []],
])("%s", (_, call, answers, levels) => {
  expect(levelsOf(call, ...answers)).toEqual(levels);
});

test("it may still come for a while: held, unsent or in the bus", () => {
  const client = spanOf({ id: "c", parent: "e", kind: "client", attributes: PEER });
  const levelAt = (seconds: bigint) => {
    const nowNs = THEN_NS + 2n * SECOND_NS + seconds * SECOND_NS;
    const input = inputOf({ spans: [ENTRY, client], nowNs });
    return findMissingAnswers(new Evidence(input)).map(({ level }) => level);
  };
  expect([levelAt(1n), levelAt(30n), levelAt(31n)]).toEqual([
    ["waiting"],
    ["waiting"],
    ["missing"],
  ]);
});

test("of a call within a call the inner one is the passage", () => {
  const outer = spanOf({ id: "o", parent: "e", kind: "client" });
  const inner = spanOf({ id: "c", parent: "o", kind: "client", attributes: PEER });
  const input = inputOf({ spans: [ENTRY, outer, inner, SERVED] });
  expect(findMissingAnswers(new Evidence(input))).toEqual([]);
});
