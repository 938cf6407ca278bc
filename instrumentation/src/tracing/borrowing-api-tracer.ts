import {
  type Context,
  context as contextApi,
  type Span,
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

/** Answers every wish for a span with the one that our hook made for the same request. */
export class BorrowingApiTracer implements Tracer {
  startSpan(_name: string, _options?: SpanOptions, context?: Context): Span {
    const running = trace.getActiveSpan() ?? (context && trace.getSpan(context));
    return trace.wrapSpanContext(running?.spanContext() ?? NO_SPAN);
  }

  startActiveSpan<F extends (span: Span) => unknown>(
    name: string,
    ...rest: unknown[]
  ): ReturnType<F> {
    const body = rest[rest.length - 1] as F;
    const given = rest.length > 2 ? (rest[1] as Context) : contextApi.active();
    const span = this.startSpan(name, {}, given);
    return contextApi.with(trace.setSpan(given, span), () => body(span)) as ReturnType<F>;
  }
}
