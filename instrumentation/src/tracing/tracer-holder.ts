import { sharedState } from "../shared-state.ts";
import type { TransactionTracer } from "./transaction-tracer.ts";

const held = sharedState<{ tracer?: TransactionTracer }>("tracer", () => ({}));

/** The tracer of the running instrumentation, or undefined where it was not registered. */
export function findTracer(): TransactionTracer | undefined {
  return held.tracer;
}

export function setTracer(tracer: TransactionTracer): void {
  held.tracer = tracer;
}
