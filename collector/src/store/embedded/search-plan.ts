/** How a query is answered here: what FTS5, what columns, and what only the records tell. */
import { parseQuery } from "../query-language/parse-query.ts";
import {
  type Condition,
  type Field,
  join,
  type RecordFieldName,
  type SeverityTerm,
  type TextTerm,
} from "../query-language/query.ts";
import { toTextExpression } from "./text-expression.ts";

export interface SearchPlan {
  /** FTS5: at least all that match; undefined where words narrow nothing down. */
  readonly expression: string | undefined;
  /** Each must be in all that match: the columns are asked for them. */
  readonly columns: ReadonlyMap<RecordFieldName, string>;
  readonly severities: readonly SeverityTerm[];
  /** What the rows that were found must still be held against; undefined where it is all said. */
  readonly rest: Condition | undefined;
}

type ColumnTerm = TextTerm & { readonly field: Field & { readonly of: "record" } };

/** @throws ClewError STORE_QUERY_INVALID */
export function planSearch(text: string | undefined): SearchPlan | "nothing" {
  const query = parseQuery(text ?? "");
  if (query.kind === "nothing") return "nothing";
  const parts = query.kind === "everything" ? [] : query.kind === "and" ? query.parts : [query];
  const columns = new Map<RecordFieldName, string>();
  const severities: SeverityTerm[] = [];
  const others: Condition[] = [];
  const ids: ColumnTerm[] = [];
  for (const part of parts) {
    if (part.kind === "severity") severities.push(part);
    else if (!isColumn(part) || columns.has(part.field.name)) others.push(part);
    else columns.set(part.field.name, part.text);
    if (isColumn(part) && part.field.name !== "service") ids.push(part);
  }
  // A transaction's own index leads to fewer rows than words do.
  if (columns.has("transactionId")) {
    return { expression: undefined, columns, severities, rest: join("and", others) };
  }
  const words = splitWords(others);
  if (words.expression === undefined || ids.length === 0) return { ...words, columns, severities };
  // The ids of rows that are found by their words are read with the rest of the record.
  for (const { field } of ids) columns.delete(field.name);
  return { ...splitWords([...others, ...ids]), columns, severities };
}

function splitWords(parts: readonly Condition[]): Pick<SearchPlan, "expression" | "rest"> {
  const whole = join("and", parts);
  if (whole === undefined) return { expression: undefined, rest: undefined };
  const { expression } = toTextExpression(whole);
  if (expression === undefined) return { expression, rest: whole };
  return {
    expression,
    rest: join(
      "and",
      parts.filter((part) => !isSaid(part, parts)),
    ),
  };
}

/** Whether the expression of all parts says all of this one. */
function isSaid(part: Condition, parts: readonly Condition[]): boolean {
  if (toTextExpression(part).isExact) return true;
  // What is not wanted can be said only beside what is.
  const wanted = parts.find((other) => toTextExpression(other).expression !== undefined);
  if (wanted === undefined || wanted === part) return false;
  return part.kind === "not" && toTextExpression(part.part).isExact;
}

function isColumn(part: Condition): part is ColumnTerm {
  return part.kind === "text" && !part.isPrefix && part.field.of === "record";
}
