import {
  defaultTextMapGetter,
  defaultTextMapSetter,
  propagation,
  ROOT_CONTEXT,
} from "@opentelemetry/api";
import { expect, test } from "vitest";
import { instrumentationStats } from "../stats.ts";
import { TransactionSpanProcessor } from "../tracing/transaction-span-processor.ts";
import { transaction } from "./transaction.ts";
import { TRANSACTION_KEY } from "./transaction-context.ts";
import { TransactionPropagator } from "./transaction-propagator.ts";

const propagator = new TransactionPropagator();
const extract = (carrier: Record<string, string | string[]>) =>
  propagator.extract(ROOT_CONTEXT, carrier, defaultTextMapGetter).getValue(TRANSACTION_KEY);

test.each<[Record<string, string | string[]>, string | undefined]>([
  [{ "x-transaction-id": "A", "x-correlation-id": "B" }, "A"],
  [{ "x-correlation-id": "B" }, "B"],
  [{ baggage: "x=1,clew.transaction.id=C" }, "C"],
  [{}, undefined],
])("in any SDK, from %j", (carrier, id) => {
  expect(extract(carrier)).toEqual(id && { id, isStart: false, callerId: undefined });
});

test("a bad ID, or two, are replaced and counted", () => {
  const before = instrumentationStats().transactions.rejected;
  expect(extract({ "x-transaction-id": "not good" })).toMatchObject({ isStart: true });
  expect(extract({ "x-transaction-id": ["A", "B"] })).toMatchObject({ isStart: true });
  expect(instrumentationStats().transactions.rejected - before).toBe(2);
});

test("out of any SDK: the ID, and the baggage that is there with it", () => {
  const carrier: Record<string, string> = {};
  const context = propagation.setBaggage(
    ROOT_CONTEXT.setValue(TRANSACTION_KEY, { id: "A" }),
    propagation.createBaggage({ k: { value: "v" } }),
  );
  propagator.inject(context, carrier, defaultTextMapSetter);
  expect(carrier).toEqual({
    "x-transaction-id": "A",
    baggage: "clew.transaction.id=A,k=v",
  });
  const nothing = {};
  propagator.inject(ROOT_CONTEXT, nothing, defaultTextMapSetter);
  expect(nothing).toEqual({});
  transaction.run("B", () => propagator.inject(ROOT_CONTEXT, carrier, defaultTextMapSetter));
  expect(carrier["x-transaction-id"]).toBe("B");
});

test("the span processor marks each span, and the first of a minted ID as its start", async () => {
  const processor = new TransactionSpanProcessor();
  const spans: Record<string, unknown>[] = [];
  const start = () => {
    const attributes: Record<string, unknown> = {};
    const span = {
      setAttribute(key: string, value: unknown) {
        attributes[key] = value;
        return this as never;
      },
    };
    processor.onStart(span, ROOT_CONTEXT);
    spans.push(attributes);
  };
  start();
  const id = transaction.run(() => {
    start();
    start();
    return transaction.id();
  });
  expect(spans).toEqual([
    {},
    { "clew.transaction.id": id, "clew.transaction.start": true },
    { "clew.transaction.id": id },
  ]);
  processor.onEnd();
  await Promise.all([processor.forceFlush(), processor.shutdown(), processor.shutdown()]);
});
