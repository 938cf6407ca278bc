import { type ConfigSource, readNumber, text } from "../config-values.ts";
import { TRANSACTION_RATIO } from "./transaction-sampler.ts";

export interface SpanLimits {
  readonly attributes: number;
  readonly events: number;
  readonly links: number;
  /** Attributes of one event, and of one link. */
  readonly eventAttributes: number;
  readonly linkAttributes: number;
  /** Longest string value in characters. */
  readonly valueLength: number;
}

/** Limits of a log record's own attributes. */
export interface LogLimits {
  readonly attributes: number;
  readonly valueLength: number;
}

const DEFAULT_COUNT_LIMIT = 128;
/** Longest value of all, in characters, and the limit where none is set. */
export const VALUE_CHARACTERS_MAX = 65_536;
const COUNT_LIMIT_MAX = 10_000;

export const SAMPLERS: readonly string[] = [
  "always_on",
  "always_off",
  "traceidratio",
  "parentbased_always_on",
  "parentbased_always_off",
  "parentbased_traceidratio",
  TRANSACTION_RATIO,
];

/** Sampler and limits, by OpenTelemetry's "Environment Variable Specification". */
export function readTracingConfig(source: ConfigSource) {
  return { ...readSampler(source), ...readLimits(source) };
}

function readSampler({ env, warnings }: ConfigSource) {
  const sampler = text(env.OTEL_TRACES_SAMPLER)?.toLowerCase() ?? "parentbased_always_on";
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

function readLimits({ env, warnings }: ConfigSource): {
  spanLimits: SpanLimits;
  logLimits: LogLimits | undefined;
} {
  const limit = (name: string, fallback: number, max: number) =>
    readNumber({ name, value: text(env[name]), fallback, max, warnings });
  const count = (name: string, fallback = DEFAULT_COUNT_LIMIT) =>
    limit(name, fallback, COUNT_LIMIT_MAX);
  const length = (name: string, fallback = VALUE_CHARACTERS_MAX) =>
    limit(name, fallback, VALUE_CHARACTERS_MAX);
  const attributes = count("OTEL_ATTRIBUTE_COUNT_LIMIT");
  const valueLength = length("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT");
  return {
    spanLimits: {
      attributes: count("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", attributes),
      events: count("OTEL_SPAN_EVENT_COUNT_LIMIT"),
      links: count("OTEL_SPAN_LINK_COUNT_LIMIT"),
      eventAttributes: count("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT"),
      linkAttributes: count("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT"),
      valueLength: length("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", valueLength),
    },
    logLimits: isAsked(env)
      ? {
          attributes: count("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", attributes),
          valueLength: length("OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", valueLength),
        }
      : undefined,
  };
}

/** Log lines are kept whole unless somebody says otherwise: limiting each costs a copy. */
function isAsked(env: ConfigSource["env"]): boolean {
  const common = ["OTEL_ATTRIBUTE_COUNT_LIMIT", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"];
  const own = [
    "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT",
  ];
  return [...common, ...own].some((name) => text(env[name]) !== undefined);
}
