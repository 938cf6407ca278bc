import { expect, it } from "vitest";
import { sortableHex } from "../../query-language/number-values.ts";
import { parseQuery } from "../../query-language/parse-query.ts";
import { type QueryClauses, toQueryClauses } from "./query-dsl.ts";

const check = (query: string, want: unknown) => {
  expect(withoutNames(toQueryClauses(parseQuery(query))), query).toEqual(want);
};
/** The clause that finds, without those that only say which words a hit has. */
function withoutNames({ found, names }: QueryClauses): unknown {
  if (names.size === 0) return found;
  const { bool } = found as { bool: { filter: readonly object[] } };
  expect(bool).toMatchObject({ minimum_should_match: 0, should: { length: names.size } });
  return bool.filter[0];
}

const word = (value: string) => ({ term: { words: { value } } });
const any = (...should: object[]) => ({ bool: { should, minimum_should_match: 1 } });
const not = (clause: object) => ({ bool: { must_not: [clause] } });
const unindexed = (...marks: string[]) => ({ terms: { "clew.unindexed": marks } });
const someKeys = unindexed("attributes.*");

it("asks for words in the field of words", () => {
  check("", "everything");
  check("--", "nothing");
  check("Crème", word("creme"));
  check('"card declined"', { match_phrase: { words: { query: "card declined" } } });
  check("decl*", { prefix: { words: { value: "decl" } } });
  check("order-42*", { bool: { filter: [word("order"), { prefix: { words: { value: "42" } } }] } });
  check("message:*", { exists: { field: "words" } });
});

it("joins by and, or and not", () => {
  check("a b", { bool: { filter: [word("a"), word("b")] } });
  check("a or b", any(word("a"), word("b")));
  check("-a", not(word("a")));
  check("not (a or not b)", not(any(word("a"), not(word("b")))));
});

it("asks for fields by their names in the document", () => {
  check("service:orders", { term: { "service.name": { value: "orders" } } });
  check("transaction_id:T*", { prefix: { transaction_id: { value: "T" } } });
  check("trace_id:*", { exists: { field: "trace_id" } });
  check('span_id:""', "nothing");
  check("severity:warn", { range: { severity_number: { gte: 13, lte: 16 } } });
  const unset = not({ exists: { field: "severity_number" } });
  check("severity:0", any({ range: { severity_number: { gte: 0, lte: 0 } } }, unset));
  check("severity:<trace", "nothing");
});

it("asks for attributes in the flattened fields, and for what those leave out", () => {
  const user = { term: { "attributes.user.id": { value: "42" } } };
  check("user.id:42", any(user, someKeys));
  const long = unindexed("attributes.*", "attributes.k");
  check("k:v*", any({ prefix: { "attributes.k": { value: "v" } } }, long));
  check("k:*", any({ prefix: { "attributes.k": { value: "" } } }, long));
  const host = { term: { "resource.attributes.host.name": { value: "m" } } };
  check("resource.host.name:m", any(host, unindexed("resource.attributes.*")));
  const atLeast = { lte: "g", gte: sortableHex(500) };
  const code = { range: { "numbers.http.response.status_code": atLeast } };
  check("http.response.status_code:>=500", any(code, someKeys));
  check(
    "resource.pid:<5",
    any(
      { prefix: { "resource.attributes.pid": { value: "" } } },
      unindexed("resource.attributes.*", "resource.attributes.pid"),
    ),
  );
});

it("finds at least what matches, also where the index cannot tell", () => {
  check("-order-42*", "everything");
  check("-order-42* or b", { match_all: {} });
  check("-order-42* a", word("a"));
  check("-user.id:42", not({ term: { "attributes.user.id": { value: "42" } } }));
  check("-(a order-42*)", { match_all: {} });
  check("-(a or order-42*)", not(word("a")));
  check("-resource.pid:<5", "everything");
});

it("knows what the index tells exactly", () => {
  const isExact = (query: string) => toQueryClauses(parseQuery(query)).isExact;
  for (const query of ["", "--", "a -b or c*", "service:x severity:>=warn", "-trace_id:*"]) {
    expect(isExact(query), query).toBe(true);
  }
  for (const query of ["order-4*", "a or user.id:42", "-k:*", "resource.pid:>1 b"]) {
    expect(isExact(query), query).toBe(false);
  }
});

it("names the words of a hit where it is held against the query", () => {
  const query = parseQuery("a (b* or user.id:42) -order-4*");
  const { found, names } = toQueryClauses(query);
  expect([...names].map(([term, name]) => [term.kind === "words" && term.words, name])).toEqual([
    [["a"], "w0"],
    [["b"], "w1"],
  ]);
  expect(found).toMatchObject({
    bool: {
      should: [
        { bool: { filter: [word("a")], _name: "w0" } },
        { bool: { filter: [{ prefix: { words: { value: "b" } } }], _name: "w1" } },
      ],
    },
  });
  expect(toQueryClauses(parseQuery("a -b")).names.size).toBe(0);
});
