import { expect, test } from "vitest";
import { isNewEnough } from "./go-toolchain.ts";

test.each([
  ["go version go1.26.8 linux/amd64", true],
  ["go version go1.25.0 linux/arm64", true],
  ["go version go1.25rc1 linux/amd64", true],
  ["go version go2.0 linux/amd64", true],
  ["go version go1.24.13 linux/amd64", false],
  ["go version go1.19.8 linux/amd64", false],
  ["go version go1.2 linux/amd64", false],
  ["go version devel linux/amd64", false],
  ["", false],
])("%j is new enough: %s", (told, want) => {
  expect(isNewEnough(told)).toBe(want);
});
