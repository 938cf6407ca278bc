import { expect, test } from "vitest";
import { IdBytes } from "./id-bytes.ts";

test("gives the bytes of each id, the same as before or another", () => {
  const ids = new IdBytes(8);
  for (const hex of ["00f067aa0ba902b7", "00f067aa0ba902b7", "ffffffffffffffff"]) {
    expect(ids.of(hex)?.toString("hex")).toBe(hex);
  }
});

test("gives nothing for no id, and still knows the next", () => {
  const ids = new IdBytes(8);
  expect(ids.of("")).toBeNull();
  expect(ids.of("0123456789abcdef")?.toString("hex")).toBe("0123456789abcdef");
  expect(ids.of("")).toBeNull();
  expect(ids.of("0123456789abcdef")?.toString("hex")).toBe("0123456789abcdef");
});

test("keeps an id of another length as it is", () => {
  const ids = new IdBytes(8);
  expect(ids.of("abcd")?.toString("hex")).toBe("abcd");
  expect(ids.of("0123456789abcdef")?.toString("hex")).toBe("0123456789abcdef");
});
