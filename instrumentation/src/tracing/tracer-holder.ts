import { sharedState } from "../shared-state.ts";
import type { TransactionTracer } from "./transaction-tracer.ts";

interface Held {
  tracer?: TransactionTracer;
  /** Of the run whose spans the tracer makes; absent where they are another's, or go nowhere. */
  spanRunId?: string | undefined;
}

const held = sharedState<Held>("tracer", () => ({}));

/** The tracer of the running instrumentation, or undefined where it was not registered. */
export function findTracer(): TransactionTracer | undefined {
  return held.tracer;
}

/** The run that others may take our spans for granted of. */
export function findSpanRunId(): string | undefined {
  return held.spanRunId;
}

export function setTracer(tracer: TransactionTracer, spanRunId: string | undefined): void {
  held.tracer = tracer;
  held.spanRunId = spanRunId;
}
