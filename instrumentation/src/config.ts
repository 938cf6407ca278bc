import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";

/** Whether and where one signal is sent. */
export interface SignalTarget {
  readonly enabled: boolean;
  /** Absolute http(s) URL that the export requests are posted to. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly gzip: boolean;
}

export interface SpanLimits {
  readonly attributes: number;
  readonly events: number;
  readonly links: number;
  /** Longest string value in characters. */
  readonly valueLength: number;
}

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
  /** Whether the caller's transaction ID, trace and baggage are taken over. */
  readonly trustInbound: boolean;
  /** Host patterns that may be sent IDs. */
  readonly outboundHosts: readonly string[];
  /** One sentence per variable that was not understood; its default is used. */
  readonly warnings: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

const DEFAULT_ENDPOINT = "http://127.0.0.1:4318";
const DEFAULT_TIMEOUT_MS = 10_000;
const TIMEOUT_MS_MAX = 600_000;
const DEFAULT_COUNT_LIMIT = 128;
const DEFAULT_VALUE_LENGTH = 65_536;
const COUNT_LIMIT_MAX = 10_000;
const PACKAGE_DEPTH_MAX = 64;
const UNKNOWN_SERVICE = "unknown_service:node";

/** `loopback`, `private` and `single-label` stand for whole classes of hosts. */
export const DEFAULT_OUTBOUND_HOSTS: readonly string[] = [
  "loopback",
  "private",
  "single-label",
  "*.svc",
  "*.internal",
];

export const SAMPLERS: readonly string[] = [
  "always_on",
  "always_off",
  "traceidratio",
  "parentbased_always_on",
  "parentbased_always_off",
  "parentbased_traceidratio",
];

/**
 * What the environment says, validated. A wrong value never stops the service: it is named in
 * `warnings` and its default holds. Follows OpenTelemetry's "Environment Variable Specification"
 * and "OTLP Exporter Configuration".
 *
 * @param entry path of the program, for the service name of the nearest package.json
 */
export function readConfig(env: Environment = process.env, entry = process.argv[1]): Config {
  const warnings: string[] = [];
  const resource = parseResource(env.OTEL_RESOURCE_ATTRIBUTES, warnings);
  const { "service.name": resourceName, ...resourceAttributes } = resource;
  return Object.freeze({
    disabled: isTrue(env.OTEL_SDK_DISABLED),
    serviceName: text(env.OTEL_SERVICE_NAME) ?? resourceName ?? packageName(entry),
    hostName: hostname(),
    resourceAttributes,
    traces: readTarget({ env, warnings, signal: "TRACES", path: "v1/traces" }),
    logs: readTarget({ env, warnings, signal: "LOGS", path: "v1/logs" }),
    ...readSampler(env, warnings),
    spanLimits: readLimits(env, warnings),
    trustInbound: readTrust(env, warnings),
    outboundHosts: readHosts(env),
    warnings,
  });
}

function readTarget(source: {
  env: Environment;
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
  env: Environment;
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

function readSampler(env: Environment, warnings: string[]) {
  const sampler = text(env.OTEL_TRACES_SAMPLER) ?? "parentbased_always_on";
  const known = SAMPLERS.includes(sampler);
  if (!known) {
    warnings.push(`OTEL_TRACES_SAMPLER is "${sampler}", allowed are ${SAMPLERS.join(", ")}`);
  }
  const argument = text(env.OTEL_TRACES_SAMPLER_ARG) ?? "1";
  const ratio = Number(argument);
  const valid = ratio >= 0 && ratio <= 1;
  if (!valid) warnings.push(`OTEL_TRACES_SAMPLER_ARG is "${argument}", allowed is 0 to 1`);
  return {
    sampler: known ? sampler : "parentbased_always_on",
    samplerRatio: valid ? ratio : 1,
  };
}

function readLimits(env: Environment, warnings: string[]): SpanLimits {
  const limit = (name: string, fallback: number, max: number) =>
    readNumber({ name, value: text(env[name]), fallback, max, warnings });
  const count = limit("OTEL_ATTRIBUTE_COUNT_LIMIT", DEFAULT_COUNT_LIMIT, COUNT_LIMIT_MAX);
  const length = limit(
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    DEFAULT_VALUE_LENGTH,
    DEFAULT_VALUE_LENGTH,
  );
  return {
    attributes: limit("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", count, COUNT_LIMIT_MAX),
    events: limit("OTEL_SPAN_EVENT_COUNT_LIMIT", DEFAULT_COUNT_LIMIT, COUNT_LIMIT_MAX),
    links: limit("OTEL_SPAN_LINK_COUNT_LIMIT", DEFAULT_COUNT_LIMIT, COUNT_LIMIT_MAX),
    valueLength: limit("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", length, DEFAULT_VALUE_LENGTH),
  };
}

function readTrust(env: Environment, warnings: string[]): boolean {
  const value = text(env.CLEW_TRUST_INBOUND) ?? "1";
  if (value === "0" || value === "false") return false;
  if (value !== "1" && value !== "true") {
    warnings.push(`CLEW_TRUST_INBOUND is "${value}", allowed are 1 and 0`);
  }
  return true;
}

function readHosts(env: Environment): readonly string[] {
  const value = text(env.CLEW_OUTBOUND_HOSTS);
  if (value === undefined) return DEFAULT_OUTBOUND_HOSTS;
  return value
    .split(",")
    .map((host) => host.trim().toLowerCase())
    .filter((host) => host !== "");
}

function readNumber(field: {
  name: string;
  value: string | undefined;
  fallback: number;
  max: number;
  warnings: string[];
}): number {
  const { name, value, fallback, max, warnings } = field;
  if (value === undefined) return fallback;
  const number = Number(value);
  if (Number.isInteger(number) && number >= 0) return Math.min(number, max);
  warnings.push(`${name} is "${value}", allowed are whole numbers from 0`);
  return fallback;
}

function parseResource(value: string | undefined, warnings: string[]): Record<string, string> {
  return parsePairs(text(value), warnings, "OTEL_RESOURCE_ATTRIBUTES");
}

/** `key=value,key=value`, both percent-encoded. Values may be secrets and are never repeated. */
function parsePairs(
  value: string | undefined,
  warnings: string[],
  name: string,
): Record<string, string> {
  const pairs: Record<string, string> = {};
  for (const pair of value?.split(",") ?? []) {
    const equals = pair.indexOf("=");
    if (pair.trim() === "") continue;
    try {
      if (equals < 1) throw new Error("there is no key");
      const key = decodeURIComponent(pair.slice(0, equals).trim());
      pairs[key] = decodeURIComponent(pair.slice(equals + 1).trim());
    } catch {
      warnings.push(`${name} holds a member that is not key=value, it is left out`);
    }
  }
  return pairs;
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

function isTrue(value: string | undefined): boolean {
  return value?.trim().toLowerCase() === "true";
}

/** An empty variable counts as unset, as the specification says. */
function text(value: string | undefined): string | undefined {
  const trimmed = value?.trim();
  return trimmed === undefined || trimmed === "" ? undefined : trimmed;
}
