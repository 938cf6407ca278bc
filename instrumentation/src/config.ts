import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { isTrue, parsePairs, text } from "./config-values.ts";
import { readHttpConfig } from "./http/config.ts";
import { type MetricsSettings, readMetricsConfig } from "./metrics/config.ts";
import { readSdkConfig, type SdkSettings } from "./otel-sdk/config.ts";
import { readOtlpConfig, type SignalTarget } from "./otlp/config.ts";
import { type RedactionSettings, readRedactionConfig } from "./redaction/config.ts";
import { readSpoolConfig, type SpoolSettings } from "./spool/config.ts";
import { type LogLimits, readTracingConfig, type SpanLimits } from "./tracing/config.ts";

export interface Config {
  readonly disabled: boolean;
  readonly serviceName: string;
  readonly hostName: string;
  /** OTEL_RESOURCE_ATTRIBUTES, without the service name. */
  readonly resourceAttributes: Readonly<Record<string, string>>;
  readonly traces: SignalTarget;
  readonly logs: SignalTarget;
  readonly sampler: string;
  /** Share of traces that a ratio sampler keeps, 0 to 1. */
  readonly samplerRatio: number;
  readonly spanLimits: SpanLimits;
  /** Undefined where log records are kept whole. */
  readonly logLimits: LogLimits | undefined;
  /** What needs OpenTelemetry's own SDK. */
  readonly sdk: SdkSettings;
  /** Whether the caller's transaction ID, trace and baggage are taken over. */
  readonly trustInbound: boolean;
  /** Host patterns that may be sent IDs. */
  readonly outboundHosts: readonly string[];
  readonly spool: SpoolSettings;
  readonly metrics: MetricsSettings;
  readonly redaction: RedactionSettings;
  /** One sentence per variable that was not understood; its default is used. */
  readonly warnings: readonly string[];
}

const PACKAGE_DEPTH_MAX = 64;
const UNKNOWN_SERVICE = "unknown_service:node";

/**
 * What the environment says, validated. A wrong value never stops the service: it is named in
 * `warnings` and its default holds. Follows OpenTelemetry's "Environment Variable Specification"
 * and "OTLP Exporter Configuration". Each folder's `config.ts` reads its own variables.
 *
 * @param entry path of the program, for the service name of the nearest package.json
 */
export function readConfig(
  env: Readonly<Record<string, string | undefined>> = process.env,
  entry = process.argv[1],
): Config {
  const warnings: string[] = [];
  const source = { env, warnings };
  const { "service.name": resourceName, ...resourceAttributes } = parsePairs(
    text(env.OTEL_RESOURCE_ATTRIBUTES),
    warnings,
    "OTEL_RESOURCE_ATTRIBUTES",
  );
  const { traces, logs, ...exporters } = readOtlpConfig(source);
  return Object.freeze({
    disabled: isTrue(env.OTEL_SDK_DISABLED),
    serviceName: text(env.OTEL_SERVICE_NAME) ?? resourceName ?? packageName(entry),
    hostName: hostname(),
    resourceAttributes,
    traces,
    logs,
    sdk: readSdkConfig(source, exporters),
    ...readTracingConfig(source),
    ...readHttpConfig(source),
    spool: readSpoolConfig(source),
    metrics: readMetricsConfig(source),
    redaction: readRedactionConfig(source),
    // What is wrong with a variable for all signals was noticed for each of them.
    warnings: [...new Set(warnings)],
  });
}

/** The name in the nearest package.json above the program, as people expect it to be called. */
function packageName(entry: string | undefined): string {
  let folder = dirname(entry ?? join(process.cwd(), "x"));
  for (let depth = 0; depth < PACKAGE_DEPTH_MAX; depth++) {
    const name = readPackageName(join(folder, "package.json"));
    if (name !== undefined) return name;
    const parent = dirname(folder);
    if (parent === folder) break;
    folder = parent;
  }
  return UNKNOWN_SERVICE;
}

function readPackageName(path: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (typeof parsed !== "object" || parsed === null || !("name" in parsed)) return undefined;
    return typeof parsed.name === "string" && parsed.name !== "" ? parsed.name : undefined;
  } catch {
    return undefined; // No readable package.json here: the folder above is asked next.
  }
}
