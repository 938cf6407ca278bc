import {
  type Context,
  context as contextApi,
  type Span,
  type SpanContext,
  SpanKind,
  type SpanOptions,
  type Tracer,
  trace,
} from "@opentelemetry/api";

const NO_SPAN = { traceId: "0".repeat(32), spanId: "0".repeat(16), traceFlags: 0 };

/**
 * Instrumentations of OpenTelemetry whose spans our own hooks make already. A service may have them
 * in an SDK that it starts after us; their spans would be doubles of ours.
 */
const REPLACED: ReadonlySet<string> = new Set([
  "@opentelemetry/instrumentation-http",
  "@opentelemetry/instrumentation-undici",
  "@opentelemetry/instrumentation-kafkajs",
]);

export function isReplaced(scope: string): boolean {
  return REPLACED.has(scope);
}

const OUTBOUND = Symbol("clew.borrowed-outbound");

interface BorrowedSpan extends Span {
  [OUTBOUND]?: true;
}

/**
 * Whether a context is that of a call out for which our hook writes the headers: written by the
 * replaced instrumentation as well, they would go out twice, and to any host.
 */
export function isBorrowedCall(context: Context): boolean {
  const span: BorrowedSpan | undefined = trace.getSpan(context);
  return span?.[OUTBOUND] === true;
}

/** Answers every wish for a span with the one that our hook made for the same request. */
export class BorrowingApiTracer implements Tracer {
  startSpan(_name: string, options?: SpanOptions, context?: Context): Span {
    const running = trace.getActiveSpan() ?? (context && trace.getSpan(context));
    return borrow(running?.spanContext() ?? NO_SPAN, options?.kind);
  }

  startActiveSpan<F extends (span: Span) => unknown>(
    name: string,
    ...rest: unknown[]
  ): ReturnType<F> {
    const body = rest[rest.length - 1] as F;
    const given = rest.length > 2 ? (rest[1] as Context) : contextApi.active();
    const options = rest.length > 1 ? (rest[0] as SpanOptions) : {};
    const span = this.startSpan(name, options, given);
    return contextApi.with(trace.setSpan(given, span), () => body(span)) as ReturnType<F>;
  }
}

function borrow(context: SpanContext, kind: SpanKind | undefined): Span {
  const span: BorrowedSpan = trace.wrapSpanContext(context);
  if (kind === SpanKind.CLIENT || kind === SpanKind.PRODUCER) span[OUTBOUND] = true;
  return span;
}
