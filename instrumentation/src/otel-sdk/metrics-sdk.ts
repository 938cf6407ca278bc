import { type MeterProvider, metrics } from "@opentelemetry/api";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { TransactionContextManager } from "../tracing/transaction-context-manager.ts";
import { withoutDuplicateWarnings } from "./diag-reporter.ts";
import { createResource, type ResourceAttributes } from "./resource.ts";

/**
 * Starts the SDK's metrics alone, with the readers that `OTEL_METRICS_EXPORTER`,
 * `OTEL_METRIC_EXPORT_*` and `OTEL_EXPORTER_*` ask for.
 *
 * @returns the SDK's own provider, which takes our lazy one's place in the API
 */
export function startMetricsSdk(resource: ResourceAttributes): MeterProvider {
  metrics.disable();
  withoutDuplicateWarnings(() => {
    const sdk = new NodeSDK({
      resource: createResource(resource),
      autoDetectResources: false,
      // These are registered already; the API keeps the first.
      contextManager: new TransactionContextManager(),
      textMapPropagator: null,
      spanProcessors: [],
      logRecordProcessors: [],
    });
    sdk.start();
  });
  return metrics.getMeterProvider();
}
