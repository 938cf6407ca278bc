import { expect, test } from "vitest";
import { checkHost } from "./check-host.ts";

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
  expect(() =>
    checkHost("clew.example", { ...OPEN, queryTokens: [{ name: "ada", token: "secret-1" }] }),
  ).not.toThrow();
  expect(() => checkHost("clew.example", { ...OPEN, host: "10.0.0.1" })).not.toThrow();
});
