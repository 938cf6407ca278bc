import type { Config } from "./config.ts";
import { stopCorrelation } from "./correlation/correlation.ts";
import { createHostFilter } from "./http/host-filter.ts";
import { instrumentHttp } from "./http/instrument-http.ts";
import { patchKafka } from "./kafka/instrument-kafka.ts";
import { describeException } from "./logging/exception.ts";
import { instrumentLoggers } from "./logging/instrument-loggers.ts";
import { SEVERITY } from "./logging/log-record.ts";
import { isTransportThread } from "./logging/transport-thread.ts";
import { metrics } from "./metrics/metrics.ts";
import { startMetrics } from "./metrics/start-metrics.ts";
import { withoutDuplicateWarnings } from "./otel-sdk/diag-reporter.ts";
import {
  type OpenTelemetry,
  startOpenTelemetry,
  startPropagationOnly,
} from "./otel-sdk/start-open-telemetry.ts";
import { writeResource } from "./otlp/otlp-request.ts";
import { watchProcessEnd } from "./process-end.ts";
import { Recorder } from "./recorder.ts";
import { setRecorder } from "./recorder-holder.ts";
import { configureRedaction } from "./redaction/redactor.ts";
import { RunReports } from "./run-report.ts";
import { running } from "./running.ts";
import { createOutbox } from "./spool/create-outbox.ts";
import { flushAtExit } from "./spool/exit-flush.ts";
import { OtlpSender } from "./spool/otlp-sender.ts";
import type { Outbox } from "./spool/outbox.ts";
import { countFault, counts, guard } from "./stats.ts";
import { createSampling, type Sampling } from "./tracing/sampling.ts";
import { mintRunId } from "./tracing/trace-ids.ts";
import { setTracer } from "./tracing/tracer-holder.ts";
import { ATTRIBUTE, SEMANTIC } from "./wire-names.ts";

const SCOPE_NAME = "@clew/instrumentation";
export const VERSION = "0.1.0";

/** Starts all that this package does. Called again it does nothing; disabled, next to nothing. */
export function startInstrumentation(config: Config): void {
  if (running.isEverything || isTransportThread()) return;
  running.isEverything = true;
  stopCorrelation();
  if (config.disabled) {
    startPropagationOnly(config);
    return;
  }
  const isSilent = config.sdk.logLevel === "none" || config.sdk.logLevel === "error";
  for (const warning of isSilent ? [] : config.warnings) report(warning);
  configureRedaction(config.redaction);
  const runId = mintRunId();
  counts.runId = runId;
  const resource = resourceOf(config, runId);
  const targets = { logs: config.logs, traces: config.traces };
  const outbox = createOutbox({
    settings: config.spool,
    ...{ resource: writeResource(resource), service: config.serviceName, runId, report },
    onFound: (signal) => sender.poke(signal, false),
    isSent: (signal) => targets[signal].enabled,
  });
  const sender = new OtlpSender({ outbox, targets, report });
  const recorder = new Recorder({
    outbox,
    runId,
    logs: config.logs.enabled,
    traces: config.traces.enabled,
    logLimits: config.logLimits,
    onError: (id) => sampling.noteError(id),
    onRecord: (signal, urgent) => sender.poke(signal, urgent),
  });
  setRecorder(recorder);
  const sampling = createSampling({
    sampler: config.sampler,
    ratio: config.samplerRatio,
    isDelivered: config.traces.enabled,
    writer: {
      span: (span) => recorder.span(span),
      held: (held, isSummary) => recorder.heldSpan(held, isSummary),
    },
  });
  const spans = { sampler: sampling.sampler, limits: config.spanLimits, onEnd: sampling.end };
  const scope = { name: SCOPE_NAME, version: VERSION };
  const openTelemetry = startOpenTelemetry({ config, resource, recorder, spans, scope, report });
  const { tracer } = openTelemetry;
  const spanRunId = openTelemetry.makesSpans ? runId : undefined;
  setTracer(tracer, spanRunId);
  instrumentHttp(
    { tracer, trustInbound: config.trustInbound, runId: spanRunId },
    { tracer, isAllowedHost: createHostFilter(config.outboundHosts), runId: spanRunId },
  );
  // Its logs API is refused where another SDK was first, which has been said.
  withoutDuplicateWarnings(() => instrumentLoggers({ recorder, report }));
  patchKafka();
  const reports = reportRun({ config, recorder, makesSpans: openTelemetry.makesSpans });
  watchEnd({ config, outbox, sender, recorder, reports, sampling, openTelemetry });
}

/** `/metrics`, and the run reports that announce it. */
function reportRun(of: {
  readonly config: Config;
  readonly recorder: Recorder;
  readonly makesSpans: boolean;
}): RunReports {
  const { config, recorder, makesSpans } = of;
  const { serviceName, resourceAttributes } = config;
  const instanceId = resourceAttributes[SEMANTIC.serviceInstanceId] ?? counts.runId;
  const { loopDelay } = startMetrics({
    settings: config.metrics,
    instance: { serviceName, instanceId, runId: counts.runId },
    report,
  });
  const reports = new RunReports({
    recorder,
    scope: { name: SCOPE_NAME, version: VERSION },
    loopDelay,
    makesSpans,
    findMetricsAddress: () => metrics.address,
  });
  if (config.logs.enabled) reports.start();
  return reports;
}

function resourceOf(config: Config, runId: string): Record<string, string | number> {
  return {
    [SEMANTIC.serviceInstanceId]: runId,
    [SEMANTIC.hostName]: config.hostName,
    [SEMANTIC.processRuntimeName]: "nodejs",
    [SEMANTIC.processRuntimeVersion]: process.versions.node,
    ...config.resourceAttributes,
    [SEMANTIC.serviceName]: config.serviceName,
    [SEMANTIC.processId]: process.pid,
    [SEMANTIC.sdkName]: "clew",
    [SEMANTIC.sdkLanguage]: "nodejs",
    [SEMANTIC.sdkVersion]: VERSION,
    [ATTRIBUTE.runId]: runId,
  };
}

function watchEnd(parts: {
  config: Config;
  outbox: Outbox;
  sender: OtlpSender;
  recorder: Recorder;
  reports: RunReports;
  sampling: Sampling;
  openTelemetry: OpenTelemetry;
}): void {
  const { config, outbox, sender, recorder, reports, sampling, openTelemetry } = parts;
  const targets = { logs: config.logs, traces: config.traces };
  watchProcessEnd({
    drain: async (deadlineMs) => {
      await Promise.all([sender.drain(deadlineMs), openTelemetry.drain(deadlineMs)]);
    },
    onEnding: () => {
      // First what is held is counted, then the counts are told.
      sampling.release();
      reports.final();
    },
    isPending: () => !outbox.isEmpty || !openTelemetry.isEmpty,
    atExit: guard("exit-flush", () => {
      sampling.release();
      const abandoned = openTelemetry.abandon();
      if (abandoned > 0) report(`${abandoned} records were left with OpenTelemetry's exporters`);
      reports.final();
      sender.stop();
      outbox.preserve();
      // A collector that was down a moment ago is not waited for a second time.
      if (!outbox.isEmpty && !sender.isFailing) flushAtExit(outbox, targets);
      const { lost, kept } = outbox.close();
      if (lost > 0) report(`${lost} records were not delivered before the process ended`);
      if (kept > 0) report(`${kept} records wait on disk for the next start`);
    }),
    onUncaught: guard("uncaught-exception", (error) => {
      recorder.log({
        scope: { name: SCOPE_NAME, version: VERSION },
        severity: SEVERITY.fatal,
        body: "The process ends by an uncaught error",
        attributes: [describeException(error)],
      });
    }),
  });
}

/** Straight to the descriptor: `console` and the service's logger are what we listen to. */
function report(message: string): void {
  try {
    process.stderr.write(`clew: ${message}\n`);
  } catch (error) {
    countFault("exporter", error);
  }
}
