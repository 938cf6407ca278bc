import { expect, it } from "vitest";
import { parseQuery } from "../../store/query-language/parse-query.ts";
import { templateQuery } from "./template-query.ts";

it("asks for the words between the wildcards", () => {
  const check = (template: string, want: string) => {
    expect(templateQuery(template.split(" ")), template).toBe(want);
    expect(() => parseQuery(want)).not.toThrow();
  };
  check("order <*> accepted for <*>", '"order" "accepted for"');
  check("user_id=<*>, total=<*> EUR", '"user id" "total" "eur"');
  check("<*>", "");
  check("item<*> is prefix<*>suffix gone", '"is" "gone"');
  check('say "hi" \\ <*>', '"say hi"');
  check(`${"<*> word ".repeat(20)}`.trim(), Array(8).fill('"word"').join(" "));
  check("x".repeat(5000), `"${"x".repeat(255)}"`);
});
