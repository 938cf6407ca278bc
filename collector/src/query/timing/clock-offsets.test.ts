import { expect, test } from "vitest";
import { type ClockPair, estimateClockOffsets } from "./clock-offsets.ts";

const NEVER = Number.NEGATIVE_INFINITY;

function pair(from: string, to: string, lowMs: number, highMs: number): ClockPair {
  return { from, to, lowMs, highMs };
}

/** Offset and uncertainty of each clock beside the reference `a`. */
function offsetsOf(...pairs: ClockPair[]) {
  const offsets = estimateClockOffsets(pairs, "a");
  const others = [...offsets].filter(([clock]) => clock !== "a");
  return Object.fromEntries(
    others.map(([clock, { offsetMs, uncertaintyMs }]) => [clock, [offsetMs, uncertaintyMs]]),
  );
}

test.each<[string, ClockPair[], object]>([
  ["clocks that agree are left alone", [pair("a", "b", -3, 4)], { b: [0, 3.5] }],
  ["a difference below what is measured is none", [pair("a", "b", 1, 5)], { b: [0, 2] }],
  ["between the bounds", [pair("a", "b", 90, 110)], { b: [100, 10] }],
  ["seen from the called side", [pair("b", "a", 90, 110)], { b: [-100, 10] }],
  ["all hops must hold", [pair("a", "b", 90, 200), pair("a", "b", 10, 110)], { b: [100, 10] }],
  ["both directions", [pair("a", "b", 90, 200), pair("b", "a", -110, 0)], { b: [100, 10] }],
  [
    "of contradicting hops the one that says most",
    [pair("a", "b", 100, 110), pair("a", "b", 500, 600)],
    { b: [105, 5] },
  ],
  ["a message that arrives before it was sent", [pair("a", "b", NEVER, -40)], { b: [-40, null] }],
  ["a message in order says nothing", [pair("a", "b", NEVER, 5000)], { b: [0, null] }],
  [
    "over a third clock",
    [pair("a", "b", 99, 101), pair("b", "c", 48, 52)],
    { b: [100, 1], c: [150, 3] },
  ],
  [
    "the narrower way counts",
    [pair("a", "b", 99, 101), pair("a", "c", 0, 400), pair("b", "c", 49, 51)],
    { b: [100, 1], c: [150, 2] },
  ],
  ["a clock that no hop connects is unknown", [pair("c", "d", 5, 9)], {}],
  ["one clock on both sides says nothing", [pair("a", "a", 50, 60)], {}],
])("%s", (_, pairs, want) => {
  expect(offsetsOf(...pairs)).toEqual(want);
});
