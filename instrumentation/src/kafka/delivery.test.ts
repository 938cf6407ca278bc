import { expect, test } from "vitest";
import { type Delivery, findAttempt, nextAttempt, retryOf } from "./delivery.ts";

const VALUE = Buffer.from("card 4242");
const transaction = { id: "T", isStart: false, callerId: undefined };

function delivery(attempt?: string, value: Uint8Array | null = VALUE): Delivery {
  const headers = attempt === undefined ? {} : { "clew-delivery-attempt": attempt };
  return { message: { value }, topic: "orders", headers, transaction };
}

test.each<[string | undefined, number | undefined]>([
  [undefined, undefined],
  ["1", 1],
  ["2", 2],
  ["999999", 999_999],
  ["1000000", undefined],
  ["0", undefined],
  ["-1", undefined],
  ["02", undefined],
  ["2.5", undefined],
  ["two", undefined],
  ["", undefined],
])("the attempt that %j says", (text, want) => {
  expect(findAttempt(delivery(text).headers)).toBe(want);
});

const REPEAT = "card 4242";
const OTHER = "another";

test.each<[from: string | undefined, topic: string, value: string, want: number | undefined]>([
  // Named for retries or dead letters: whatever is sent there is one more.
  [undefined, "orders.retry", REPEAT, 2],
  [undefined, "orders.retry", OTHER, 2],
  ["2", "orders-retry-5m", REPEAT, 3],
  ["2", "orders-retry-0", REPEAT, 3],
  ["2", "orders_retry_1000", REPEAT, 3],
  ["2", "retry.orders", REPEAT, 3],
  ["2", "orders.RETRY2", REPEAT, 3],
  ["2", "orders.retries", REPEAT, 3],
  ["3", "orders-dlt", OTHER, 4],
  ["3", "orders.DLQ", OTHER, 4],
  ["3", "orders-dead-letters", OTHER, 4],
  ["3", "dead_letter.orders", OTHER, 4],
  ["3", "orders.deadletter", OTHER, 4],
  ["999999", "orders.retry", REPEAT, 999_999],
  // Names that only look like it.
  [undefined, "retrying", REPEAT, undefined],
  [undefined, "country.orders", REPEAT, undefined],
  [undefined, "poetry", OTHER, undefined],
  [undefined, "orders.dlqueue", REPEAT, undefined],
  // Back to where it came from.
  [undefined, "orders", REPEAT, 2],
  ["2", "orders", REPEAT, 3],
  ["2", "orders", OTHER, undefined],
  // On to the next step, or from a delay topic back to work.
  [undefined, "payments", REPEAT, undefined],
  ["2", "payments", REPEAT, 2],
  ["2", "payments", OTHER, undefined],
])("delivered as attempt %j, sent to %s as %j: %j", (from, topic, value, want) => {
  expect(nextAttempt(delivery(from), { topic, value })).toBe(want);
  expect(nextAttempt(delivery(from), { topic, value: Buffer.from(value) })).toBe(want);
});

test("a tombstone is no repeat of another, and the very same value is", () => {
  expect(nextAttempt(delivery("2", null), { topic: "orders", value: null })).toBeUndefined();
  expect(nextAttempt(delivery("2"), { topic: "orders", value: VALUE })).toBe(3);
  expect(nextAttempt(delivery("2"), { topic: "orders", value: undefined })).toBeUndefined();
});

test("retryOf: the consumed one's IDs and the next attempt, under the headers of its own", () => {
  const consumed = {
    value: VALUE,
    headers: { "X-Transaction-ID": Buffer.from("T-1"), tenant: "a", "Clew-Delivery-Attempt": "4" },
  };
  const outgoing = { key: "k", value: VALUE, headers: { own: "1", "clew-delivery-attempt": "9" } };
  expect(retryOf(consumed, outgoing)).toEqual({
    key: "k",
    value: VALUE,
    headers: { own: "1", "x-transaction-id": "T-1", "clew-delivery-attempt": "5" },
  });
  expect(outgoing.headers).toEqual({ own: "1", "clew-delivery-attempt": "9" });
  expect(retryOf({}, { value: "v" }).headers).toEqual({ "clew-delivery-attempt": "2" });
  const mine = { "X-TRANSACTION-ID": "mine" };
  expect(retryOf(consumed, { headers: mine }).headers).toEqual({
    ...mine,
    "clew-delivery-attempt": "5",
  });
});
