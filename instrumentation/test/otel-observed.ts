import { type AppEnd, runApp } from "./app-process.ts";
import { OtlpSink, type ReceivedLog, type ReceivedSpan } from "./otlp-sink.ts";

/** What was seen of one service process from outside: at its collector, and on its outputs. */
export interface Observed {
  /** Without the summaries of spans that were not sampled. */
  readonly spans: readonly ReceivedSpan[];
  /** Without Clew's own reports. */
  readonly logs: readonly ReceivedLog[];
  readonly requests: OtlpSink["requests"];
  readonly end: AppEnd;
  /** The warnings on stderr, without our name before them. */
  readonly warnings: readonly string[];
}

export interface Service {
  readonly env: Readonly<Record<string, string>>;
  /** By default the service that has some of everything, `WORK`. */
  readonly code?: string;
  readonly args?: readonly string[];
}

/** What every service here can use. */
export const PREAMBLE = `
  import { context, metrics, propagation, trace } from "@opentelemetry/api";
  import { instrumentationStats, transaction } from "@clew/instrumentation";
  import pino from "pino";
  const tracer = trace.getTracer("shop", "1.0");
  const remote = (n, flags = 1) => ({
    traceId: "0af7651916cd43dd8448eb211c80310" + n, spanId: "b7ad6b716920333" + n,
    traceFlags: flags, isRemote: true,
  });
  const below = (n, flags) => trace.setSpanContext(context.active(), remote(n, flags));
`;

/** A span with three of everything, and a log line under it with three fields. */
export const WORK = `
  const xyz = { x: "abcdefghij", y: 2, z: 3 };
  const links = [1, 2, 3].map((n) => ({ context: remote(n), attributes: xyz }));
  tracer.startActiveSpan("work", { attributes: { a: "abcdefghij", b: 2, c: 3 }, links }, (span) => {
    for (const name of ["one", "two", "three"]) span.addEvent(name, xyz);
    pino().info({ a: "abcdefghij", b: 2, c: 3 }, "hello");
    span.end();
  });
`;

/** Runs a service to its end, beside a collector of its own that it is told of. */
export async function observe(service: Service): Promise<Observed> {
  const sink = new OtlpSink();
  const endpoint = await sink.start();
  try {
    const end = await runApp({
      endpoint,
      env: { CLEW_METRICS_PORT: "off", CLEW_SPOOL_DIR: "off", ...service.env },
      code: PREAMBLE + (service.code ?? WORK),
      ...(service.args === undefined ? {} : { args: service.args }),
    });
    return {
      spans: sink.spans.filter((span) => span.attributes["clew.span.summary"] !== true),
      logs: sink.logs.filter((log) => log.attributes["event.name"] === undefined),
      requests: sink.requests,
      end,
      warnings: end.stderr
        .split("\n")
        .filter((line) => line.startsWith("clew: "))
        .map((line) => line.slice("clew: ".length)),
    };
  } finally {
    await sink.stop();
  }
}

/** The one span of that name; fails where there is none. */
export function spanNamed(observed: Observed, name: string): ReceivedSpan {
  const found = observed.spans.find((span) => span.name === name);
  if (found === undefined) throw new Error(`there is no span ${name}: ${observed.end.stderr}`);
  return found;
}
