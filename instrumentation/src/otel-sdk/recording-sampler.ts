import { type Context, trace } from "@opentelemetry/api";
import {
  SamplingDecision,
  type SamplingResult,
  type Sampler as SdkSampler,
} from "@opentelemetry/sdk-trace";
import type { Sampler } from "../tracing/sampler.ts";
import { TransactionContext } from "../transaction/transaction-context.ts";

/**
 * Our own sampler for the SDK's spans, so that both kinds of spans of one trace are kept or both
 * are not. What is not sampled is recorded all the same: its counts must not be lost.
 */
export class RecordingSampler implements SdkSampler {
  readonly #sampler: Sampler;

  constructor(sampler: Sampler) {
    this.#sampler = sampler;
  }

  shouldSample(context: Context, traceId: string): SamplingResult {
    const parent = trace.getSpanContext(context);
    const { transaction } = TransactionContext.from(context);
    const isSampled = this.#sampler(traceId, parent, transaction?.id);
    return {
      decision: isSampled ? SamplingDecision.RECORD_AND_SAMPLED : SamplingDecision.RECORD,
    };
  }

  toString(): string {
    return "RecordingSampler";
  }
}
