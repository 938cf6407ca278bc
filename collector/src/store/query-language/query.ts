/**
 * What a search text says, once read. Names are words of docs/search.md.
 *
 * `parseQuery` gives one form only: an `and` holds no `and`, an `or` no `or`, each has at least
 * two parts, and `everything` and `nothing` stand alone.
 */
import { LOG_FIELD_TRANSACTION_ID } from "@clew/instrumentation/names";

/** A text field, or a key of attributes; keys of nested maps are joined by dots. */
export type Field =
  | { readonly of: "record"; readonly name: RecordFieldName }
  | { readonly of: "attributes" | "resource"; readonly key: string };

/** By the name before the colon, what a record calls it. */
export const RECORD_FIELDS = {
  service: "service",
  [LOG_FIELD_TRANSACTION_ID]: "transactionId",
  trace_id: "traceId",
  span_id: "spanId",
} as const;
export type RecordFieldName = (typeof RECORD_FIELDS)[keyof typeof RECORD_FIELDS];

export type ComparisonSign = ">" | ">=" | "<" | "<=";

/** Words that follow each other in the record's searched text; the last may be a beginning. */
export interface WordsTerm {
  readonly kind: "words";
  /** As `wordList` gives them; at least one. */
  readonly words: readonly string[];
  readonly isPrefix: boolean;
}

/** A value of the field is this text, or begins with it; case counts. */
export interface TextTerm {
  readonly kind: "text";
  readonly field: Field;
  readonly text: string;
  readonly isPrefix: boolean;
}

/** A value of the field is a number for which this holds. */
export interface NumberTerm {
  readonly kind: "number";
  readonly field: Field;
  readonly sign: ComparisonSign;
  readonly number: number;
}

/** SeverityNumber from `least` to `most`, both inside. */
export interface SeverityTerm {
  readonly kind: "severity";
  readonly least: number;
  readonly most: number;
}

/** The field has a value. */
export interface ExistsTerm {
  readonly kind: "exists";
  readonly field: Field;
}

/** The searched text has a word. */
export interface AnyWordTerm {
  readonly kind: "any word";
}

export type Term = WordsTerm | TextTerm | NumberTerm | SeverityTerm | ExistsTerm | AnyWordTerm;

export type Condition =
  | Term
  | { readonly kind: "and" | "or"; readonly parts: readonly Condition[] }
  | { readonly kind: "not"; readonly part: Condition };

/** `everything`: the text is empty. `nothing`: it holds nothing that can be searched for. */
export type Query = { readonly kind: "everything" } | { readonly kind: "nothing" } | Condition;

/** Joins parts by `and` or `or`; undefined where there are none. */
export function join(kind: "and" | "or", parts: readonly Condition[]): Condition | undefined {
  const flat = parts.flatMap((part) => (part.kind === kind ? part.parts : [part]));
  return flat.length > 1 ? { kind, parts: flat } : flat[0];
}

/** Words, phrases and fields of a query. */
export function countTerms(query: Query): number {
  if (query.kind === "everything" || query.kind === "nothing") return 0;
  if (query.kind === "not") return countTerms(query.part);
  if (query.kind !== "and" && query.kind !== "or") return 1;
  return query.parts.reduce((sum, part) => sum + countTerms(part), 0);
}
