import { expect, test } from "vitest";
import { type SpanSample, sampleSpan } from "../../test/span-samples.ts";
import { deriveHops } from "../query/derive-hops.ts";
import { timeTransaction } from "../query/timing/transaction-timing.ts";
import { describeTiming } from "./describe-timing.ts";
import { plain } from "./terminal.ts";

function linesOf(samples: readonly SpanSample[], columns = 200): string[] {
  const records = samples.map(sampleSpan);
  const timing = timeTransaction(records);
  const { hops } = deriveHops(records);
  return describeTiming({ hops, timing }, { columns, colour: plain });
}

const SERVER = { id: "s1", service: "orders", kind: "server", name: "order", ms: 100 };
const CALL = {
  id: "c1",
  parent: "s1",
  service: "orders",
  kind: "client",
  name: "pay",
  at: 10,
  ms: 60,
};
const ANSWER = { id: "s2", parent: "c1", service: "payments", kind: "server", name: "pay", ms: 40 };

test("says what the time went into, and most of it", () => {
  expect(linesOf([SERVER, CALL, { ...ANSWER, at: 20 }])).toEqual([
    "  Time: work 80 ms, on the way 20 ms; most of it: payments pay",
  ]);
});

test("says nothing where nothing is known", () => {
  expect(linesOf([])).toEqual([]);
  expect(linesOf([{ id: "i", service: "orders", kind: "internal" }])).toEqual([]);
});

test("names clocks that are wrong, as well as it knows", () => {
  expect(linesOf([SERVER, CALL, { ...ANSWER, at: 5020 }])[1]).toBe(
    "  the clock of payments is 5.00 s ± 10 ms ahead",
  );
  const sent = { id: "p1", service: "orders", kind: "producer", at: 50, ms: 5 };
  const taken = { id: "k1", parent: "p1", service: "mail", kind: "consumer", at: 10 };
  expect(linesOf([SERVER, sent, taken])[1]).toBe("  the clock of mail is at least 40 ms behind");
});

test("never sends a terminal's commands on", () => {
  const [line] = linesOf([{ ...SERVER, service: "or\u001b[2Jders", name: "a\nb" }]);
  expect(line).toMatch(/^[\x20-\x7e]+$/);
});
