import { describe, expect, it } from "vitest";
import { printQuery } from "../../../test/print-query.ts";
import { planSearch } from "./search-plan.ts";

/** The plan in one line: `<expression> | <columns> | <severities> | <rest>`. */
function plan(query: string): string {
  const planned = planSearch(query);
  if (planned === "nothing") return planned;
  const { expression = "", columns, severities, rest } = planned;
  return [
    expression,
    [...columns].map((pair) => pair.join("=")).join(" "),
    severities.map(({ least, most }) => `${least}-${most}`).join(" "),
    rest === undefined ? "" : printQuery(rest),
  ].join(" | ");
}

const check = (query: string, want: string) => expect(plan(query), query).toBe(want);

describe("planSearch", () => {
  it("asks the full-text index for words", () => {
    check("", " |  |  | ");
    check("--", "nothing");
    check("card", '"card" |  |  | ');
    check('"card declined" now', '("card declined" AND "now") |  |  | ');
    check("order-42*", '"order 42"* |  |  | ');
    check("a or b c", '("a" OR ("b" AND "c")) |  |  | ');
    check("a -b -c", '("a" NOT ("b" OR "c")) |  |  | ');
    check("a not (b or not c)", '("a" AND ("c" NOT "b")) |  |  | ');
    check("a not (b c)", '("a" NOT ("b" AND "c")) |  |  | ');
    check("NEAR(a b)", '("near" AND "a" AND "b") |  |  | ');
  });

  it("looks at the records for what words do not narrow down", () => {
    check("-a", ' |  |  | not "a"');
    check("a or -b", ' |  |  | "a" or not "b"');
    check("user.id:42", ' |  |  | attributes.user\\.id:"42"');
    check("a user.id:42", '"a" |  |  | attributes.user\\.id:"42"');
    check("a or user.id:42", ' |  |  | "a" or attributes.user\\.id:"42"');
    check("b (a or user.id:42)", '"b" |  |  | "a" or attributes.user\\.id:"42"');
    check(
      "a (b or c -x.y:1)",
      '("a" AND ("b" OR "c")) |  |  | "b" or ("c" and not attributes.x\\.y:"1")',
    );
    check("message:* a", '"a" |  |  | message:*');
  });

  it("asks columns for service, severity and ids", () => {
    check("service:x severity:>=warn a", '"a" | service=x | 13-24 | ');
    check("service:x service:y", ' | service=x |  | service:"y"');
    check("service:x* or a", ' |  |  | service:x* or "a"');
    check("transaction_id:t a", ' | transactionId=t |  | "a"');
    check("trace_id:ab span_id:cd", " | traceId=ab spanId=cd |  | ");
    check("trace_id:ab a", '"a" |  |  | trace_id:"ab"');
    check("-severity:warn", " |  |  | not severity:warn");
  });

  it("asks for the beginning of words that are too long for a store", () => {
    const long = "l".repeat(255);
    check(`${long}more`, `"${long}"* |  |  | `);
    check(`"a ${long}"`, `"a ${long}"* |  |  | `);
    check(`"a ${long} b"`, `("a ${long}"* AND "b") |  |  | "a ${long} b"`);
  });
});
