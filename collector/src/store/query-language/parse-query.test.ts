import { describe, expect, it } from "vitest";
import { printQuery } from "../../../test/print-query.ts";
import { QueryGenerator } from "../../../test/query-generator.ts";
import { ClewError } from "../../errors.ts";
import { DEPTH_MAX, PHRASE_WORDS_MAX, parseQuery, TERMS_MAX } from "./parse-query.ts";
import type { Condition, Field, Query } from "./query.ts";

const words = (text: string, isPrefix = false): Condition => ({
  ...{ kind: "words", words: text.split(" "), isPrefix },
});
const all = (...parts: Condition[]): Condition => ({ kind: "and", parts });
const any = (...parts: Condition[]): Condition => ({ kind: "or", parts });
const not = (part: Condition): Condition => ({ kind: "not", part });
const key = (key: string): Field => ({ of: "attributes", key });
const text = (field: Field, text: string, isPrefix = false): Condition => ({
  ...{ kind: "text", field, text, isPrefix },
});
const severity = (least: number, most: number): Condition => ({ kind: "severity", least, most });
const check = (query: string, want: Query) => expect(parseQuery(query), query).toEqual(want);

describe("parseQuery", () => {
  it("reads words, phrases and beginnings as it always did", () => {
    check("card", words("card"));
    check("  Card\tDÉCLINED\n", all(words("card"), words("declined")));
    check('"card declined" now', all(words("card declined"), words("now")));
    check('order"card declined"now', all(words("order"), words("card declined"), words("now")));
    check("order-42", words("order 42"));
    check("decl*", words("decl", true));
    check("order-42*", words("order 42", true));
    check("a -- b", all(words("a"), words("b")));
    check('-- "!!" b', words("b"));
    check("a\0b", all(words("a"), words("b")));
    check('*a "b*"', all(words("a"), words("b")));
    check("--follow +x a_* *", all(words("follow"), words("x"), words("a")));
    check("error: timeout", all(words("error"), words("timeout")));
    check("at 12:30:45.5", all(words("at"), words("12 30 45 5")));
    check(
      "http://pay:80/charge 10.0.0.1:8080",
      all(words("http pay 80 charge"), words("10 0 0 1 8080")),
    );
    check("C: [main]:x k=v:w", all(words("c"), words("main x"), words("k v w")));
  });

  it("tells a text without words from no text", () => {
    for (const query of ["", " ", "\t\n", "\0"]) check(query, { kind: "everything" });
    for (const query of ["*", '""', "--- !!", '"  "', "(())", "not !", "! and -", "message:!"]) {
      check(query, { kind: "nothing" });
    }
  });

  it("joins by and, or, not and brackets", () => {
    const [a, b, c] = [words("a"), words("b"), words("c")];
    for (const query of ["a b", "a and b", "a AND b", "(a) (b)", "a(b)", "((a and b))"]) {
      check(query, all(a, b));
    }
    check("a b or c", any(all(a, b), c));
    check("a or b c", any(a, all(b, c)));
    check("a OR b or c", any(a, b, c));
    check("(a or b) c", all(any(a, b), c));
    check("a (b c) (b or c)", all(a, b, c, any(b, c)));
    for (const query of ["a not b", "a -b", "a and NOT b", "a -(b)", 'a -"b"', "a not (b)"]) {
      check(query, all(a, not(b)));
    }
    check("not -a", not(not(a)));
    check("not a b", all(not(a), b));
    check("-a or b", any(not(a), b));
    check("a or -- or b", any(a, b));
    check("a and (--)", a);
    check('"and" And \\not', all(words("and"), words("and"), words("not")));
  });

  it("reads fields", () => {
    check("service:orders", text({ of: "record", name: "service" }, "orders"));
    check("transaction_id:T-1*", text({ of: "record", name: "transactionId" }, "T-1", true));
    check("trace_id:4BF9", text({ of: "record", name: "traceId" }, "4bf9"));
    check("span_id:*", { kind: "exists", field: { of: "record", name: "spanId" } });
    check("user.id:42", text(key("user.id"), "42"));
    check("attributes.service:x", text(key("service"), "x"));
    check('resource.host.name:"m 1"', text({ of: "resource", key: "host.name" }, "m 1"));
    check("event:order.placed", text(key("event.name"), "order.placed"));
    check("message:Card", words("card"));
    check('message:"card declined"', words("card declined"));
    check("message:decl*", words("decl", true));
    check("message:*", { kind: "any word" });
    check("url:http\\://x/a\\(1\\)", text(key("url"), "http://x/a(1)"));
    check("path:C:\\temp a", all(text(key("path"), "C:\\temp"), words("a")));
    check("k:a\\ b\\*", text(key("k"), "a b*"));
    check("k:\\>5", text(key("k"), ">5"));
    check('k:"say \\"hi\\" \\\\ \\n"', text(key("k"), 'say "hi" \\ \\n'));
    check("my\\ key\\:x:1", text(key("my key:x"), "1"));
    check('k:""', text(key("k"), ""));
    check("-k:v", not(text(key("k"), "v")));
    check("k:v(a)", all(text(key("k"), "v"), words("a")));
    check("schlüssel.ä:ö", text(key("schlüssel.ä"), "ö"));
  });

  it("reads comparisons", () => {
    const number = (sign: ">" | ">=" | "<" | "<=", number: number): Condition => ({
      ...{ kind: "number", field: key("http.response.status_code"), sign, number },
    });
    check("http.response.status_code:>=500", number(">=", 500));
    check("http.response.status_code:>-1.5e3", number(">", -1500));
    check("http.response.status_code:<.5", number("<", 0.5));
    check("http.response.status_code:<=-0", number("<=", 0));
    check("severity:warn", severity(13, 16));
    check("severity:WARN", severity(13, 16));
    check("severity:13", severity(13, 13));
    check("severity:0", severity(0, 0));
    check("severity:>=warn", severity(13, 24));
    check("severity:>warn", severity(17, 24));
    check("severity:<warn", severity(1, 12));
    check("severity:<=warn", severity(1, 16));
    check("severity:>16", severity(17, 24));
    check("severity:*", severity(1, 24));
  });

  it("says where it cannot go on, and what was expected", () => {
    const refuse = (query: string, why: string) => {
      const message = `cannot read the search text: ${why}`;
      expect(() => parseQuery(query), query).toThrow(
        expect.objectContaining({ code: "STORE_QUERY_INVALID", message }),
      );
    };
    const part = 'a word, a field or "(" expected';
    refuse("(card or cash", '")" expected at character 14, where the text ends');
    refuse("((((", `${part} at character 5, where the text ends`);
    refuse("a (b) )", '")" without a "(" before it, at character 7');
    refuse("a or", `${part} at character 5, where the text ends`);
    refuse("a and or b", `${part} (in quotes "or" is a word) at character 7`);
    refuse("AND", `${part} (in quotes "AND" is a word) at character 1`);
    refuse("(a or)", `${part} at character 6`);
    refuse('a "b', "a closing quote expected at character 5, where the text ends");
    refuse('k:"b\\"', "a closing quote expected at character 7, where the text ends");
    refuse("日本 k:>x", "a number expected at character 7");
    refuse("k:>", "a number expected at character 4, where the text ends");
    refuse('k:>"5"', "a number expected at character 4");
    refuse("k:>=1e999", "a number expected at character 5");
    refuse("service:>5", "a value (service cannot be compared by >) expected at character 10");
    refuse("message:<5", "a value (message cannot be compared by <) expected at character 10");
    refuse(
      "severity:loud",
      "a severity (trace, debug, info, warn, error, fatal or 0 to 24) expected at character 10",
    );
    refuse("k:a*b", '"*" at the end only, or "\\*" for itself, expected at character 3');
    refuse("k:**", '"*" at the end only, or "\\*" for itself, expected at character 3');
    refuse(`k:${"v".repeat(1025)}`, "a value of at most 1024 characters expected at character 3");
    refuse("a".repeat(8193), "it is longer than 8192 characters");
    refuse("a ".repeat(TERMS_MAX + 1), "it has more than 64 words");
    const deep = "(".repeat(DEPTH_MAX + 1);
    refuse(`${deep}a`, "at most 32 brackets within each other expected at character 33");
    refuse("not ".repeat(33), "at most 32 brackets within each other expected at character 129");
    const long = `"${"a ".repeat(PHRASE_WORDS_MAX + 1)}"`;
    refuse(long, "at most 256 words in a row expected at character 1");
  });

  it("reads back what is printed, for random queries", () => {
    const generator = new QueryGenerator({ seed: 1 });
    for (let i = 0; i < 5000; i++) {
      const query = generator.condition();
      const printed = printQuery(query);
      expect(parseQuery(printed), printed).toEqual(query);
    }
  });

  it("throws nothing but what a person can be told, for random texts", () => {
    const generator = new QueryGenerator({ seed: 2 });
    let refused = 0;
    for (let i = 0; i < 20_000; i++) {
      const query = generator.garbage();
      try {
        parseQuery(query);
      } catch (error) {
        if (!(error instanceof ClewError)) expect.fail(`${JSON.stringify(query)}: ${error}`);
        expect(error.code).toBe("STORE_QUERY_INVALID");
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(1000);
    expect(refused).toBeLessThan(19_000);
  });
});
