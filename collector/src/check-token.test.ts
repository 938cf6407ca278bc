import { expect, test } from "vitest";
import { checkToken } from "./check-token.ts";

test("takes every known token, and nobody's where none is set", () => {
  const tokens = ["first-token", "second-token"];
  for (const token of tokens) expect(() => checkToken(`Bearer ${token}`, tokens)).not.toThrow();
  expect(() => checkToken("bearer first-token", tokens)).not.toThrow();
  expect(() => checkToken(undefined, [])).not.toThrow();
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
    checkToken(authorization, ["first-token", "second-token"]);
  } catch (error) {
    told = String(error);
    expect(error).toMatchObject({ code: "UNAUTHENTICATED" });
  }
  expect(told).not.toBe("");
  expect(told).not.toContain("first");
});

test("takes the schemes of Elasticsearch's clients where a door allows them", () => {
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const tokens = ["first-token", "second:token"];
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
