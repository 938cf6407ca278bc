import { OTLPLogExporter as LogGrpcExporter } from "@opentelemetry/exporter-logs-otlp-grpc";
import { OTLPLogExporter as LogHttpJsonExporter } from "@opentelemetry/exporter-logs-otlp-http";
import { OTLPTraceExporter as GrpcExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { OTLPTraceExporter as HttpJsonExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { ZipkinExporter } from "@opentelemetry/exporter-zipkin";
import { ConsoleLogRecordExporter, type LogRecordExporter } from "@opentelemetry/sdk-logs";
import { ConsoleSpanExporter, type SpanExporter } from "@opentelemetry/sdk-trace";
import type { SdkExporter } from "../otlp/config.ts";

/** The SDK's exporter of spans. Each reads its own variables, as its specification says. */
export function createSpanExporter(name: SdkExporter): SpanExporter {
  if (name === "console") return new ConsoleSpanExporter();
  if (name === "zipkin") return new ZipkinExporter();
  return name === "otlp-grpc" ? new GrpcExporter() : new HttpJsonExporter();
}

/** The SDK's exporter of log records. */
export function createLogExporter(name: SdkExporter): LogRecordExporter {
  if (name === "console") return new ConsoleLogRecordExporter();
  return name === "otlp-grpc" ? new LogGrpcExporter() : new LogHttpJsonExporter();
}
