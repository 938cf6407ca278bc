import type { Context, Span, SpanContext, SpanOptions, Tracer } from "@opentelemetry/api";
import { nowMicros } from "../now-micros.ts";
import {
  activeContext,
  findContext,
  runIn,
  type Transaction,
  TransactionContext,
} from "../transaction/transaction-context.ts";
import { ATTRIBUTE } from "../wire-names.ts";
import type { SpanLimits } from "./config.ts";
import { RecordedSpan, type Scope, toMicros } from "./recorded-span.ts";
import type { Sampler } from "./sampler.ts";
import { SAMPLED } from "./trace-context.ts";
import { mintSpanId, mintTraceId } from "./trace-ids.ts";

export interface TracerOptions {
  readonly scope: Scope;
  readonly sampler: Sampler;
  readonly limits: SpanLimits;
  readonly onEnd: (span: RecordedSpan) => void;
}

/** What our own hooks say of a span they start: no options object, no context to build. */
export interface SpanRequest {
  readonly name: string;
  readonly kind: number;
  readonly parent: SpanContext | undefined;
  readonly transaction: Transaction | undefined;
}

/**
 * Makes spans that carry the transaction. Own code instead of OpenTelemetry's SDK on this path
 * because it was measured: 0.4 µs per span against 1.6 µs, and 37 ms less to load.
 */
export class TransactionTracer implements Tracer {
  protected readonly options: TracerOptions;

  constructor(options: TracerOptions) {
    this.options = options;
  }

  start(request: SpanRequest, startMicros = nowMicros()): RecordedSpan {
    const { parent, transaction } = request;
    const traceId = parent?.traceId ?? mintTraceId();
    const isSampled = this.options.sampler(traceId, parent, transaction?.id);
    // The first span made in a transaction that was minted here is its start.
    const isTransactionStart = transaction?.isStart === true;
    if (isTransactionStart) transaction.isStart = false;
    const context: SpanContext = {
      traceId,
      spanId: mintSpanId(),
      traceFlags: isSampled ? SAMPLED : 0,
    };
    if (parent?.traceState !== undefined) context.traceState = parent.traceState;
    const { scope, limits, onEnd } = this.options;
    const span = new RecordedSpan({
      scope,
      name: request.name,
      kind: request.kind,
      context,
      parent,
      transaction,
      isTransactionStart,
      limits,
      startMicros,
      onEnd,
    });
    if (isOutside(parent, transaction)) span.addAttribute(ATTRIBUTE.parentOutside, true);
    return span;
  }

  startSpan(name: string, options: SpanOptions = {}, context?: Context): Span {
    const within = context === undefined ? activeContext() : TransactionContext.from(context);
    const parent = options.root === true ? undefined : validParent(within.span);
    const span = this.start(
      {
        name,
        kind: options.kind ?? 0,
        parent,
        transaction: within.transaction ?? findTransaction(within.span),
      },
      toMicros(options.startTime),
    );
    if (options.attributes !== undefined) span.setAttributes(options.attributes);
    if (options.links !== undefined) span.addLinks(options.links);
    return span;
  }

  startActiveSpan<F extends (span: Span) => unknown>(name: string, fn: F): ReturnType<F>;
  startActiveSpan<F extends (span: Span) => unknown>(
    name: string,
    options: SpanOptions,
    fn: F,
  ): ReturnType<F>;
  startActiveSpan<F extends (span: Span) => unknown>(
    name: string,
    options: SpanOptions,
    context: Context,
    fn: F,
  ): ReturnType<F>;
  startActiveSpan<F extends (span: Span) => unknown>(
    name: string,
    ...rest: [F] | [SpanOptions, F] | [SpanOptions, Context, F]
  ): ReturnType<F> {
    const body = rest[rest.length - 1] as F;
    const options = rest.length > 1 ? (rest[0] as SpanOptions) : {};
    const given = rest.length > 2 ? (rest[1] as Context) : activeContext();
    const within = TransactionContext.from(given);
    const span = this.startSpan(name, options, within);
    return runIn(within.with({ span }), () => body(span)) as ReturnType<F>;
  }
}

/** Whether the parent, a span of this run, is in another transaction than its child, or in none. */
function isOutside(parent: SpanContext | undefined, transaction: Transaction | undefined): boolean {
  if (parent === undefined || transaction === undefined || parent.isRemote === true) return false;
  const active = findContext()?.span;
  if (!(active instanceof RecordedSpan) || active.spanContext() !== parent) return false;
  return active.transaction?.id !== transaction.id;
}

/** A span that was made here remembers its transaction, whatever context it is put into. */
function findTransaction(span: Span | undefined): Transaction | undefined {
  return span instanceof RecordedSpan ? span.transaction : undefined;
}

function validParent(span: Span | undefined): SpanContext | undefined {
  const context = span?.spanContext();
  if (context === undefined || /^0+$/.test(context.traceId)) return undefined;
  return context;
}
