import { expect, it } from "vitest";
import { parseQuery } from "../query-language/parse-query.ts";
import type { Condition } from "../query-language/query.ts";
import { toTextExpression } from "./text-expression.ts";

const check = (query: string, expression: string | undefined, isExact: boolean) => {
  const want = { expression, isExact };
  expect(toTextExpression(parseQuery(query) as Condition), query).toEqual(want);
};

it("writes words as quoted strings, and says all that they say", () => {
  check("card", '"card"', true);
  check('"a b" c*', '("a b" AND "c"*)', true);
  check("a (b or c) -d", '(("a" AND ("b" OR "c")) NOT "d")', true);
  check("a or (b -c)", '("a" OR ("b" NOT "c"))', true);
  check("-(-a)", '"a"', true);
  check("-a", undefined, false);
  check("a or -b", undefined, false);
});

it("finds at least what matches where other terms are beside them", () => {
  check("a k:v", '"a"', false);
  check("a or k:v", undefined, false);
  check("-(a or k:v) b", '("b" NOT "a")', false);
  check("-(a k:v) b", '"b"', false);
  check("k:v", undefined, false);
});
