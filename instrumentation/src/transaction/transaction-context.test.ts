import { createContextKey, propagation, ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { expect, test } from "vitest";
import { EMPTY_CONTEXT, TRANSACTION_KEY, TransactionContext } from "./transaction-context.ts";

const span = trace.wrapSpanContext({ traceId: "a", spanId: "b", traceFlags: 1 });
const baggage = propagation.createBaggage({ k: { value: "v" } });
const transaction = { id: "T", isStart: false, callerId: undefined };

test("the API's span and baggage are our fields, so its keys are the ones we know", () => {
  const context = propagation.setBaggage(trace.setSpan(EMPTY_CONTEXT, span), baggage);
  expect(context).toBeInstanceOf(TransactionContext);
  expect(context).toMatchObject({ span, baggage });
  expect(trace.getSpan(context)).toBe(span);
  expect(propagation.getBaggage(context)).toBe(baggage);
  expect(EMPTY_CONTEXT.span).toBeUndefined();
});

test("another implementation's context brings all its values along", () => {
  const other = createContextKey("other");
  const theirs = propagation
    .setBaggage(trace.setSpan(ROOT_CONTEXT, span), baggage)
    .setValue(other, 1)
    .setValue(TRANSACTION_KEY, transaction);
  const ours = TransactionContext.from(theirs);
  expect(ours).toMatchObject({ span, baggage, transaction });
  expect(ours.getValue(other)).toBe(1);
  expect(ours.setValue(other, 2).getValue(other)).toBe(2);
  expect(ours.deleteValue(other).getValue(other)).toBeUndefined();
  expect(ours.getValue(other)).toBe(1);
});

test("tracing that the API's users suppress is suppressed here", () => {
  const key = createContextKey("OpenTelemetry SDK Context Key SUPPRESS_TRACING");
  expect(TransactionContext.from(ROOT_CONTEXT.setValue(key, true)).suppressed).toBe(true);
  expect(EMPTY_CONTEXT.setValue(key, true).suppressed).toBe(true);
});
