import { expect, test } from "vitest";
import { findTransactionId } from "./find-transaction-id.ts";

const UUID = "01989c5e-7d2a-7c31-9f10-6a2b3c4d5e6f";

test.each<[text: string, want: string | undefined]>([
  ["", undefined],
  ["   ", undefined],
  ["<script>alert(1)</script>", undefined],
  ["what happened", undefined],
  ["payment declined", undefined],
  [UUID, UUID],
  [`  ${UUID}\n`, UUID],
  [`order failed, see ${UUID}, thanks`, UUID],
  [`${UUID}-7`, `${UUID}-7`],
  [`{"level":50,"transaction_id":"order-7","msg":"declined"}`, "order-7"],
  [`{\\"transaction_id\\":\\"order-7\\"}`, "order-7"],
  ["X-Transaction-ID: order-7", "order-7"],
  ["x-correlation-id: order-7.", "order-7"],
  ["clew.transaction.id=order-7 trace_id=0af7651916cd43dd8448eb211c80319c", "order-7"],
  [`trace ${UUID} transactionId=order-7`, "order-7"],
  ["http://127.0.0.1:4320/transactions/order%3A7?x=1", "order:7"],
  ["http://127.0.0.1:4320/transactions/order%", undefined],
  ["order-7", "order-7"],
  ["please look at ord-10023 now", "ord-10023"],
  [`${"x ".repeat(60_000)}ord-10023`, undefined],
])("findTransactionId(%j) is %j", (text, want) => {
  expect(findTransactionId(text)?.id).toBe(want);
});

test("only a text that names its ID is followed without a key press", () => {
  expect(findTransactionId(`see ${UUID}`)?.isCertain).toBe(true);
  expect(findTransactionId("transaction_id: a-1")?.isCertain).toBe(true);
  expect(findTransactionId("order-7")?.isCertain).toBe(false);
});
