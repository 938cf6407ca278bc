import { expect, test } from "vitest";
import { inputOf, SECOND_NS, summaryOf, THEN_NS } from "../../../../test/verdict-fixture.ts";
import type { BusLag } from "../../../bus/bus.ts";
import type { TransactionSummary } from "../../../store/store.ts";
import { Evidence } from "../evidence.ts";
import { findLimits } from "./find-limits.ts";

const RUNNING = { status: "running" } as const;
const DEADLINE = { ...RUNNING, deadlineNs: THEN_NS + 100n * SECOND_NS };

test.each<[string, Partial<TransactionSummary>, bigint, string[]]>([
  ["over", {}, 3n, []],
  ["running a moment ago", RUNNING, 3n, ["waiting"]],
  ["running, and quiet for long", RUNNING, 60n, []],
  ["running, and it has time", DEADLINE, 60n, ["waiting"]],
  ["running, and it had time", DEADLINE, 160n, []],
])("status: %s", (_, given, seconds, levels) => {
  const nowNs = THEN_NS + seconds * SECOND_NS;
  const input = inputOf({ summary: summaryOf(given), nowNs });
  expect(findLimits(new Evidence(input)).map(({ level }) => level)).toEqual(levels);
});

const lag = (messages: number, seconds: number): BusLag => ({ messages, records: 9, seconds });

test.each<[string, BusLag | null, bigint, string[]]>([
  ["nothing waits", { messages: 0, records: 0, seconds: 0 }, 3n, []],
  ["a message waits that was received since", lag(1, 1), 4n, ["waiting"]],
  ["one that was received much later", lag(1, 1), 60n, []],
  ["one that was received before", lag(1, 60), 60n, ["waiting"]],
  ["the bus is away", null, 3n, ["doubt"]],
  ["the bus is away, long after", null, 3600n, []],
])("bus: %s", (_, busLag, seconds, levels) => {
  const input = inputOf({ busLag, nowNs: THEN_NS + seconds * SECOND_NS });
  expect(findLimits(new Evidence(input)).map(({ level }) => level)).toEqual(levels);
});
