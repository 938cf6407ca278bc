/**
 * A query (query-language/query.ts) as a clause of Elasticsearch.
 *
 * Some of it the index cannot tell exactly: values that are too long for it, beginnings of phrases,
 * numbers of resources. Of each part two clauses are made, one that finds at least all that match
 * (`most`) and one that finds nothing else (`least`); `not` swaps them. The clause of the whole is
 * its `most`: unless it is exact, what it finds is held against `matches` (matches.ts).
 */

import { sortableHex } from "../../query-language/number-values.ts";
import type {
  AnyWordTerm,
  ComparisonSign,
  Condition,
  Field,
  NumberTerm,
  Query,
  RecordFieldName,
  Term,
  TextTerm,
  WordsTerm,
} from "../../query-language/query.ts";
import { boundsOf, type QueryBounds } from "../../query-language/query-bounds.ts";
import { FIELD } from "../document-fields.ts";
import type { QueryClause } from "./search-client.ts";

/** `everything` and `nothing` for what every record, and what none, matches. */
export type FoundBy = QueryClause | "everything" | "nothing";

type Bounds = QueryBounds<FoundBy>;

const RECORD_FIELD: Readonly<Record<RecordFieldName, string>> = {
  service: FIELD.service,
  transactionId: FIELD.transactionId,
  traceId: FIELD.traceId,
  spanId: FIELD.spanId,
};
const RANGE_OF_SIGN: Readonly<Record<ComparisonSign, string>> = {
  ">": "gt",
  ">=": "gte",
  "<": "lt",
  "<=": "lte",
};
/** Around all that `sortableHex` gives. */
const LOWEST_HEX = "0";
const HIGHEST_HEX = "g";
/** What marks that some keys of a record are not in the index. */
const SOME_KEYS = "*";

export type WordTerm = WordsTerm | AnyWordTerm;

export interface QueryClauses {
  /** Finds at least all records that match. */
  readonly found: FoundBy;
  /** It finds nothing else. */
  readonly isExact: boolean;
  /** Where it may: by which names a hit says which words it has (`matched_queries`). */
  readonly names: ReadonlyMap<WordTerm, string>;
}

export function toQueryClauses(query: Query): QueryClauses {
  if (query.kind === "everything" || query.kind === "nothing") {
    return { found: query.kind, isExact: true, names: new Map() };
  }
  const { least, most } = boundsOf(query, { all, any, none, ofTerm: boundsOfTerm });
  const isExact = JSON.stringify(least) === JSON.stringify(most);
  if (isExact || most === "nothing") return { found: most, isExact, names: new Map() };
  const named = wordTerms(query).flatMap((term, i) => {
    const { least, most } = boundsOfTerm(term);
    return least === most && isClause(most) ? [{ term, name: `w${i}`, clause: most }] : [];
  });
  const should = named.map(({ name, clause }) => ({ bool: { filter: [clause], _name: name } }));
  const filter = [most === "everything" ? { match_all: {} } : most];
  const found = should.length === 0 ? most : { bool: { filter, should, minimum_should_match: 0 } };
  return { found, isExact, names: new Map(named.map(({ term, name }) => [term, name])) };
}

/** The index knows them exactly, and what was indexed better than the record that is read back. */
function wordTerms(condition: Condition): readonly WordTerm[] {
  if (condition.kind === "words" || condition.kind === "any word") return [condition];
  if (condition.kind === "not") return wordTerms(condition.part);
  if (condition.kind !== "and" && condition.kind !== "or") return [];
  return condition.parts.flatMap(wordTerms);
}

function boundsOfTerm(term: Term): Bounds {
  switch (term.kind) {
    case "words":
      return wordsBounds(term);
    case "any word":
      return exactly({ exists: { field: FIELD.words } });
    case "severity":
      return severityBounds(term);
    case "exists":
      return existsBounds(term.field);
    case "text":
      return textBounds(term);
    case "number":
      return numberBounds(term);
  }
}

/** The analyzer parts at spaces only, and the words are what `wordsOf` gives on both sides. */
function wordsBounds({ words, isPrefix }: WordsTerm): Bounds {
  const last = words.at(-1) ?? "";
  if (!isPrefix) return exactly(phrase(words));
  const beginning = { prefix: { [FIELD.words]: { value: last } } };
  if (words.length === 1) return exactly(beginning);
  // A phrase whose end is a beginning is looked up for so many words only as the server allows.
  return { least: "nothing", most: all([phrase(words.slice(0, -1)), beginning]) };
}

function phrase(words: readonly string[]): QueryClause {
  const [word = ""] = words;
  if (words.length === 1) return { term: { [FIELD.words]: { value: word } } };
  return { match_phrase: { [FIELD.words]: { query: words.join(" ") } } };
}

/** A record without a severity has none in its document: it counts as 0. */
function severityBounds({ least, most }: { least: number; most: number }): Bounds {
  if (least > most) return exactly("nothing");
  const range = { range: { [FIELD.severityNumber]: { gte: least, lte: most } } };
  if (least > 0 || most < 0) return exactly(range);
  return exactly(any([range, none({ exists: { field: FIELD.severityNumber } })]));
}

function textBounds({ field, text, isPrefix }: TextTerm): Bounds {
  const name = nameOf(field);
  // No field of a record is ever empty: it is then not there.
  if (field.of === "record" && text === "") return exactly("nothing");
  const least: QueryClause = isPrefix
    ? { prefix: { [name]: { value: text } } }
    : { term: { [name]: { value: text } } };
  return orUnindexed(least, field, { isLongPossible: isPrefix });
}

/** Of a flattened field that is there any value is found by its empty beginning. */
function existsBounds(field: Field): Bounds {
  const name = nameOf(field);
  if (field.of === "record") return exactly({ exists: { field: name } });
  return orUnindexed({ prefix: { [name]: { value: "" } } }, field, { isLongPossible: true });
}

function numberBounds({ field, sign, number }: NumberTerm): Bounds {
  if (field.of !== "attributes") return { least: "nothing", most: existsBounds(field).most };
  // Version 8 takes a range of a flattened field only with both of its ends.
  const end = sign === ">" || sign === ">=" ? { lte: HIGHEST_HEX } : { gte: LOWEST_HEX };
  const range = { ...end, [RANGE_OF_SIGN[sign]]: sortableHex(number) };
  const clause = { range: { [`${FIELD.numbers}.${field.key}`]: range } };
  return orUnindexed(clause, field, { isLongPossible: false });
}

function orUnindexed(
  least: QueryClause,
  field: Field,
  { isLongPossible }: { readonly isLongPossible: boolean },
): Bounds {
  if (field.of === "record") return exactly(least);
  const marks = [`${containerOf(field.of)}.${SOME_KEYS}`];
  if (isLongPossible) marks.push(nameOf(field));
  return { least, most: any([least, { terms: { [FIELD.unindexed]: marks } }]) };
}

function nameOf(field: Field): string {
  if (field.of === "record") return RECORD_FIELD[field.name];
  return `${containerOf(field.of)}.${field.key}`;
}

function containerOf(of: "attributes" | "resource"): string {
  return of === "attributes" ? FIELD.attributes : FIELD.resourceAttributes;
}

function exactly(clause: FoundBy): Bounds {
  return { least: clause, most: clause };
}

function all(clauses: readonly FoundBy[]): FoundBy {
  if (clauses.includes("nothing")) return "nothing";
  const filter = clauses.filter(isClause);
  if (filter.length === 0) return "everything";
  return filter.length === 1 ? (filter[0] ?? "everything") : { bool: { filter } };
}

function any(clauses: readonly FoundBy[]): FoundBy {
  if (clauses.includes("everything")) return "everything";
  const should = clauses.filter(isClause);
  if (should.length === 0) return "nothing";
  return should.length === 1
    ? (should[0] ?? "nothing")
    : { bool: { should, minimum_should_match: 1 } };
}

function none(clause: FoundBy): FoundBy {
  if (clause === "everything") return "nothing";
  return clause === "nothing" ? "everything" : { bool: { must_not: [clause] } };
}

function isClause(found: FoundBy): found is QueryClause {
  return typeof found === "object";
}
