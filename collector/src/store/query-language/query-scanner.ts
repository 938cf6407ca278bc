/**
 * A search text cut into pieces, each with its place.
 *
 * A backslash before a character that is no letter and no digit takes that as it is (`\"`, `\(`,
 * `\:`, a space …), and stands for itself elsewhere, as in `C:\temp`.
 */
import { invalidQuery } from "./invalid-query.ts";

export type Operator = "and" | "or" | "not";

/** A run of characters; of each it is known whether it was escaped, and so means nothing. */
export interface BareText {
  readonly text: string;
  /** Where in `text` characters stand that were escaped. */
  readonly escaped: ReadonlySet<number>;
}

export type Piece = { readonly at: number } & (
  | { readonly kind: "open" | "close" | "end" }
  | { readonly kind: "operator"; readonly operator: Operator; readonly written: string }
  | { readonly kind: "minus" }
  | { readonly kind: "quoted"; readonly text: string }
  | { readonly kind: "bare"; readonly bare: BareText; readonly isQuoteNext: boolean }
);

const BLANK = /[\s\p{Cc}]/u;
const ESCAPABLE = /[\s!-/:-@[-`{-~]/;
const OPERATORS: ReadonlyMap<string, Operator> = new Map([
  ["AND", "and"],
  ["and", "and"],
  ["OR", "or"],
  ["or", "or"],
  ["NOT", "not"],
  ["not", "not"],
]);

export class QueryScanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  next(): Piece {
    while (this.#at < this.#text.length && BLANK.test(this.#char())) this.#at++;
    const at = this.#at;
    if (at >= this.#text.length) return { kind: "end", at };
    const char = this.#char();
    if (char === "(" || char === ")") {
      this.#at++;
      return { kind: char === "(" ? "open" : "close", at };
    }
    if (char === '"') return { kind: "quoted", at, text: this.quoted() };
    if (char === "-" && this.#isMinus()) {
      this.#at++;
      return { kind: "minus", at };
    }
    return this.#bareOrOperator(at);
  }

  /**
   * Reads a quoted text, the scanner standing at its opening quote.
   * @throws ClewError STORE_QUERY_INVALID where no quote closes it.
   */
  quoted(): string {
    const source = this.#text;
    let text = "";
    for (let i = this.#at + 1; i < source.length; i++) {
      const char = source.charAt(i);
      if (char === '"') {
        this.#at = i + 1;
        return text;
      }
      const next = source.charAt(i + 1);
      const isEscape = char === "\\" && (next === '"' || next === "\\");
      text += isEscape ? next : char;
      if (isEscape) i++;
    }
    throw invalidQuery({ text: source, what: "a closing quote expected", at: source.length });
  }

  #bareOrOperator(at: number): Piece {
    const bare = this.#bare();
    const operator = bare.escaped.size === 0 ? OPERATORS.get(bare.text) : undefined;
    if (operator !== undefined) return { kind: "operator", at, operator, written: bare.text };
    return { kind: "bare", at, bare, isQuoteNext: this.#text.charAt(this.#at) === '"' };
  }

  #bare(): BareText {
    const escaped = new Set<number>();
    let text = "";
    for (; this.#at < this.#text.length; this.#at++) {
      const char = this.#char();
      if (BLANK.test(char) || char === "(" || char === ")" || char === '"') break;
      const next = this.#text.charAt(this.#at + 1);
      if (char === "\\" && ESCAPABLE.test(next)) {
        escaped.add(text.length);
        text += next;
        this.#at++;
      } else text += char;
    }
    return { text, escaped };
  }

  /** A hyphen before a word, a phrase or a bracket; `--option` and a dash alone are text. */
  #isMinus(): boolean {
    const next = this.#text.charAt(this.#at + 1);
    return next !== "" && next !== "-" && next !== ")" && !BLANK.test(next);
  }

  #char(): string {
    return this.#text.charAt(this.#at);
  }
}
