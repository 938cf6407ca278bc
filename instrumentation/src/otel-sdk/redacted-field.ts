import type { AnyValue, Attributes } from "@opentelemetry/api";
import { fieldName, redactedNumber, redactedText, redactedValue } from "../redaction/redactor.ts";

/**
 * A value without the secrets in it, as the spool's encoder writes it: the SDK's exporters encode
 * by themselves and know of none.
 *
 * @param name of the field it stands in
 */
export function redactedField(name: string, value: AnyValue): AnyValue {
  return redactWithin(fieldName(name).isSecret ? (redactedValue(value) as AnyValue) : value);
}

/** Attributes under names that may be shown. */
export function redactedAttributes(attributes: Attributes): Attributes {
  const entries = Object.entries(attributes);
  return Object.fromEntries(
    entries.map(([name, value]) => [fieldName(name).text, redactedField(name, value)]),
  );
}

function redactWithin(value: AnyValue): AnyValue {
  if (typeof value === "string") return redactedText(value);
  if (typeof value === "number") return redactedNumber(value) as number | string;
  if (Array.isArray(value)) return value.map(redactWithin);
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  return redactedAttributes(value as Attributes);
}
