/** A query as a person would type it: what `parseQuery` reads back as the same. */
import {
  type Condition,
  type Field,
  RECORD_FIELDS,
  type SeverityTerm,
} from "../src/store/query-language/query.ts";

const SEVERITY_MAX = 24;

export function printQuery(condition: Condition): string {
  switch (condition.kind) {
    case "and":
      return condition.parts.map(printPart).join(" and ");
    case "or":
      return condition.parts.map(printPart).join(" or ");
    case "not":
      return `not ${printPart(condition.part)}`;
    case "words": {
      const text = condition.words.join(" ");
      return condition.isPrefix ? `${escaped(text)}*` : quoted(text);
    }
    case "any word":
      return "message:*";
    case "severity":
      return `severity:${printSeverity(condition)}`;
    case "exists":
      return `${printField(condition.field)}:*`;
    case "text": {
      const { field, text, isPrefix } = condition;
      return `${printField(field)}:${isPrefix ? `${escaped(text)}*` : quoted(text)}`;
    }
    case "number":
      return `${printField(condition.field)}:${condition.sign}${condition.number}`;
  }
}

function printPart(condition: Condition): string {
  const text = printQuery(condition);
  return condition.kind === "and" || condition.kind === "or" ? `(${text})` : text;
}

function printField(field: Field): string {
  if (field.of !== "record") return `${field.of}.${escaped(field.key)}`;
  return Object.entries(RECORD_FIELDS).find(([, name]) => name === field.name)?.[0] ?? "";
}

function printSeverity({ least, most }: SeverityTerm): string {
  if (least === most) return String(least);
  if (most === SEVERITY_MAX) return `>=${least}`;
  if (least === 1) return `<=${most}`;
  return ["trace", "debug", "info", "warn", "error"][(least - 1) / 4] ?? "";
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

function escaped(text: string): string {
  return text.replace(/[\s!-/:-@[-`{-~]/g, "\\$&");
}
