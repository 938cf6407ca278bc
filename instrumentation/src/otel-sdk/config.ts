import { type ConfigSource, readList, readNumber, text } from "../config-values.ts";
import { readExporters, type SdkExporter } from "../otlp/config.ts";

/** Figures of a queue in front of one exporter of OpenTelemetry's SDK. */
export interface BatchSettings {
  readonly queueRecords: number;
  readonly batchRecords: number;
  readonly delayMs: number;
  readonly timeoutMs: number;
}

export interface SdkSettings {
  /** Whether anything is asked for that needs OpenTelemetry's SDK: it costs time to load. */
  readonly isNeeded: boolean;
  readonly traceExporters: readonly SdkExporter[];
  readonly logExporters: readonly SdkExporter[];
  /** Names of `OTEL_PROPAGATORS`; undefined where they are the default ones. */
  readonly propagators: readonly string[] | undefined;
  /** Whether meters of `@opentelemetry/api` record anything. */
  readonly metrics: "off" | "lazy" | "at-start";
  readonly spanBatches: BatchSettings;
  readonly logBatches: BatchSettings;
  /** `OTEL_NODE_RESOURCE_DETECTORS`; undefined: the attributes that are always there. */
  readonly detectors: readonly string[] | undefined;
  readonly logLevel: LogLevel;
}

/** From which level on the SDK's own messages are shown. */
export type LogLevel = (typeof LOG_LEVELS)[number];

const LOG_LEVELS = ["none", "error", "warn", "info", "debug", "verbose", "all"] as const;
const DEFAULT_LOG_LEVEL: LogLevel = "info";
const PROPAGATORS = ["tracecontext", "baggage", "b3", "b3multi", "none"];
const DETECTORS = ["all", "none", "env", "host", "os", "process", "serviceinstance"];
/** Variables of the specification that change nothing here, and what to do instead. */
const UNSUPPORTED: readonly (readonly [name: string, advice: string])[] = [
  ["OTEL_CONFIG_FILE", "say it by variables, or start an SDK of your own with the parts"],
  ["OTEL_ENTITIES", "use OTEL_RESOURCE_ATTRIBUTES"],
  ["OTEL_METRICS_EXEMPLAR_FILTER", "the SDK for Node.js keeps no exemplars"],
];
const QUEUE_RECORDS_MAX = 1_000_000;
const TIME_MS_MAX = 600_000;
const DEFAULT_QUEUE_RECORDS = 2048;
const DEFAULT_BATCH_RECORDS = 512;
const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_SPAN_DELAY_MS = 5000;
const DEFAULT_LOG_DELAY_MS = 1000;

/** What is asked for beyond traces and logs over http/protobuf with W3C propagation. */
export function readSdkConfig(
  source: ConfigSource,
  exporters: Pick<SdkSettings, "traceExporters" | "logExporters">,
): SdkSettings {
  const { traceExporters, logExporters } = exporters;
  warnOfUnsupported(source);
  const propagators = readPropagators(source);
  const detectors = readDetectors(source);
  const isAsked = [propagators, detectors].some((setting) => setting !== undefined);
  return {
    isNeeded: isAsked || traceExporters.length > 0 || logExporters.length > 0,
    traceExporters,
    logExporters,
    propagators,
    detectors,
    metrics: readMetrics(source),
    spanBatches: readBatches(source, { isOfSpans: true, delayMs: DEFAULT_SPAN_DELAY_MS }),
    logBatches: readBatches(source, { isOfSpans: false, delayMs: DEFAULT_LOG_DELAY_MS }),
    logLevel: readLogLevel(source),
  };
}

function warnOfUnsupported({ env, warnings }: ConfigSource): void {
  for (const [name, advice] of UNSUPPORTED) {
    const value = text(env[name]);
    // Without exemplars, "no exemplars" is what happens.
    if (value === undefined || value === "always_off") continue;
    warnings.push(`${name} is not supported and changes nothing; ${advice}`);
  }
}

/** Undefined for the default, in any order; an empty list for `none`. */
function readPropagators({ env, warnings }: ConfigSource): readonly string[] | undefined {
  const wanted = [...new Set(readList(env.OTEL_PROPAGATORS).map((name) => name.toLowerCase()))];
  const known = wanted.filter((name) => PROPAGATORS.includes(name));
  for (const name of wanted.filter((value) => !known.includes(value))) {
    warnings.push(`OTEL_PROPAGATORS is "${name}", allowed are ${PROPAGATORS.join(", ")}`);
  }
  if (known.length === 0) return undefined;
  if (known.includes("none")) return [];
  const isDefault = known.toSorted().join() === "baggage,tracecontext";
  return isDefault ? undefined : known;
}

function readDetectors({ env, warnings }: ConfigSource): readonly string[] | undefined {
  const name = "OTEL_NODE_RESOURCE_DETECTORS";
  const wanted = readList(env[name]).map((detector) => detector.toLowerCase());
  const known = wanted.filter((detector) => DETECTORS.includes(detector));
  for (const detector of wanted.filter((value) => !known.includes(value))) {
    warnings.push(`${name} is "${detector}", allowed are ${DETECTORS.join(", ")}`);
  }
  return known.length === 0 ? undefined : known;
}

/** A port for Prometheus must be open before anybody makes a meter; all else can wait for one. */
function readMetrics(source: ConfigSource): SdkSettings["metrics"] {
  const { isSpooled, others } = readExporters(source, "METRICS");
  if (others.includes("prometheus")) return "at-start";
  return isSpooled || others.length > 0 ? "lazy" : "off";
}

/** `OTEL_BSP_*` for spans, `OTEL_BLRP_*` for log records. */
function readBatches(
  { env, warnings }: ConfigSource,
  of: { isOfSpans: boolean; delayMs: number },
): BatchSettings {
  const read = (part: string, fallback: number, max: number) => {
    const name = of.isOfSpans ? `OTEL_BSP_${part}` : `OTEL_BLRP_${part}`;
    return readNumber({ name, value: text(env[name]), fallback, max, warnings });
  };
  const queueRecords = read("MAX_QUEUE_SIZE", DEFAULT_QUEUE_RECORDS, QUEUE_RECORDS_MAX);
  const batchRecords = read("MAX_EXPORT_BATCH_SIZE", DEFAULT_BATCH_RECORDS, QUEUE_RECORDS_MAX);
  return {
    queueRecords: Math.max(1, queueRecords),
    // "Must be less than or equal to the queue size."
    batchRecords: Math.max(1, Math.min(batchRecords, queueRecords)),
    delayMs: read("SCHEDULE_DELAY", of.delayMs, TIME_MS_MAX),
    timeoutMs: Math.max(1, read("EXPORT_TIMEOUT", DEFAULT_TIMEOUT_MS, TIME_MS_MAX)),
  };
}

function readLogLevel({ env, warnings }: ConfigSource): LogLevel {
  const value = text(env.OTEL_LOG_LEVEL)?.toLowerCase() ?? DEFAULT_LOG_LEVEL;
  const level = LOG_LEVELS.find((known) => known === value);
  if (level !== undefined) return level;
  warnings.push(`OTEL_LOG_LEVEL is "${value}", allowed are ${LOG_LEVELS.join(", ")}`);
  return DEFAULT_LOG_LEVEL;
}
