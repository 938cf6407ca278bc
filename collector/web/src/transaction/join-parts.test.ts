import { expect, test } from "vitest";
import type { PathPartView } from "../../../src/query/timing/transaction-timing.ts";
import { joinParts } from "./join-parts.ts";

function part(kind: PathPartView["kind"], spanId: string, durationMs: number): PathPartView {
  const startedAt = "2026-01-31T12:00:00.000000000Z";
  return { kind, spanId, durationMs, startedAt, service: "s", operation: spanId, traceId: "t" };
}

test("joins the stretches of one span, each kind apart, and puts the longest first", () => {
  const parts = [part("work", "a", 5), part("network", "b", 9), part("work", "a", 6)];
  const joined = joinParts([...parts, part("queue", "a", 1)]);
  expect(joined.map(({ kind, spanId, durationMs }) => [kind, spanId, durationMs])).toEqual([
    ["work", "a", 11],
    ["network", "b", 9],
    ["queue", "a", 1],
  ]);
  expect(joinParts([])).toEqual([]);
});
