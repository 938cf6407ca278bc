import { expect, test } from "vitest";
import { checkToken } from "./check-token.ts";

const named = (...tokens: string[]) => tokens.map((token) => ({ name: `of ${token}`, token }));

test("takes every known token, and nobody's where none is set", () => {
  const tokens = named("first-token", "second-token");
  for (const { name, token } of tokens) expect(checkToken(`Bearer ${token}`, tokens)).toBe(name);
  expect(checkToken("bearer first-token", tokens)).toBe("of first-token");
  expect(checkToken(undefined, [])).toBeUndefined();
});

test.each([
  undefined,
  "",
  "Bearer",
  "Bearer ",
  "Basic Zmlyc3QtdG9rZW4=",
  "first-token",
  "Bearer first-toke",
  "Bearer first-token2",
  "Bearer first-token second-token",
  "Bearer first-token,second-token",
])("refuses %j, and never says what is right", (authorization) => {
  let told = "";
  try {
    checkToken(authorization, named("first-token", "second-token"));
  } catch (error) {
    told = String(error);
    expect(error).toMatchObject({ code: "UNAUTHENTICATED" });
  }
  expect(told).not.toBe("");
  expect(told).not.toContain("first");
});

test("takes the schemes of Elasticsearch's clients where a door allows them", () => {
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const tokens = named("first-token", "second:token");
  const given = [
    "Bearer first-token",
    `Basic ${base64("elastic:first-token")}`,
    `ApiKey ${base64("id:second:token")}`,
  ];
  for (const authorization of given) {
    expect(() => checkToken(authorization, tokens, ["bearer", "basic", "apikey"])).not.toThrow();
  }
  for (const authorization of given.slice(1)) {
    expect(() => checkToken(authorization, tokens)).toThrow("cannot answer");
    expect(() => checkToken(authorization, tokens, ["bearer"])).toThrow("cannot answer");
  }
  for (const wrong of [
    "Basic",
    "Basic !!!",
    `Basic ${base64("first-token")}`,
    "ApiKey first-token",
  ]) {
    expect(() => checkToken(wrong, tokens, ["basic", "apikey"])).toThrow("cannot answer");
  }
});
