import { readFileSync } from "node:fs";
import { type ConfigSource, parsePairs, readList, readNumber, text } from "../config-values.ts";

/** PEM texts for connections to the collector; each is left out where its variable is unset. */
export interface TlsSettings {
  /** Certificates that are trusted instead of the system's. */
  readonly ca?: string;
  /** The client's own certificate and key, where the server asks for one. */
  readonly cert?: string;
  readonly key?: string;
}

/** Whether and where one signal is sent. */
export interface SignalTarget {
  /** Whether records of this signal go through the spool, as OTLP over http/protobuf. */
  readonly enabled: boolean;
  /** Absolute http(s) URL that the export requests are posted to. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly gzip: boolean;
  readonly tls?: TlsSettings | undefined;
}

/** An exporter of OpenTelemetry's SDK that a signal goes to beside the spool, or instead of it. */
export type SdkExporter = "console" | "otlp-grpc" | "otlp-http-json" | "zipkin" | "prometheus";

type SignalName = "TRACES" | "LOGS" | "METRICS";

const DEFAULT_ENDPOINT = "http://127.0.0.1:4318";
const DEFAULT_TIMEOUT_MS = 10_000;
const TIMEOUT_MS_MAX = 600_000;
const PROTOCOLS: Readonly<Record<string, "spool" | SdkExporter>> = {
  "http/protobuf": "spool",
  "http/json": "otlp-http-json",
  grpc: "otlp-grpc",
};
const EXPORTERS: Readonly<Record<SignalName, readonly string[]>> = {
  TRACES: ["otlp", "console", "zipkin", "none"],
  LOGS: ["otlp", "console", "none"],
  METRICS: ["otlp", "console", "prometheus", "none"],
};

/** Targets of each signal, by OpenTelemetry's "OTLP Exporter Configuration". */
export function readOtlpConfig(source: ConfigSource) {
  const traces = readExporters(source, "TRACES");
  const logs = readExporters(source, "LOGS");
  return {
    traces: readTarget({ ...source, signal: "TRACES", path: "v1/traces" }, traces.isSpooled),
    logs: readTarget({ ...source, signal: "LOGS", path: "v1/logs" }, logs.isSpooled),
    traceExporters: traces.others,
    logExporters: logs.others,
  };
}

export interface SignalExporters {
  /** Whether OTLP over http/protobuf is among them. */
  readonly isSpooled: boolean;
  readonly others: readonly SdkExporter[];
}

/** `OTEL_*_EXPORTER`, a list; `none` among others wins, an unknown one is named and left out. */
export function readExporters(source: ConfigSource, signal: SignalName): SignalExporters {
  const name = `OTEL_${signal}_EXPORTER`;
  const known = EXPORTERS[signal];
  const wanted = readList(source.env[name]).map((exporter) => exporter.toLowerCase());
  for (const exporter of wanted.filter((value) => !known.includes(value))) {
    source.warnings.push(`${name} is "${exporter}", allowed are ${known.join(", ")}`);
  }
  const found = new Set(wanted.filter((exporter) => known.includes(exporter)));
  if (found.has("none")) return { isSpooled: false, others: [] };
  if (found.size === 0) found.add("otlp");
  const otlp = found.has("otlp") ? readProtocol(source, signal) : undefined;
  found.delete("otlp");
  const others = [...found] as SdkExporter[];
  if (otlp === undefined) return { isSpooled: false, others };
  return otlp === "spool"
    ? { isSpooled: true, others }
    : { isSpooled: false, others: [otlp, ...others] };
}

function readProtocol({ env, warnings }: ConfigSource, signal: SignalName): "spool" | SdkExporter {
  const own = `OTEL_EXPORTER_OTLP_${signal}_PROTOCOL`;
  const name = text(env[own]) === undefined ? "OTEL_EXPORTER_OTLP_PROTOCOL" : own;
  const value = text(env[name])?.toLowerCase() ?? "http/protobuf";
  const protocol = PROTOCOLS[value];
  if (protocol !== undefined) return protocol;
  warnings.push(`${name} is "${value}", allowed are ${Object.keys(PROTOCOLS).join(", ")}`);
  return "spool";
}

interface TargetSource extends ConfigSource {
  readonly signal: "TRACES" | "LOGS";
  readonly path: string;
}

function readTarget(source: TargetSource, isSpooled: boolean): SignalTarget {
  const { env, warnings, signal } = source;
  const headers = (name: string) => parsePairs(text(env[name]), warnings, name);
  const tls = isSpooled ? readTls(source) : undefined;
  const timeout = pick(source, "TIMEOUT");
  return {
    enabled: isSpooled,
    // The exporter for gRPC reads its endpoint itself, and needs no scheme in it.
    url: isSpooled ? readUrl(source) : `${DEFAULT_ENDPOINT}/${source.path}`,
    headers: {
      ...headers("OTEL_EXPORTER_OTLP_HEADERS"),
      ...headers(`OTEL_EXPORTER_OTLP_${signal}_HEADERS`),
    },
    timeoutMs: readNumber({
      ...timeout,
      fallback: DEFAULT_TIMEOUT_MS,
      max: TIMEOUT_MS_MAX,
      warnings,
    }),
    gzip: readCompression(source) === "gzip",
    ...(tls === undefined ? {} : { tls }),
  };
}

/** The signal's own variable, else the one for all signals. */
function pick({ env, signal }: TargetSource, part: string) {
  const own = `OTEL_EXPORTER_OTLP_${signal}_${part}`;
  const name = text(env[own]) === undefined ? `OTEL_EXPORTER_OTLP_${part}` : own;
  return { name, value: text(env[name]) };
}

function readCompression(source: TargetSource): string {
  const { name, value = "none" } = pick(source, "COMPRESSION");
  const wanted = value.toLowerCase();
  if (wanted === "gzip" || wanted === "none") return wanted;
  source.warnings.push(`${name} is "${value}", allowed: gzip, none`);
  return "none";
}

/** Files of certificates. One that cannot be read is named, and the connection does without it. */
function readTls(source: TargetSource): TlsSettings | undefined {
  const ca = readFile(source, "CERTIFICATE");
  const cert = readFile(source, "CLIENT_CERTIFICATE");
  const key = readFile(source, "CLIENT_KEY");
  if ((cert === undefined) !== (key === undefined)) {
    const missing = cert === undefined ? "CLIENT_CERTIFICATE" : "CLIENT_KEY";
    const sentence = `OTEL_EXPORTER_OTLP_${missing} is missing, the client shows no certificate`;
    source.warnings.push(sentence);
  }
  const own = cert === undefined || key === undefined ? {} : { cert, key };
  const tls = { ...(ca === undefined ? {} : { ca }), ...own };
  return Object.keys(tls).length === 0 ? undefined : tls;
}

function readFile(source: TargetSource, part: string): string | undefined {
  const { name, value } = pick(source, part);
  if (value === undefined) return undefined;
  try {
    return readFileSync(value, "utf8");
  } catch {
    source.warnings.push(`${name} names a file that cannot be read, it is left out`);
    return undefined;
  }
}

/** The signal's own endpoint is used as it stands; the common one gets the signal's path. */
function readUrl({ env, warnings, signal, path }: TargetSource): string {
  const own = text(env[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`]);
  const base = text(env.OTEL_EXPORTER_OTLP_ENDPOINT) ?? DEFAULT_ENDPOINT;
  const wanted = own ?? `${base}${base.endsWith("/") ? "" : "/"}${path}`;
  const url = URL.parse(wanted);
  if (url !== null && (url.protocol === "http:" || url.protocol === "https:")) return url.href;
  warnings.push(`the OTLP endpoint is not an http(s) URL, ${DEFAULT_ENDPOINT} is used`);
  return `${DEFAULT_ENDPOINT}/${path}`;
}
