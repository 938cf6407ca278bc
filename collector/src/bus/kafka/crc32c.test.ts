import { randomFillSync } from "node:crypto";
import { expect, test } from "vitest";
import { crc32c } from "./crc32c.ts";

/** RFC 3720, appendix B.4, and the check value of the catalogue of CRCs. */
test.each([
  ["123456789", Buffer.from("123456789"), 0xe3069283],
  ["nothing", Buffer.alloc(0), 0],
  ["32 zeros", Buffer.alloc(32), 0x8a9136aa],
  ["32 ones", Buffer.alloc(32, 0xff), 0x62a8ab43],
  ["0 to 31", Buffer.from(Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e],
])("of %s", (_, bytes, want) => {
  expect(crc32c(bytes)).toBe(want);
});

test("is the same wherever the bytes begin, and however many are left over", () => {
  const bytes = randomFillSync(Buffer.alloc(100));
  const moved = Buffer.alloc(108);
  for (let length = 0; length <= 100; length++) {
    const want = crc32c(bytes.subarray(0, length));
    for (let at = 0; at < 8; at++) {
      bytes.copy(moved, at, 0, length);
      expect(crc32c(moved.subarray(at, at + length))).toBe(want);
    }
  }
});
