import { describe, expect, it } from "vitest";
import { JsonText } from "./json-text.ts";

describe("the end of plain text", () => {
  it("is found at every place of a word, whatever byte stands before and behind", () => {
    for (let byte = 0; byte < 256; byte++) {
      const isPlain = byte >= 0x20 && byte !== 0x22 && byte !== 0x5c;
      for (let place = 0; place < 9; place++) {
        for (const beside of [0x20, 0x21, 0x23, 0x5b, 0x5d, 0x7f, 0x80, 0xff]) {
          const text = Buffer.alloc(10, beside);
          text[place] = byte;
          expect(end(text, 0)).toBe(isPlain ? text.length : place);
        }
      }
    }
  });

  it.each<[string, number, number]>([
    ["", 0, 0],
    ["abc", 0, 3],
    ["abc", 7, 7],
    ['"a"', 0, 0],
    ['"a"', 1, 2],
    ['""""', 2, 2],
    ['abcdefgh\\"', 0, 8],
    ["abcdefg\n\n\n\n", 3, 7],
  ])("in %j from %d is %d", (text, from, want) => {
    expect(end(Buffer.from(text), from)).toBe(want);
  });
});

function end(text: Buffer, from: number): number {
  return new JsonText(text).plainEnd(from);
}
