import { expect, test } from "vitest";
import { LagLedger } from "./lag-ledger.ts";

test("counts each message exactly while there are not too many", () => {
  const ledger = filled(10);
  expect(ledger.lag(20_000_000_000n)).toEqual({ messages: 10, records: 30, seconds: 20 });
  ledger.commit(4);
  expect(ledger.lag(20_000_000_000n)).toEqual({ messages: 6, records: 18, seconds: 16 });
  ledger.commit(2);
  expect(ledger.lag(20_000_000_000n).messages).toBe(6);
  ledger.commit(10);
  expect(ledger.lag(20_000_000_000n)).toEqual({ messages: 0, records: 0, seconds: 0 });
});

test("never answers an age below 0", () => {
  expect(filled(2).lag(-5n).seconds).toBe(0);
});

test("counts a million in bounded memory: the whole exactly, a part never too small", () => {
  const ledger = filled(1_000_000);
  expect(ledger.marks).toBeLessThan(20_000);
  expect(ledger.lag(0n)).toMatchObject({ messages: 1_000_000, records: 3_000_000 });
  ledger.commit(500_001);
  const { messages } = ledger.lag(0n);
  expect(messages).toBeGreaterThanOrEqual(499_999);
  expect(messages).toBeLessThan(500_200);
  ledger.commit(1_000_000);
  expect(ledger.lag(0n)).toEqual({ messages: 0, records: 0, seconds: 0 });
});

function filled(count: number): LagLedger {
  const ledger = new LagLedger();
  for (let offset = 0; offset < count; offset++) {
    const receivedNs = BigInt(offset) * 1_000_000_000n;
    ledger.add({ end: offset + 1, messages: 1, records: 3, receivedNs });
  }
  return ledger;
}
