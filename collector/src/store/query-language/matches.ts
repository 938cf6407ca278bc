/**
 * What a query means: whether one record matches. Every store answers as this does; what a store
 * cannot ask its index for it filters by this.
 */
import type { StoredRecord } from "../../record.ts";
import { type Scalar, textOfScalar, valuesAt } from "./attribute-values.ts";
import { findNumber } from "./number-values.ts";
import type {
  AnyWordTerm,
  ComparisonSign,
  Condition,
  Field,
  Query,
  TextTerm,
  WordsTerm,
} from "./query.ts";
import { type SearchedRecord, searchedText } from "./searched-text.ts";
import { wordsOf } from "./words.ts";

/** What a query can ask of a record. */
export type QueriedRecord = SearchedRecord &
  Pick<
    StoredRecord,
    "service" | "severityNumber" | "transactionId" | "traceId" | "spanId" | "resource"
  >;

/** What a store knows of the words that were indexed, better than the record tells. */
export interface KnownWords {
  /** The text that words are searched in. */
  readonly text?: () => string;
  /** What the index says of these words; undefined where it was not asked. */
  readonly found?: (term: WordsTerm | AnyWordTerm) => boolean | undefined;
}

export function matches(query: Query, record: QueriedRecord, known: KnownWords = {}): boolean {
  if (query.kind === "everything") return true;
  return query.kind !== "nothing" && new Evaluation(record, known).holds(query);
}

/** One record; its words are made out once, where they are asked for. */
class Evaluation {
  readonly #record: QueriedRecord;
  readonly #known: KnownWords;
  #words: string | undefined;

  constructor(record: QueriedRecord, known: KnownWords) {
    this.#record = record;
    this.#known = known;
  }

  holds(condition: Condition): boolean {
    switch (condition.kind) {
      case "and":
        return condition.parts.every((part) => this.holds(part));
      case "or":
        return condition.parts.some((part) => this.holds(part));
      case "not":
        return !this.holds(condition.part);
      case "words":
      case "any word":
        return this.#known.found?.(condition) ?? this.#hasWords(condition);
      case "severity": {
        const { severityNumber } = this.#record;
        return severityNumber >= condition.least && severityNumber <= condition.most;
      }
      case "exists":
        return this.#values(condition.field).length > 0;
      case "text":
        return this.#values(condition.field).some((value) => isText(condition, value));
      case "number":
        return this.#values(condition.field).some((value) => {
          const number = findNumber(value);
          return number !== undefined && compares(number, condition.sign, condition.number);
        });
    }
  }

  #hasWords(term: WordsTerm | AnyWordTerm): boolean {
    this.#words ??= ` ${wordsOf(this.#known.text?.() ?? searchedText(this.#record))} `;
    if (term.kind === "any word") return this.#words !== "  ";
    return this.#words.includes(` ${term.words.join(" ")}${term.isPrefix ? "" : " "}`);
  }

  #values(field: Field): readonly Scalar[] {
    if (field.of === "record") return present(this.#record[field.name]);
    return valuesAt(this.#record[field.of], field.key);
  }
}

function present(value: string | null): readonly string[] {
  return value === null || value === "" ? [] : [value];
}

function isText({ text, isPrefix }: TextTerm, value: Scalar): boolean {
  const found = textOfScalar(value);
  return isPrefix ? found.startsWith(text) : found === text;
}

function compares(number: number, sign: ComparisonSign, other: number): boolean {
  if (sign === ">") return number > other;
  if (sign === ">=") return number >= other;
  return sign === "<" ? number < other : number <= other;
}
