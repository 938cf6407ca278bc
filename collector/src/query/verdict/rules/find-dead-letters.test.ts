import { expect, test } from "vitest";
import {
  gapOf,
  inputOf,
  LATER_NS,
  ledgerOf,
  SECOND_NS,
  signalOf,
  summaryOf,
  THEN_NS,
} from "../../../../test/verdict-fixture.ts";
import type { StoredDeadLetter } from "../../../store/dead-letter.ts";
import { Evidence } from "../evidence.ts";
import { findDeadLetters } from "./find-dead-letters.ts";

/** Number 7 of the logs of `orders`. */
function letterOf(given: Partial<StoredDeadLetter>): StoredDeadLetter {
  return {
    ...{ id: "d", receivedNs: THEN_NS, refusedNs: THEN_NS, transactionId: "order-1" },
    ...{ service: "orders", runId: "run-of-orders", sequence: 7, reason: "refused", status: 400 },
    ...{ detail: "too many fields", topic: "logs", original: new Uint8Array(), piece: null },
    ...{ state: "open", refusals: 1, acts: [], isWhole: true },
    ...given,
  };
}

function acted(act: "replayed" | "edited" | "discarded", atNs = THEN_NS) {
  const acts = [{ letterId: "d", act, atNs, actor: "ann", reason: "no use", edited: null }];
  return letterOf({ state: act, acts });
}

const GAP = [ledgerOf("orders", { logs: signalOf({ gaps: [gapOf()] }) })];
const GONE = [ledgerOf("orders", { spans: signalOf({ gaps: [gapOf()] }) })];
const STORED = [ledgerOf("orders")];
const JUST_NOW = LATER_NS - SECOND_NS;

test.each([
  ["refused", letterOf({}), GAP, ["missing"]],
  ["discarded", acted("discarded"), GAP, ["missing"]],
  ["sent again, and stored", acted("replayed"), STORED, []],
  ["sent again, and not stored", acted("replayed"), GAP, ["missing"]],
  ["sent again just now", acted("replayed", JUST_NOW), GAP, ["waiting"]],
  ["changed and sent again, and stored", acted("edited"), STORED, []],
  ["changed and sent again, and not stored", acted("edited"), GAP, ["missing"]],
  ["the gap is among the spans", acted("replayed"), GONE, []],
  [
    "a span, sent again and not stored",
    { ...acted("replayed"), topic: "traces" },
    GONE,
    ["missing"],
  ],
  ["sent again, of nobody who numbers", { ...acted("replayed"), runId: "", sequence: 0 }, GAP, []],
])("%s", (_, letter, ledgers, levels) => {
  const input = inputOf({ deadLetters: [letter], ledgers });
  expect(findDeadLetters(new Evidence(input)).map(({ level }) => level)).toEqual(levels);
});

test("says what was refused, why, and who threw it away", () => {
  const input = inputOf({ deadLetters: [letterOf({}), acted("discarded")] });
  expect(findDeadLetters(new Evidence(input)).map(({ text }) => text)).toEqual([
    "a record of orders that the store refused: too many fields",
    "a record of orders that the store refused (too many fields) was discarded by ann: no use",
  ]);
});

test("where only their number is known", () => {
  const input = inputOf({ summary: summaryOf({ deadLetters: 2 }) });
  expect(findDeadLetters(new Evidence(input))).toMatchObject([{ level: "missing", count: 2 }]);
});
