import { expect, test } from "vitest";
import { GAPS_MAX } from "./ledger.ts";
import { joined, type NumberRange, type SignalFacts, toSignalLedger } from "./signal-ledger.ts";

const range = (first: number, last: number): NumberRange => {
  return { first, last, firstNs: BigInt(first), lastNs: BigInt(last) };
};

const FACTS: SignalFacts = {
  ...{ stored: [], deadLettered: [], reported: 0, seen: 0, dropped: 0 },
  ...{ expiredTo: 0, expiredBeforeNs: 0n, lastSeenNs: 1000n, window: {} },
};

test.each<[[number, number][], [number, number][]]>([
  [[], []],
  [[[1, 2]], [[1, 2]]],
  [
    [
      [1, 2],
      [3, 3],
      [5, 9],
    ],
    [
      [1, 3],
      [5, 9],
    ],
  ],
  [
    [
      [1, 9],
      [2, 3],
      [9, 12],
      [13, 13],
    ],
    [[1, 13]],
  ],
])("%j joined is %j", (given, want) => {
  const found = [...joined(given.map(([first, last]) => range(first, last)))];
  expect(found).toEqual(want.map(([first, last]) => range(first, last)));
});

/** Numbers 1 to 40, each of which is stored, dead, both or nowhere. */
function randomCase(seed: number) {
  let state = seed;
  const random = () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
  const highest = 1 + Math.floor(random() * 40);
  const pick = (share: number) =>
    Array.from({ length: highest }, (_, i) => i + 1).filter(() => random() < share);
  const [stored, dead] = [pick(random()), pick(random() * 0.5)];
  return {
    stored,
    dead,
    expiredTo: Math.floor(random() * 20),
    reported: Math.floor(random() * 50),
  };
}

test("agrees with counting number by number, whatever is stored, dead and expired", () => {
  for (let seed = 1; seed <= 2000; seed++) {
    const { stored, dead, expiredTo, reported } = randomCase(seed);
    const seen = Math.max(0, ...stored, ...dead);
    const ledger = toSignalLedger({
      ...{ ...FACTS, reported, seen, expiredTo },
      stored: stored.map((number) => range(number, number)),
      deadLettered: dead.map((number) => range(number, number)),
    });
    const emitted = Math.max(reported, seen);
    const numbers = Array.from({ length: emitted }, (_, i) => i + 1);
    const notStored = numbers.filter((number) => !stored.includes(number));
    const nowhere = notStored.filter((number) => !dead.includes(number));
    const missing = nowhere.filter((number) => number > expiredTo);
    expect(ledger).toMatchObject({
      ...{ emitted, stored: stored.length, missing: missing.length, isCut: false },
      deadLettered: notStored.length - nowhere.length,
      expired: nowhere.length - missing.length,
    });
    const inGaps = ledger.gaps.flatMap(({ first, last }) =>
      Array.from({ length: last - first + 1 }, (_, i) => first + i),
    );
    expect(inGaps).toEqual(notStored.filter((number) => number > expiredTo));
    const deadInGaps = ledger.gaps.reduce((sum, gap) => sum + gap.deadLettered, 0);
    expect(deadInGaps).toBe(inGaps.length - missing.length);
    for (const { first, last, fromNs, toNs } of ledger.gaps) {
      expect(fromNs).toBeLessThanOrEqual(BigInt(first));
      expect(toNs).toBeGreaterThanOrEqual(BigInt(last));
    }
  }
});

test("gives dead letters that overlap once, and those of a gap that is cut by expiry apart", () => {
  const stored = [range(10, 10)];
  const deadLettered = [range(2, 5), range(4, 6), range(12, 15)];
  const facts = { ...FACTS, stored, deadLettered, seen: 15, expiredTo: 4 };
  expect(toSignalLedger(facts)).toMatchObject({
    ...{ emitted: 15, stored: 1, deadLettered: 9, expired: 1, missing: 4 },
    gaps: [
      { first: 5, last: 9, deadLettered: 2, fromNs: 0n, toNs: 10n },
      { first: 11, last: 15, deadLettered: 4, fromNs: 10n, toNs: 1000n },
    ],
  });
});

test("takes for expired what was given out before a ledger was kept", () => {
  const stored = [range(10, 20), range(30, 30), range(40, 40)];
  const facts = { ...FACTS, stored, seen: 40, expiredBeforeNs: 25n };
  const ledger = toSignalLedger(facts);
  expect(ledger).toMatchObject({ stored: 13, expired: 18, expiredToNs: 30n, missing: 9 });
  expect(ledger.gaps.map(({ first }) => first)).toEqual([31]);
});

test("goes through a million gaps, and lists the first of them", () => {
  const ledger = toSignalLedger({ ...FACTS, stored: everyOther(1_000_000), seen: 2_000_000 });
  expect(ledger).toMatchObject({ stored: 1_000_000, missing: 1_000_000, isCut: true });
  expect(ledger.gaps).toHaveLength(GAPS_MAX);
});

function* everyOther(count: number): Generator<NumberRange> {
  for (let i = 1; i <= count; i++) yield range(2 * i, 2 * i);
}
