import type { SpanContext } from "@opentelemetry/api";
import { SAMPLED } from "./trace-context.ts";
import { createTransactionSampler, TRANSACTION_RATIO } from "./transaction-sampler.ts";

/** Whether a span is kept, from its trace ID, its parent and its transaction's ID. */
export type Sampler = (
  traceId: string,
  parent: SpanContext | undefined,
  transactionId?: string | undefined,
) => boolean;

/** Bits of the trace ID that a ratio compares: as many as a number holds exactly. */
const RATIO_HEX_DIGITS = 12;

/**
 * The samplers of `OTEL_TRACES_SAMPLER`: the specification's, and `transaction_ratio`, which is
 * ours. A parent-based one follows the parent where there is one. `traceidratio` reads the trace
 * ID's last digits, which W3C Trace Context level 2 promises are random.
 */
export function createSampler(name: string, ratio: number): Sampler {
  if (name === TRANSACTION_RATIO) return createTransactionSampler(ratio);
  const root = rootSampler(name.replace("parentbased_", ""), ratio);
  if (!name.startsWith("parentbased_")) return root;
  return (traceId, parent) =>
    parent === undefined ? root(traceId, parent) : (parent.traceFlags & SAMPLED) === SAMPLED;
}

function rootSampler(name: string, ratio: number): Sampler {
  if (name === "always_off") return () => false;
  if (name !== "traceidratio") return () => true;
  const bound = ratio * 16 ** RATIO_HEX_DIGITS;
  return (traceId) => Number.parseInt(traceId.slice(-RATIO_HEX_DIGITS), 16) < bound;
}
