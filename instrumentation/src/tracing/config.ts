import { type ConfigSource, readNumber, text } from "../config-values.ts";

export interface SpanLimits {
  readonly attributes: number;
  readonly events: number;
  readonly links: number;
  /** Longest string value in characters. */
  readonly valueLength: number;
}

const DEFAULT_COUNT_LIMIT = 128;
const DEFAULT_VALUE_LENGTH = 65_536;
const COUNT_LIMIT_MAX = 10_000;

export const SAMPLERS: readonly string[] = [
  "always_on",
  "always_off",
  "traceidratio",
  "parentbased_always_on",
  "parentbased_always_off",
  "parentbased_traceidratio",
];

/** Sampler and limits, by OpenTelemetry's "Environment Variable Specification". */
export function readTracingConfig(source: ConfigSource) {
  return { ...readSampler(source), spanLimits: readLimits(source) };
}

function readSampler({ env, warnings }: ConfigSource) {
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

function readLimits({ env, warnings }: ConfigSource): SpanLimits {
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
