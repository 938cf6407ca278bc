import { expect, test } from "vitest";
import { checkHost, checkToken } from "./access.ts";

const OPEN = { host: "127.0.0.1", queryTokens: [] };

test.each(["localhost", "localhost:4320", "127.0.0.1:4320", "[::1]:4320", "LOCALHOST:1"])(
  "answers for host %s",
  (host) => {
    expect(() => checkHost(host, OPEN)).not.toThrow();
  },
);

test.each([
  undefined,
  "",
  "evil.example",
  "evil.example:4320",
  "127.0.0.1.evil.example",
  "localhost.evil.example:4320",
  "127.0.0.1@evil.example",
  "localhost:4320:4320",
])("refuses host %s on loopback without tokens", (host) => {
  expect(() => checkHost(host, OPEN)).toThrow(expect.objectContaining({ code: "HOST_REFUSED" }));
});

test("asks for no host where tokens or an outer address protect", () => {
  expect(() => checkHost("clew.example", { ...OPEN, queryTokens: ["secret-1"] })).not.toThrow();
  expect(() => checkHost("clew.example", { ...OPEN, host: "10.0.0.1" })).not.toThrow();
});

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
