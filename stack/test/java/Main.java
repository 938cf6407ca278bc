import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.logs.Severity;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.context.Scope;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdk;
import io.opentelemetry.sdk.common.CompletableResultCode;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Sends logs, spans and a metric with OpenTelemetry's own exporters for Java, which know nothing of
 * Clew. Where and how it sends is said by the standard OTEL_EXPORTER_OTLP_* variables.
 *
 * <p>Usage: Main TRANSACTION_ID PAIRS
 */
final class Main {
  private static final AttributeKey<String> TRANSACTION_ID =
      AttributeKey.stringKey("transaction_id");
  private static final long FLUSH_SECONDS_MAX = 60;

  public static void main(String[] args) {
    OpenTelemetrySdk sdk = AutoConfiguredOpenTelemetrySdk.initialize().getOpenTelemetrySdk();
    int pairs = Integer.parseInt(args[1]);
    for (int i = 0; i < pairs; i++) sendPair(sdk, args[0], i);
    sdk.getMeter("pairs").counterBuilder("pairs.sent").build().add(pairs);
    CompletableResultCode flushed =
        CompletableResultCode.ofAll(
            List.of(
                sdk.getSdkTracerProvider().forceFlush(),
                sdk.getSdkLoggerProvider().forceFlush(),
                sdk.getSdkMeterProvider().forceFlush()));
    boolean isSent = flushed.join(FLUSH_SECONDS_MAX, TimeUnit.SECONDS).isSuccess();
    sdk.close();
    System.exit(isSent ? 0 : 1);
  }

  /** A span, and a log record within it. */
  private static void sendPair(OpenTelemetry sdk, String transactionId, int i) {
    Span span =
        sdk.getTracer("pairs")
            .spanBuilder("span " + i)
            .setAttribute(TRANSACTION_ID, transactionId)
            .startSpan();
    try (Scope scope = span.makeCurrent()) {
      sdk.getLogsBridge()
          .get("pairs")
          .logRecordBuilder()
          .setSeverity(Severity.INFO)
          .setSeverityText("INFO")
          .setBody("log " + i + ": größer als drei")
          .setAttribute(TRANSACTION_ID, transactionId)
          .emit();
    } finally {
      span.end();
    }
  }
}
