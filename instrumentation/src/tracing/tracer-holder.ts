import type { TransactionTracer } from "./transaction-tracer.ts";

let current: TransactionTracer | undefined;

/** The tracer of the running instrumentation, or undefined where it was not registered. */
export function findTracer(): TransactionTracer | undefined {
  return current;
}

export function setTracer(tracer: TransactionTracer): void {
  current = tracer;
}
