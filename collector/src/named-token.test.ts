import { expect, test } from "vitest";
import { parseTokens } from "./named-token.ts";

const ADMIN = { variable: "CLEW_ADMIN_TOKENS", role: "admin" };

test.each([
  ["", []],
  ["first-secret", [["admin-1", "first-secret"]]],
  [
    "ada:first-secret, second-secret",
    [
      ["ada", "first-secret"],
      ["admin-2", "second-secret"],
    ],
  ],
  ["ada@example:first:secret", [["ada@example", "first:secret"]]],
  // What is too short for a token, or no name, leaves the item whole.
  ["first:secret", [["admin-1", "first:secret"]]],
  ["1st:second-secret", [["admin-1", "1st:second-secret"]]],
  [":second-secret", [["admin-1", ":second-secret"]]],
])("reads %j", (text, want) => {
  const tokens = parseTokens({ CLEW_ADMIN_TOKENS: text }, ADMIN);
  expect(tokens).toEqual(want.map(([name, token]) => ({ name, token })));
});

test.each(["short", "first secret", "ada:first-secret,ada:second-secret"])(
  "refuses %j, and does not show it",
  (text) => {
    const parse = () => parseTokens({ CLEW_ADMIN_TOKENS: text }, ADMIN);
    expect(parse).toThrow("CLEW_ADMIN_TOKENS=(secret): allowed is ");
    expect(parse).not.toThrow(text.split(":").at(-1));
  },
);
