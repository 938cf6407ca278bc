import { HeldSpans, type SpanWriter } from "./held-spans.ts";
import type { RecordedSpan } from "./recorded-span.ts";
import { createSampler, type Sampler } from "./sampler.ts";
import { reduceToSummary } from "./span-summary.ts";
import { SAMPLED } from "./trace-context.ts";
import { createIdSampler, TRANSACTION_RATIO } from "./transaction-sampler.ts";

/** What becomes of spans: which are sampled, and what is left of the others. */
export interface Sampling {
  readonly sampler: Sampler;
  /** Takes over a span that has ended. */
  readonly end: (span: RecordedSpan) => void;
  /** An error happened in this transaction, or outside of any in this trace. */
  readonly noteError: (id: string) => void;
  /** Lets go of what is held: the process ends. */
  readonly release: () => void;
}

export interface SamplingOptions {
  /** As `OTEL_TRACES_SAMPLER` names it. */
  readonly sampler: string;
  readonly ratio: number;
  /** Whether spans go anywhere where a held one could follow. */
  readonly isDelivered: boolean;
  readonly writer: SpanWriter;
}

/**
 * Sampling drops spans, never what the transaction's completeness is read from: of each span that
 * is not sampled there stays at least a summary. Only where the transaction decides can an error
 * still change the decision, because only there other services decide the same.
 */
export function createSampling({ sampler, ratio, isDelivered, writer }: SamplingOptions): Sampling {
  const decide = createSampler(sampler, ratio);
  if (sampler === TRANSACTION_RATIO && isDelivered) {
    const held = new HeldSpans({ writer, isKept: createIdSampler(ratio) });
    return {
      sampler: decide,
      end: (span) => held.end(span),
      noteError: (id) => held.promote(id),
      release: () => held.release(),
    };
  }
  return {
    sampler: decide,
    end: (span) => {
      if ((span.spanContext().traceFlags & SAMPLED) === 0) reduceToSummary(span);
      writer.span(span);
    },
    noteError: () => undefined,
    release: () => undefined,
  };
}
