import { type SpanContext, trace } from "@opentelemetry/api";
import { RecordedSpan } from "./recorded-span.ts";
import { type SpanRequest, TransactionTracer } from "./transaction-tracer.ts";

const NO_SPAN: SpanContext = { traceId: "0".repeat(32), spanId: "0".repeat(16), traceFlags: 0 };

/**
 * The tracer of our hooks beside another OpenTelemetry SDK, which traces requests itself: nothing
 * is recorded, and what goes to the next service names the other SDK's running span.
 */
export class BorrowingTracer extends TransactionTracer {
  override start(request: SpanRequest, startMicros = 0): RecordedSpan {
    return new RecordedSpan({
      ...request,
      ...this.options,
      context: trace.getActiveSpan()?.spanContext() ?? NO_SPAN,
      isTransactionStart: false,
      startMicros,
      onEnd: () => undefined,
    });
  }
}
