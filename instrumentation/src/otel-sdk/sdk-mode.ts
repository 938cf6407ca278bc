import { logs as logsApi, ProxyTracerProvider, trace } from "@opentelemetry/api";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { BorrowingApiTracer, isReplaced } from "../tracing/borrowing-api-tracer.ts";
import type { SpanLimits } from "../tracing/config.ts";
import type { RecordedSpan } from "../tracing/recorded-span.ts";
import type { Sampler } from "../tracing/sampler.ts";
import { TransactionContextManager } from "../tracing/transaction-context-manager.ts";
import { TransactionSpanProcessor } from "../tracing/transaction-span-processor.ts";
import type { SdkSettings } from "./config.ts";
import { withoutDuplicateWarnings } from "./diag-reporter.ts";
import { type RecordExports, startRecordExports } from "./record-exports.ts";
import { RecordingSampler } from "./recording-sampler.ts";
import { createResource, type ResourceAttributes } from "./resource.ts";
import { createPropagator } from "./sdk-propagation.ts";
import { SpoolSpanProcessor } from "./spool-span-processor.ts";

export interface SdkModeOptions {
  readonly settings: SdkSettings;
  readonly resource: ResourceAttributes;
  readonly sampler: Sampler;
  readonly spanLimits: SpanLimits;
  /** Whether the spool delivers the signal too: then it is the one that accounts for it. */
  readonly isSpooled: { readonly logs: boolean; readonly traces: boolean };
  /** Where every ended span goes, whoever made it. */
  readonly onEnd: (span: RecordedSpan) => void;
  readonly report: (message: string) => void;
}

/**
 * Starts OpenTelemetry's own SDK with our parts in it, where the environment asks for more than
 * the fast path has. Spans of the API are the SDK's, with its limits; those of our hooks are made
 * as ever. Both end in `onEnd`, so that sampling, numbers and counts are the same for all.
 */
export function startSdkMode(options: SdkModeOptions): RecordExports {
  const { settings } = options;
  const resource = createResource(options.resource);
  const loggersBefore = logsApi.getLoggerProvider();
  const sdk = new NodeSDK({
    resource,
    autoDetectResources: false,
    contextManager: new TransactionContextManager(),
    textMapPropagator: createPropagator(settings.propagators),
    sampler: new RecordingSampler(options.sampler),
    // NodeSDK reads the plural options only, and none of its own exporters where they are there.
    spanProcessors: [
      new TransactionSpanProcessor(),
      new SpoolSpanProcessor({ limits: options.spanLimits, onEnd: options.onEnd }),
    ],
    // Metrics wait for the first meter; log records come from our own logs API.
    metricReaders: [],
    logRecordProcessors: [],
  });
  withoutDuplicateWarnings(() => sdk.start());
  borrowReplaced();
  if (logsApi.getLoggerProvider() !== loggersBefore) logsApi.disable();
  return startRecordExports({ ...options, resource });
}

/** Another agent's instrumentations get the SDK's tracers, those that double our hooks apart. */
function borrowReplaced(): void {
  const registered = trace.getTracerProvider();
  if (!(registered instanceof ProxyTracerProvider)) return;
  const sdk = registered.getDelegate();
  registered.setDelegate({
    getTracer: (name, version, options) =>
      isReplaced(name) ? new BorrowingApiTracer() : sdk.getTracer(name, version, options),
  });
}
