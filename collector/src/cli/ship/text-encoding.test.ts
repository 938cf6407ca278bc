import { expect, test } from "vitest";
import { decodeText, type FoundEncoding, findEncoding } from "./text-encoding.ts";

const little = Buffer.from("\ufeffé", "utf16le");

test.each<[string, Buffer, FoundEncoding]>([
  ["none", Buffer.from("é"), { encoding: "utf8", markBytes: 0 }],
  ["UTF-8", Buffer.from("\ufeffé"), { encoding: "utf8", markBytes: 3 }],
  ["UTF-16, little end first", little, { encoding: "utf16le", markBytes: 2 }],
  ["UTF-16, big end first", Buffer.from(little).swap16(), { encoding: "utf16be", markBytes: 2 }],
])("byte order mark: %s", (_, bytes, want) => {
  expect(findEncoding(bytes)).toEqual(want);
  expect(decodeText(bytes.subarray(want.markBytes), want.encoding)).toBe("é");
});
