/**
 * The log query language (docs/search.md).
 *
 *     query  = any { "or" any }            any   = part { [ "and" ] part }
 *     part   = ( "not" | "-" ) part | "(" [ query ] ")" | phrase | word [ "*" ] | field
 *     field  = name ":" ( value [ "*" ] | phrase | "*" | ( ">" | ">=" | "<" | "<=" ) number )
 *
 * A piece without any letter or digit cannot be searched for: it is passed over, with the operators
 * beside it, and a text of nothing else finds nothing.
 */
import { type BareField, findBareField } from "./bare-field.ts";
import { foldCodePoint, SEPARATOR } from "./fold-code-point.ts";
import { invalidQuery, refusedQuery } from "./invalid-query.ts";
import { type Condition, join, type Query } from "./query.ts";
import { type BareText, type Piece, QueryScanner } from "./query-scanner.ts";
import { readField } from "./read-field.ts";
import { wordList } from "./words.ts";

export const QUERY_CHARS_MAX = 8192;
/** Words, phrases and fields of one text. Far below the limits of FTS5 and Elasticsearch. */
export const TERMS_MAX = 64;
export const PHRASE_WORDS_MAX = 256;
export const DEPTH_MAX = 32;
/** Stores index values at least as far; a longer one could not be told from its beginning. */
export const VALUE_CHARS_MAX = 1024;

const PART_EXPECTED = `a word, a field or "(" expected`;

/** @throws ClewError STORE_QUERY_INVALID, saying where what was expected. */
export function parseQuery(text: string): Query {
  if (text.length > QUERY_CHARS_MAX) {
    throw refusedQuery(`it is longer than ${QUERY_CHARS_MAX} characters`);
  }
  if (/^[\s\p{Cc}]*$/u.test(text)) return { kind: "everything" };
  return new QueryParser(text).parse() ?? { kind: "nothing" };
}

class QueryParser {
  readonly #text: string;
  readonly #scanner: QueryScanner;
  #piece: Piece;
  #terms = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
    this.#scanner = new QueryScanner(text);
    this.#piece = this.#scanner.next();
  }

  /** Undefined where nothing can be searched for. */
  parse(): Condition | undefined {
    const condition = this.#either();
    if (this.#piece.kind === "close") {
      throw this.#invalid(`")" without a "(" before it,`, this.#piece.at);
    }
    return condition;
  }

  #either(): Condition | undefined {
    const parts = [this.#all()];
    while (this.#isOperator("or")) {
      this.#advance();
      parts.push(this.#all());
    }
    return join("or", defined(parts));
  }

  #all(): Condition | undefined {
    const parts = [this.#part()];
    for (;;) {
      if (this.#isOperator("and")) this.#advance();
      else if (!this.#isPartNext()) return join("and", defined(parts));
      parts.push(this.#part());
    }
  }

  #part(): Condition | undefined {
    const piece = this.#piece;
    if (piece.kind === "minus" || this.#isOperator("not")) return this.#negation();
    if (piece.kind === "open") return this.#brackets();
    if (piece.kind === "quoted") return this.#phrase(piece);
    if (piece.kind === "bare") return this.#bare(piece);
    const isOperator = piece.kind === "operator";
    const hint = isOperator ? ` (in quotes "${piece.written}" is a word)` : "";
    throw this.#invalid(`${PART_EXPECTED}${hint}`, piece.at);
  }

  #negation(): Condition | undefined {
    this.#descend();
    this.#advance();
    const part = this.#part();
    this.#depth--;
    return part === undefined ? undefined : { kind: "not", part };
  }

  #brackets(): Condition | undefined {
    this.#descend();
    this.#advance();
    const condition = this.#is("close") ? undefined : this.#either();
    if (!this.#is("close")) throw this.#invalid(`")" expected`, this.#piece.at);
    this.#depth--;
    this.#advance();
    return condition;
  }

  #phrase(piece: Piece & { kind: "quoted" }): Condition | undefined {
    this.#advance();
    return this.#words({ text: piece.text, isPrefix: false, at: piece.at });
  }

  #bare(piece: Piece & { kind: "bare" }): Condition | undefined {
    const { at, bare, isQuoteNext } = piece;
    const field = findBareField(bare, isQuoteNext);
    if (field !== undefined) return this.#field(field, at);
    this.#advance();
    const isPrefix = isBeginning(bare);
    return this.#words({ text: isPrefix ? bare.text.slice(0, -1) : bare.text, isPrefix, at });
  }

  #words({ text, isPrefix, at }: WordsText): Condition | undefined {
    const words = wordList(text);
    if (words.length > PHRASE_WORDS_MAX) {
      throw this.#invalid(`at most ${PHRASE_WORDS_MAX} words in a row expected`, at);
    }
    return words.length === 0 ? undefined : this.#counted({ kind: "words", words, isPrefix });
  }

  #field(field: BareField, at: number): Condition | undefined {
    const { name, value } = field;
    // The quote begins where the bare text ends: the piece under way is read before the next one.
    const quoted = value.kind === "quoted" ? this.#scanner.quoted() : undefined;
    this.#advance();
    const length = quoted?.length ?? ("text" in value ? value.text.length : 0);
    if (length > VALUE_CHARS_MAX) {
      const what = `a value of at most ${VALUE_CHARS_MAX} characters expected`;
      throw this.#invalid(what, this.#placeOfValue(at));
    }
    const isQuoted = quoted !== undefined;
    const given = isQuoted ? { kind: "text" as const, text: quoted, isPrefix: false } : value;
    const reading = readField(name, given);
    if ("condition" in reading) {
      return reading.condition === undefined ? undefined : this.#counted(reading.condition);
    }
    throw this.#invalid(`${reading.expected} expected`, this.#placeOfValue(at));
  }

  /** Behind the first colon that was not escaped, and the sign of a comparison. */
  #placeOfValue(at: number): number {
    const [name = ""] = /^(?:\\.|[^\\:])*:(?:>=|<=|>|<)?/s.exec(this.#text.slice(at)) ?? [];
    return at + name.length;
  }

  #counted(condition: Condition): Condition {
    if (++this.#terms > TERMS_MAX) throw refusedQuery(`it has more than ${TERMS_MAX} words`);
    return condition;
  }

  #descend(): void {
    if (++this.#depth > DEPTH_MAX) {
      throw this.#invalid(
        `at most ${DEPTH_MAX} brackets within each other expected`,
        this.#piece.at,
      );
    }
  }

  #isPartNext(): boolean {
    const { kind } = this.#piece;
    if (kind === "operator") return this.#isOperator("not");
    return kind !== "close" && kind !== "end";
  }

  #isOperator(operator: string): boolean {
    return this.#piece.kind === "operator" && this.#piece.operator === operator;
  }

  #is(kind: Piece["kind"]): boolean {
    return this.#piece.kind === kind;
  }

  #advance(): void {
    this.#piece = this.#scanner.next();
  }

  #invalid(what: string, at: number) {
    return invalidQuery({ text: this.#text, what, at });
  }
}

interface WordsText {
  readonly text: string;
  readonly isPrefix: boolean;
  readonly at: number;
}

/** A star means a beginning only right behind what is part of a word. */
function isBeginning({ text, escaped }: BareText): boolean {
  if (!text.endsWith("*") || escaped.has(text.length - 1)) return false;
  const last = [...text.slice(0, -1)].at(-1);
  return last !== undefined && foldCodePoint(last.codePointAt(0) ?? 0) !== SEPARATOR;
}

function defined(parts: readonly (Condition | undefined)[]): Condition[] {
  return parts.filter((part) => part !== undefined);
}
