import { expect, it } from "vitest";
import { findQueryProblem } from "./query-problem.ts";

it("says what the collector would say of a search text", () => {
  for (const text of ["", " ", "card declined", "severity:>=warn -user.id:42"]) {
    expect(findQueryProblem(text), text).toBeUndefined();
  }
  expect(findQueryProblem(" (card or cash")).toBe(
    'Cannot read the search text: ")" expected at character 14, where the text ends.',
  );
});
