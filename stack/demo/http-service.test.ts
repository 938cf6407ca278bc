import { expect, test } from "vitest";
import { parseObject } from "./http-service.ts";

test.each([
  ["", {}],
  ["{}", {}],
  ['{"item":"lamp","amountCents":5,"isGift":true,"note":null}', 4],
])("reads %j", (text, want) => {
  const got = parseObject(text);
  if (typeof want === "number") expect(Object.keys(got ?? {})).toHaveLength(want);
  else expect(got).toEqual(want);
});

test.each([
  ["{"],
  ["null"],
  ["[]"],
  ["7"],
  ['"text"'],
  ['{"item":{"nested":1}}'],
  ['{"item":["list"]}'],
])("takes %j for no object of plain values", (text) => {
  expect(parseObject(text)).toBeUndefined();
});
