import { expect, test } from "vitest";
import { decodeText } from "./decode-text.ts";

test.each<[number[], string]>([
  [[], ""],
  [[0x61, 0x62], "ab"],
  [[0xc3, 0xa9], "é"],
  [[0x61, 0xe9], "aé"],
  [[0xc3], "Ã"],
  [[0xed, 0xa0, 0x80], "í\u00a0\u0080"],
])("%j is %j", (bytes, want) => {
  expect(decodeText(Buffer.from(bytes))).toBe(want);
});
