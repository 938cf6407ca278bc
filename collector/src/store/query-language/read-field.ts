/** What the names before a colon stand for, and which values they take. */
import { ATTRIBUTE } from "@clew/instrumentation/names";
import type { BareField } from "./bare-field.ts";
import {
  type ComparisonSign,
  type Condition,
  type Field,
  RECORD_FIELDS,
  type RecordFieldName,
  type SeverityTerm,
} from "./query.ts";
import { wordList } from "./words.ts";

/** Either a condition, or what was expected where the value stands. */
type Reading = { readonly condition: Condition | undefined } | { readonly expected: string };

type TextValue = BareField["value"] & { readonly kind: "text" };

const ATTRIBUTES_PREFIX = "attributes.";
const RESOURCE_PREFIX = "resource.";
const HEX_IDS: readonly RecordFieldName[] = ["traceId", "spanId"];
/** The first SeverityNumber of each name; each has four (OpenTelemetry logs data model). */
const SEVERITIES: ReadonlyMap<string, number> = new Map([
  ["trace", 1],
  ["debug", 5],
  ["info", 9],
  ["warn", 13],
  ["error", 17],
  ["fatal", 21],
]);
const NUMBERS_PER_SEVERITY = 4;
const SEVERITY_MAX = 24;
/** Records without a severity have 0. */
const SEVERITY_LEAST = 1;
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** Undefined as the condition where the value cannot be searched for. */
export function readField(name: string, value: BareField["value"]): Reading {
  if (value.kind === "text") return readEquality(name, value);
  if (value.kind === "comparison") return readComparison(name, value.sign, value.text);
  if (value.kind === "any") return readExistence(name);
  return {
    expected: value.kind === "star" ? `"*" at the end only, or "\\*" for itself,` : "a value",
  };
}

/** `name:value`, `name:"value"` and `name:value*`. */
function readEquality(name: string, value: TextValue): Reading {
  if (name === "message") return readWords(value);
  if (name === "severity") return value.isPrefix ? noSeverity() : readSeverity(value.text);
  const field = fieldOf(name);
  const isHex = field.of === "record" && HEX_IDS.includes(field.name);
  const text = isHex ? value.text.toLowerCase() : value.text;
  return { condition: { kind: "text", field, text, isPrefix: value.isPrefix } };
}

/** `name:*`. */
function readExistence(name: string): Reading {
  if (name === "message") return { condition: { kind: "any word" } };
  if (name === "severity") {
    return { condition: { kind: "severity", least: SEVERITY_LEAST, most: SEVERITY_MAX } };
  }
  return { condition: { kind: "exists", field: fieldOf(name) } };
}

/** `name:>value` and the like. */
function readComparison(name: string, sign: ComparisonSign, text: string): Reading {
  if (name === "severity") return compareSeverity(sign, text);
  const field = fieldOf(name);
  if (name === "message" || field.of === "record") {
    return { expected: `a value (${name} cannot be compared by ${sign})` };
  }
  const number = DECIMAL.test(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(number)) return { expected: "a number" };
  return { condition: { kind: "number", field, sign, number: number === 0 ? 0 : number } };
}

function fieldOf(name: string): Field {
  const recordField = Object.entries(RECORD_FIELDS).find(([known]) => known === name);
  if (recordField !== undefined) return { of: "record", name: recordField[1] };
  if (name === "event") return { of: "attributes", key: ATTRIBUTE.eventName };
  if (name.startsWith(RESOURCE_PREFIX)) {
    return { of: "resource", key: name.slice(RESOURCE_PREFIX.length) };
  }
  const isLong = name.startsWith(ATTRIBUTES_PREFIX);
  return { of: "attributes", key: isLong ? name.slice(ATTRIBUTES_PREFIX.length) : name };
}

function readWords({ text, isPrefix }: TextValue): Reading {
  const words = wordList(text);
  return { condition: words.length === 0 ? undefined : { kind: "words", words, isPrefix } };
}

function readSeverity(text: string): Reading {
  const first = SEVERITIES.get(text.toLowerCase());
  if (first !== undefined) return range(first, first + NUMBERS_PER_SEVERITY - 1);
  const number = severityNumber(text);
  return number === undefined ? noSeverity() : range(number, number);
}

/** A name stands for its four numbers: above `warn` is `error`, and `warn4` is not. */
function compareSeverity(sign: ComparisonSign, text: string): Reading {
  const first = SEVERITIES.get(text.toLowerCase()) ?? severityNumber(text);
  if (first === undefined) return noSeverity();
  const last = SEVERITIES.has(text.toLowerCase()) ? first + NUMBERS_PER_SEVERITY - 1 : first;
  if (sign === ">=") return range(first, SEVERITY_MAX);
  if (sign === ">") return range(last + 1, SEVERITY_MAX);
  return range(SEVERITY_LEAST, sign === "<" ? first - 1 : last);
}

function severityNumber(text: string): number | undefined {
  const number = /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
  return number <= SEVERITY_MAX ? number : undefined;
}

function range(least: number, most: number): { condition: SeverityTerm } {
  return { condition: { kind: "severity", least, most } };
}

function noSeverity(): Reading {
  return { expected: `a severity (${[...SEVERITIES.keys()].join(", ")} or 0 to ${SEVERITY_MAX})` };
}
