import { type ConfigSource, parsePairs, readNumber, text } from "../config-values.ts";

/** Whether and where one signal is sent. */
export interface SignalTarget {
  readonly enabled: boolean;
  /** Absolute http(s) URL that the export requests are posted to. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly gzip: boolean;
}

const DEFAULT_ENDPOINT = "http://127.0.0.1:4318";
const DEFAULT_TIMEOUT_MS = 10_000;
const TIMEOUT_MS_MAX = 600_000;

/** Targets of each signal, by OpenTelemetry's "OTLP Exporter Configuration". */
export function readOtlpConfig({ env, warnings }: ConfigSource) {
  return {
    traces: readTarget({ env, warnings, signal: "TRACES", path: "v1/traces" }),
    logs: readTarget({ env, warnings, signal: "LOGS", path: "v1/logs" }),
  };
}

function readTarget(source: {
  env: ConfigSource["env"];
  warnings: string[];
  signal: "TRACES" | "LOGS";
  path: string;
}): SignalTarget {
  const { env, warnings, signal, path } = source;
  const pick = (name: string) =>
    text(env[`OTEL_EXPORTER_OTLP_${signal}_${name}`]) ?? text(env[`OTEL_EXPORTER_OTLP_${name}`]);
  const protocol = pick("PROTOCOL") ?? "http/protobuf";
  if (protocol !== "http/protobuf") {
    warnings.push(`OTEL_EXPORTER_OTLP_PROTOCOL is "${protocol}", sent is only http/protobuf`);
  }
  const exporter = text(env[`OTEL_${signal}_EXPORTER`]) ?? "otlp";
  if (exporter !== "otlp" && exporter !== "none") {
    warnings.push(`OTEL_${signal}_EXPORTER is "${exporter}", allowed are otlp and none`);
  }
  const compression = pick("COMPRESSION") ?? "none";
  if (compression !== "gzip" && compression !== "none") {
    warnings.push(`OTEL_EXPORTER_OTLP_COMPRESSION is "${compression}", allowed: gzip, none`);
  }
  return {
    enabled: exporter !== "none",
    url: readUrl({ env, warnings, signal, path }),
    headers: {
      ...parsePairs(text(env.OTEL_EXPORTER_OTLP_HEADERS), warnings, "OTEL_EXPORTER_OTLP_HEADERS"),
      ...parsePairs(
        text(env[`OTEL_EXPORTER_OTLP_${signal}_HEADERS`]),
        warnings,
        `OTEL_EXPORTER_OTLP_${signal}_HEADERS`,
      ),
    },
    timeoutMs: readNumber({
      name: "OTEL_EXPORTER_OTLP_TIMEOUT",
      value: pick("TIMEOUT"),
      fallback: DEFAULT_TIMEOUT_MS,
      max: TIMEOUT_MS_MAX,
      warnings,
    }),
    gzip: compression === "gzip",
  };
}

/** The signal's own endpoint is used as it stands; the common one gets the signal's path. */
function readUrl(source: {
  env: ConfigSource["env"];
  warnings: string[];
  signal: string;
  path: string;
}): string {
  const { env, warnings, signal, path } = source;
  const own = text(env[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`]);
  const base = text(env.OTEL_EXPORTER_OTLP_ENDPOINT) ?? DEFAULT_ENDPOINT;
  const wanted = own ?? `${base}${base.endsWith("/") ? "" : "/"}${path}`;
  const url = URL.parse(wanted);
  if (url !== null && (url.protocol === "http:" || url.protocol === "https:")) return url.href;
  warnings.push(`the OTLP endpoint is not an http(s) URL, ${DEFAULT_ENDPOINT} is used`);
  return `${DEFAULT_ENDPOINT}/${path}`;
}
