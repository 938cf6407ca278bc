import { metrics, propagation } from "@opentelemetry/api";
import type { Config } from "../config.ts";
import type { Recorder } from "../recorder.ts";
import { countFault } from "../stats.ts";
import { findOtherSdk, type Registration, registerWithApi } from "../tracing/api-registration.ts";
import { BorrowingTracer } from "../tracing/borrowing-tracer.ts";
import type { Scope } from "../tracing/recorded-span.ts";
import type { TracerOptions, TransactionTracer } from "../tracing/transaction-tracer.ts";
import { TransactionTracerProvider } from "../tracing/transaction-tracer-provider.ts";
import { ServicePropagator } from "../transaction/service-propagator.ts";
import { reportDiagnostics, withoutDuplicateWarnings } from "./diag-reporter.ts";
import { LazyMeterProvider } from "./lazy-meter-provider.ts";
import { loadMetricsSdk, loadSdkMode, loadSdkPropagation } from "./load-sdk.ts";
import type { RecordExports } from "./record-exports.ts";

export interface OpenTelemetryOptions {
  readonly config: Config;
  readonly resource: Readonly<Record<string, string | number>>;
  readonly recorder: Recorder;
  /** Sampler, limits and what becomes of an ended span: the same for every span. */
  readonly spans: Omit<TracerOptions, "scope">;
  /** Who our own hooks' spans are by. */
  readonly scope: Scope;
  readonly report: (message: string) => void;
}

/** What the assembly needs of OpenTelemetry's side once it runs. */
export interface OpenTelemetry {
  /** Makes the spans of our own hooks. */
  readonly tracer: TransactionTracer;
  /** Whether its spans are made here and go where others look for them. */
  readonly makesSpans: boolean;
  readonly isEmpty: boolean;
  drain(deadlineMs: number): Promise<void>;
  /** The process ends: counts what was not delivered; says how many records that were. */
  abandon(): number;
}

/**
 * Registers with `@opentelemetry/api`: our own tracer where it does all that the environment asks
 * for, and OpenTelemetry's SDK where it asks for more. Where another SDK was first, spans are left
 * to that one.
 */
export function startOpenTelemetry(options: OpenTelemetryOptions): OpenTelemetry {
  const { config, spans, scope, report } = options;
  reportDiagnostics(config.sdk.logLevel, report);
  const provider = new TransactionTracerProvider(spans);
  const found = findOtherSdk();
  const { registration, exports } =
    found.kind === "first" ? register(options, provider) : { registration: found };
  if (registration.kind !== "first") report(explain(registration));
  const meters = startMetrics(options);
  return {
    tracer:
      registration.kind === "other-sdk"
        ? new BorrowingTracer({ ...spans, scope })
        : provider.tracer(scope.name, scope.version),
    makesSpans: registration.kind !== "other-sdk" && goesOut(config),
    get isEmpty() {
      return (exports?.isEmpty ?? true) && !meters.isPending;
    },
    drain: async (deadlineMs) => {
      await Promise.all([exports?.drain(deadlineMs), meters.flush(deadlineMs)]);
    },
    abandon: () => exports?.abandon() ?? 0,
  };
}

/** `OTEL_SDK_DISABLED` "has no effect on propagators": the API still passes on what came in. */
export function startPropagationOnly(config: Config): void {
  const { propagators } = config.sdk;
  propagation.setGlobalPropagator(
    propagators === undefined
      ? new ServicePropagator()
      : loadSdkPropagation().createPropagator(propagators),
  );
}

/** Whether spans are sent anywhere: who prints them only keeps them to itself. */
function goesOut({ traces, sdk }: Config): boolean {
  return traces.enabled || sdk.traceExporters.some((exporter) => exporter !== "console");
}

interface Registered {
  readonly registration: Registration;
  readonly exports?: RecordExports;
}

function register(options: OpenTelemetryOptions, provider: TransactionTracerProvider): Registered {
  const { config, resource, recorder, spans, report } = options;
  if (config.sdk.isNeeded) {
    try {
      const exports = loadSdkMode().startSdkMode({
        ...{ resource, report, settings: config.sdk },
        ...{ sampler: spans.sampler, spanLimits: spans.limits, onEnd: spans.onEnd },
        isSpooled: { logs: config.logs.enabled, traces: config.traces.enabled },
      });
      recorder.tellAlso(exports.sink);
      return { registration: { kind: "first" }, exports };
    } catch (error) {
      countFault("otel-sdk", error);
      report("OpenTelemetry's SDK cannot be loaded; only OTLP over http/protobuf is sent");
    }
  }
  return { registration: registerWithApi(provider, new ServicePropagator()) };
}

function startMetrics({ config, resource }: OpenTelemetryOptions): LazyMeterProvider {
  const meters = new LazyMeterProvider(() => loadMetricsSdk().startMetricsSdk(resource));
  if (config.sdk.metrics !== "off") {
    withoutDuplicateWarnings(() => metrics.setGlobalMeterProvider(meters));
  }
  if (config.sdk.metrics === "at-start") meters.start();
  return meters;
}

function explain(registration: Exclude<Registration, { kind: "first" }>): string {
  const { kind, version } = registration;
  const versions =
    `@opentelemetry/api ${version} registered first, and ours is of another version. Find the ` +
    "copies with `npm ls @opentelemetry/api` and bring them to one version";
  if (kind === "other-version") {
    return `spans of the API are lost, those of requests and messages are not: ${versions}`;
  }
  const sentence =
    "another OpenTelemetry SDK was registered before @clew/instrumentation/register; spans are " +
    "left to it, so that none is doubled, and transaction IDs and log records go on. Load " +
    "register first, or leave it out and give TransactionPropagator, TransactionSpanProcessor " +
    "and TransactionLogRecordProcessor to that SDK";
  return version === undefined ? sentence : `${sentence}. ${versions}`;
}
