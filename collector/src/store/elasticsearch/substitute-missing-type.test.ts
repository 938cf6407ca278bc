import { expect, test } from "vitest";
import { substituteMissingType } from "./substitute-missing-type.ts";

test.each([
  ["match_only_text", "mapper-extras", "text"],
  ["wildcard", "x-pack-wildcard", "keyword"],
  ["wildcard", "wildcard", "keyword"],
  ["constant_keyword", "x-pack-constant-keyword", "keyword"],
])("%s needs the module %s, or becomes %s", (type, module, instead) => {
  expect(substituteMissingType({ type }, ["other", module])).toEqual({ type });
  expect(substituteMissingType({ type }, ["other"])).toMatchObject({ type: instead });
});

test("types of the core stay as they are", () => {
  const mapping = { type: "flattened", ignore_above: 8191 };
  expect(substituteMissingType(mapping, [])).toBe(mapping);
});
