import { context, propagation, trace } from "@opentelemetry/api";
import type { Config } from "./config.ts";
import { createHostFilter } from "./http/host-filter.ts";
import { instrumentHttpClient } from "./http/http-client.ts";
import { instrumentHttpServer } from "./http/http-server.ts";
import { instrumentUndiciClient } from "./http/undici-client.ts";
import { instrumentConsole } from "./logging/console-logs.ts";
import { describeException } from "./logging/exception.ts";
import { SEVERITY } from "./logging/log-record.ts";
import { instrumentPino } from "./logging/pino-logs.ts";
import { writeResource } from "./otlp/otlp-request.ts";
import { watchProcessEnd } from "./process-end.ts";
import { Recorder } from "./recorder.ts";
import { setRecorder } from "./recorder-holder.ts";
import { flushAtExit } from "./spool/exit-flush.ts";
import { MemoryOutbox } from "./spool/memory-outbox.ts";
import { OtlpSender } from "./spool/otlp-sender.ts";
import { countFault, counts, guard } from "./stats.ts";
import { createSampler } from "./tracing/sampler.ts";
import { mintRunId } from "./tracing/trace-ids.ts";
import { setTracer } from "./tracing/tracer-holder.ts";
import { TransactionContextManager } from "./tracing/transaction-context-manager.ts";
import { TransactionTracerProvider } from "./tracing/transaction-tracer-provider.ts";
import { ServicePropagator } from "./transaction/service-propagator.ts";
import { ATTRIBUTE, SEMANTIC } from "./wire-names.ts";

const SCOPE_NAME = "@clew/instrumentation";
export const VERSION = "0.1.0";

/** Loading the package twice in one thread (two copies, two ways) must instrument it once. */
const STARTED_KEY = Symbol.for("clew.instrumentation.started");
const shared = globalThis as { [STARTED_KEY]?: boolean };

/** Starts everything this package does. Called again, or when disabled, it does nothing. */
export function startInstrumentation(config: Config): void {
  if (config.disabled || shared[STARTED_KEY] === true) return;
  shared[STARTED_KEY] = true;
  for (const warning of config.warnings) report(warning);
  const runId = mintRunId();
  counts.runId = runId;
  const outbox = new MemoryOutbox({ resource: writeResource(resourceOf(config, runId)) });
  const targets = { logs: config.logs, traces: config.traces };
  const sender = new OtlpSender({ outbox, targets, report });
  const recorder = new Recorder({
    outbox,
    runId,
    logs: config.logs.enabled,
    traces: config.traces.enabled,
    onRecord: (signal, urgent) => sender.poke(signal, urgent),
  });
  setRecorder(recorder);
  const provider = new TransactionTracerProvider({
    sampler: createSampler(config.sampler, config.samplerRatio),
    limits: config.spanLimits,
    onEnd: (span) => recorder.span(span),
  });
  registerGlobally(provider);
  const tracer = provider.tracer(SCOPE_NAME, VERSION);
  setTracer(tracer);
  const outbound = { tracer, isAllowedHost: createHostFilter(config.outboundHosts), runId };
  instrumentHttpServer({ tracer, trustInbound: config.trustInbound, runId });
  instrumentHttpClient(outbound);
  instrumentUndiciClient(outbound);
  instrumentPino(recorder);
  instrumentConsole(recorder);
  watchEnd({ config, outbox, sender, recorder });
}

/** The API keeps the first that registers; where that is not us, the operator must know. */
function registerGlobally(provider: TransactionTracerProvider): void {
  const isOurs =
    trace.setGlobalTracerProvider(provider) &&
    context.setGlobalContextManager(new TransactionContextManager()) &&
    propagation.setGlobalPropagator(new ServicePropagator());
  if (!isOurs) {
    report(
      "another OpenTelemetry SDK was registered first, or an older copy of @opentelemetry/api; " +
        "spans made through the API go there",
    );
  }
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
  outbox: MemoryOutbox;
  sender: OtlpSender;
  recorder: Recorder;
}): void {
  const { config, outbox, sender, recorder } = parts;
  const targets = { logs: config.logs, traces: config.traces };
  watchProcessEnd({
    drain: (deadlineMs) => sender.drain(deadlineMs),
    isPending: () => !outbox.isEmpty,
    atExit: guard("exit-flush", () => {
      if (outbox.isEmpty) return;
      sender.stop();
      // A collector that was down a moment ago is not waited for a second time.
      const lost = flushAtExit(outbox.remains(), { targets, isReachable: !sender.isFailing });
      if (lost > 0) report(`${lost} records were not delivered before the process ended`);
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
