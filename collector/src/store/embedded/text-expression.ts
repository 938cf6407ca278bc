/**
 * A query's words as an expression of FTS5 (sqlite.org/fts5.html §3). Every word is a quoted string
 * there, so nothing that a person types is ever read as an operator.
 */
import type { Condition, Term, WordsTerm } from "../query-language/query.ts";
import { boundsOf, type QueryBounds } from "../query-language/query-bounds.ts";
import { WORD_UNITS_MAX } from "../query-language/words.ts";

/** Rows that match `text`, or all others: FTS5 itself knows only "this and not that". */
interface Expression {
  readonly text: string;
  readonly isNegated: boolean;
}

type FoundBy = Expression | "everything" | "nothing";

type Bounds = QueryBounds<FoundBy>;

export interface TextExpression {
  /** Finds at least all rows that match; undefined where the words alone narrow nothing down. */
  readonly expression: string | undefined;
  /** Finds exactly those. */
  readonly isExact: boolean;
}

export function toTextExpression(condition: Condition): TextExpression {
  const { least, most } = boundsOf(condition, { all, any, none: negate, ofTerm: boundsOfTerm });
  if (typeof most === "string" || most.isNegated) return { expression: undefined, isExact: false };
  const isExact = typeof least === "object" && !least.isNegated && least.text === most.text;
  return { expression: most.text, isExact };
}

/** Of what is no word of the text the index says nothing. */
function boundsOfTerm(term: Term): Bounds {
  return term.kind === "words" ? wordsBounds(term) : { least: "nothing", most: "everything" };
}

/**
 * FTS5 keeps words whole that count only so far. Of such a word all that begin so match, which it
 * can say of the last word of a phrase only.
 */
function wordsBounds({ words, isPrefix }: WordsTerm): Bounds {
  const pieces: Expression[] = [];
  let piece: string[] = [];
  for (const [i, word] of words.entries()) {
    piece.push(word);
    const isLast = i === words.length - 1;
    const isLong = word.length >= WORD_UNITS_MAX;
    if (!isLong && !isLast) continue;
    const star = isLong || isPrefix ? "*" : "";
    pieces.push({ text: `"${piece.join(" ")}"${star}`, isNegated: false });
    piece = [];
  }
  const most = all(pieces);
  return { least: pieces.length === 1 ? most : "nothing", most };
}

function all(parts: readonly FoundBy[]): FoundBy {
  if (parts.includes("nothing")) return "nothing";
  const expressions = parts.filter((part) => typeof part === "object");
  const wanted = expressions.filter(({ isNegated }) => !isNegated);
  const unwanted = expressions.filter(({ isNegated }) => isNegated);
  if (unwanted.length === 0) return wanted.length === 0 ? "everything" : joined("AND", wanted);
  const without = joined("OR", unwanted);
  if (wanted.length === 0) return { ...without, isNegated: true };
  return { text: `(${joined("AND", wanted).text} NOT ${without.text})`, isNegated: false };
}

function any(parts: readonly FoundBy[]): FoundBy {
  return negate(all(parts.map(negate)));
}

function negate(part: FoundBy): FoundBy {
  if (part === "everything") return "nothing";
  if (part === "nothing") return "everything";
  return { ...part, isNegated: !part.isNegated };
}

function joined(operator: "AND" | "OR", [first, ...others]: readonly Expression[]): Expression {
  const texts = [first?.text ?? '""', ...others.map(({ text }) => text)];
  const text = texts.length === 1 ? (texts[0] ?? "") : `(${texts.join(` ${operator} `)})`;
  return { text, isNegated: false };
}
