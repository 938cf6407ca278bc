import { beforeEach, expect, test } from "vitest";
import { KafkaLagLedger } from "./kafka-lag-ledger.ts";

let ledger: KafkaLagLedger;

beforeEach(() => {
  ledger = new KafkaLagLedger();
});

function add(offset: number, records = 10): void {
  ledger.add({ offset, records, receivedNs: BigInt(1000 + offset) });
}

test("counts what is known between what was committed and the end", () => {
  for (let offset = 0; offset < 6; offset++) add(offset);
  const want = { messages: 6, records: 60, oldestNs: 1000n };
  expect(ledger.pending({ begin: 0, end: 6 })).toEqual(want);
  expect(ledger.pending({ begin: 2, end: 6 })).toMatchObject({ messages: 4, oldestNs: 1002n });
  expect(ledger.pending({ begin: 6, end: 6 })).toEqual({
    messages: 0,
    records: 0,
    oldestNs: undefined,
  });
  expect(ledger.marks).toBe(0);
});

test("takes messages in any order, each once", () => {
  for (const offset of [5, 1, 3, 5, 3, 2]) add(offset);
  expect(ledger.pending({ begin: 1, end: 9 })).toEqual({
    messages: 4,
    records: 40,
    oldestNs: 1001n,
  });
});

test("does not know the oldest where it knows only later ones", () => {
  add(5);
  expect(ledger.pending({ begin: 3, end: 9 })).toEqual({
    messages: 1,
    records: 10,
    oldestNs: undefined,
  });
});

test("a hundred thousand messages stay within bounds, and the sums right", () => {
  const count = 100_000;
  for (let offset = 0; offset < count; offset++) add(offset, 2);
  expect(ledger.marks).toBeLessThanOrEqual(4096);
  expect(ledger.pending({ begin: 0, end: count })).toMatchObject({
    messages: count,
    records: 2 * count,
  });
  const { messages, records } = ledger.pending({ begin: 50_001, end: count });
  expect(messages).toBe(count - 50_001);
  expect(records).toBe(2 * messages);
});
