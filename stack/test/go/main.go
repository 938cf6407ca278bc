// Command otlp-senders sends logs, spans and a metric with OpenTelemetry's own exporters for Go,
// which know nothing of Clew. Where and how it sends is said by the standard OTEL_EXPORTER_OTLP_*
// variables, which the exporters read themselves.
//
// Usage: otlp-senders TRANSACTION_ID PAIRS
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

type exporters struct {
	logs    sdklog.Exporter
	spans   sdktrace.SpanExporter
	metrics sdkmetric.Exporter
}

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return errors.New("usage: otlp-senders TRANSACTION_ID PAIRS")
	}
	pairs, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	to, err := newExporters(ctx, os.Getenv("OTEL_EXPORTER_OTLP_PROTOCOL"))
	if err != nil {
		return err
	}
	logs := sdklog.NewLoggerProvider(sdklog.WithProcessor(sdklog.NewBatchProcessor(to.logs)))
	spans := sdktrace.NewTracerProvider(sdktrace.WithBatcher(to.spans))
	metrics := sdkmetric.NewMeterProvider(
		sdkmetric.WithReader(sdkmetric.NewPeriodicReader(to.metrics)),
	)
	sent, err := metrics.Meter("pairs").Int64Counter("pairs.sent")
	if err != nil {
		return err
	}
	for i := range pairs {
		sendPair(ctx, spans.Tracer("pairs"), logs.Logger("pairs"), args[0], i)
		sent.Add(ctx, 1)
	}
	// Partial success comes back as an error: it is told, but no reason to fail.
	if err := metrics.Shutdown(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	return errors.Join(spans.Shutdown(ctx), logs.Shutdown(ctx))
}

// sendPair makes a span, and a log record within it.
func sendPair(ctx context.Context, tracer trace.Tracer, logger log.Logger, id string, i int) {
	named := attribute.String("transaction_id", id)
	ctx, span := tracer.Start(ctx, fmt.Sprintf("span %d", i), trace.WithAttributes(named))
	defer span.End()
	var record log.Record
	record.SetSeverity(log.SeverityInfo)
	record.SetSeverityText("INFO")
	record.SetBody(log.StringValue(fmt.Sprintf("log %d: größer als drei", i)))
	record.AddAttributes(log.String("transaction_id", id))
	logger.Emit(ctx, record)
}

func newExporters(ctx context.Context, protocol string) (exporters, error) {
	switch protocol {
	case "grpc":
		return overGRPC(ctx)
	case "http/protobuf":
		return overHTTP(ctx)
	default:
		return exporters{}, fmt.Errorf("cannot send over %q: grpc and http/protobuf are known", protocol)
	}
}

func overGRPC(ctx context.Context) (exporters, error) {
	logs, logsErr := otlploggrpc.New(ctx)
	spans, spansErr := otlptracegrpc.New(ctx)
	metrics, metricsErr := otlpmetricgrpc.New(ctx)
	return exporters{logs, spans, metrics}, errors.Join(logsErr, spansErr, metricsErr)
}

func overHTTP(ctx context.Context) (exporters, error) {
	logs, logsErr := otlploghttp.New(ctx)
	spans, spansErr := otlptracehttp.New(ctx)
	metrics, metricsErr := otlpmetrichttp.New(ctx)
	return exporters{logs, spans, metrics}, errors.Join(logsErr, spansErr, metricsErr)
}
