import type { RecordKind, StoredRecord } from "../../../src/record.ts";

export interface RecordFilter {
  readonly kind: RecordKind | "";
  readonly service: string;
  /** Least SeverityNumber; 0 for all. Spans pass it only where they failed. */
  readonly minSeverity: number;
  /** Words that all have to be in the record, attributes included; case does not count. */
  readonly text: string;
}

/** The severities a person asks for, by OTLP's SeverityNumber. */
export const SEVERITIES = [
  { name: "debug", number: 5 },
  { name: "info", number: 9 },
  { name: "warn", number: 13 },
  { name: "error", number: 17 },
] as const;

export function severityNumber(name: string): number {
  return SEVERITIES.find((severity) => severity.name === name)?.number ?? 0;
}

export function matchesFilter(record: StoredRecord, filter: RecordFilter): boolean {
  if (filter.kind !== "" && record.kind !== filter.kind) return false;
  if (filter.service !== "" && record.service !== filter.service) return false;
  if (filter.minSeverity > 0 && !isAsSevere(record, filter.minSeverity)) return false;
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const text = searchText(record);
  return words.every((word) => text.includes(word));
}

/** What a record is called in a list: ERROR, WARN, … for logs, `span` and its kind for spans. */
export function severityName(record: StoredRecord): string {
  if (record.span !== null) return record.isError ? "ERROR" : "SPAN";
  if (record.severityText !== "") return record.severityText.toUpperCase();
  const index = Math.ceil(record.severityNumber / 4) - 1;
  return ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"][index] ?? "–";
}

/** The tone of a severity, for the eye. */
export function severityTone(record: StoredRecord): string {
  if (record.isError) return "red";
  if (record.span !== null) return "violet";
  if (record.severityNumber >= 13) return "amber";
  return record.severityNumber >= 9 ? "blue" : "grey";
}

function isAsSevere(record: StoredRecord, minSeverity: number): boolean {
  if (record.span !== null) return record.isError && minSeverity <= 17;
  return record.severityNumber >= minSeverity;
}

/** Made once per record: typing in the filter looks through thousands of them per key. */
const searchTexts = new WeakMap<StoredRecord, string>();

function searchText(record: StoredRecord): string {
  const known = searchTexts.get(record);
  if (known !== undefined) return known;
  const { message, service, severityText, traceId, spanId, attributes, body, span } = record;
  const made = [message, service, severityText, traceId, spanId, span?.statusMessage]
    .concat(JSON.stringify([attributes, body, span?.events ?? []]))
    .join("\n")
    .toLowerCase();
  searchTexts.set(record, made);
  return made;
}
