import type { Attributes } from "@opentelemetry/api";
import { redactedText } from "../redaction/redactor.ts";
import { type LogLimits, VALUE_CHARACTERS_MAX } from "./config.ts";

/** How many attributes one event or link may have, and how long their strings may be. */
interface AttributeLimits {
  readonly count: number;
  readonly valueLength: number;
}

/** The first attributes, as many as the limit allows. Most have few, and are only counted. */
export function limitAttributes(
  attributes: Attributes | undefined,
  { count, valueLength }: AttributeLimits,
): Attributes {
  const kept: Attributes = {};
  let left = count;
  for (const key in attributes) {
    const value = attributes[key];
    if (value === undefined || value === null) continue;
    if (left-- > 0) kept[key] = cutValue(value, valueLength);
  }
  return kept;
}

/**
 * A value under a limit that the service set itself. What is longer than the limit that always
 * holds is left to the encoder, which puts a mark where it cuts.
 */
export function cutValue<V>(value: V, characters: number): V {
  if (characters >= VALUE_CHARACTERS_MAX) return value;
  if (typeof value === "string") return cutText(value, characters) as V & string;
  return Array.isArray(value) ? (value.map((part) => cutValue(part, characters)) as V) : value;
}

/** Redacted before it is cut, or half a secret could be left that nobody recognises any more. */
function cutText(text: string, characters: number): string {
  return text.length > characters ? redactedText(text).slice(0, characters) : text;
}

type Sources = readonly Readonly<Record<string, unknown>>[];

/**
 * A log record's attributes under `OTEL_LOGRECORD_*`. Of a key that several sources have, the last
 * one's value counts. A service sets these limits seldom, so this may cost a copy.
 */
export function limitLogAttributes(sources: Sources, limits: LogLimits): Sources {
  const merged: Record<string, unknown> = {};
  let left = limits.attributes;
  for (const source of sources) {
    for (const key in source) {
      const value = source[key];
      if (value === undefined) continue;
      if (!Object.hasOwn(merged, key) && left-- <= 0) continue;
      merged[key] = cutValue(value, limits.valueLength);
    }
  }
  return [merged];
}
