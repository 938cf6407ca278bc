import { expect, it } from "vitest";
import { parseQuery } from "../query-language/parse-query.ts";
import type { Condition } from "../query-language/query.ts";
import { NEEDLES_MAX, needlesOf } from "./payload-needles.ts";

const needles = (query: string) => needlesOf(parseQuery(query) as Condition).map(String);

it("names bytes that every payload holds which matches", () => {
  const check = (query: string, want: string[]) => expect(needles(query), query).toEqual(want);
  check("user.id:42", ["user", "id"]);
  check('user.name:"Ada L"', ["Ada L", "user", "name"]);
  check("k:/api/* card", ["k"]);
  check("k:a_b*", ["a_b", "k"]);
  check("attributes.ä:*", ["ä"]);
  check("a.b.c.d:>1", ["a", "b", "c"]);
  expect(needles("aa:1 bb:1 cc:1 dd:1")).toHaveLength(NEEDLES_MAX);
});

it("names none where a payload may match without", () => {
  for (const query of ["card", "not k:v", "k:v or card", "service:x", "event:x", "resource.k:v"]) {
    expect(needles(query), query).toEqual([]);
  }
  expect(needles('k:"(nested deeper than 32)"')).toEqual(["k"]);
  expect(needles('k:"\ufffd!" \ud800:1')).toEqual(["k"]);
});
