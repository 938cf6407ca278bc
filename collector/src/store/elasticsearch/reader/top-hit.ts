/**
 * The first record of a bucket in some order. Elasticsearch's `min` and `max` know times to the
 * millisecond only; what it reads from the fields of one document is exact.
 */
import { FIELD, LETTER_FIELD } from "../document-fields.ts";
import type { Aggregation, Fields } from "./search-client.ts";
import { parseTime, TIME_FORMAT } from "./time-text.ts";

export interface TopHits {
  readonly hits: { readonly hits: readonly { readonly fields?: Fields }[] };
}

export interface Counted {
  readonly doc_count: number;
}

export interface Buckets<Bucket> {
  readonly buckets: readonly Bucket[];
}

const TIMES: ReadonlySet<string> = new Set([
  FIELD.time,
  FIELD.received,
  FIELD.end,
  FIELD.numbered,
  FIELD.deadline,
  FIELD.runFirstSeen,
  FIELD.runLastSeen,
  LETTER_FIELD.received,
]);
const NUMBERS: ReadonlySet<string> = new Set([FIELD.sequence, FIELD.runMade]);

/** @param order fields by which the first one is first, `-` before those that descend. */
export function topHit(order: readonly string[], fields: readonly string[]): Aggregation {
  return {
    top_hits: {
      size: 1,
      _source: false,
      sort: order.map(toSort),
      docvalue_fields: docValues(fields),
    },
  };
}

/** An index that holds no record with the field may not know it. */
export function toSort(name: string) {
  const field = name.startsWith("-") ? name.slice(1) : name;
  const order = field === name ? ("asc" as const) : ("desc" as const);
  return { [field]: { order, unmapped_type: typeOf(field) } };
}

export function docValues(fields: readonly string[]) {
  return fields.map((field) => (TIMES.has(field) ? { field, format: TIME_FORMAT } : { field }));
}

/** Undefined where the bucket holds no record. */
export function fieldsOf(found: TopHits): Fields | undefined {
  return found.hits.hits[0]?.fields;
}

export function timeOf(fields: Fields, name: string): bigint {
  return parseTime(textOf(fields, name));
}

/** Empty where the record has no such field. */
export function textOf(fields: Fields, name: string): string {
  return String(fields[name]?.[0] ?? "");
}

function typeOf(field: string): "date_nanos" | "long" | "keyword" {
  if (TIMES.has(field)) return "date_nanos";
  return NUMBERS.has(field) ? "long" : "keyword";
}
