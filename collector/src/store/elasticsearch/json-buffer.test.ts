import { expect, test } from "vitest";
import { JsonBuffer } from "./json-buffer.ts";

function written(write: (out: JsonBuffer) => void): string {
  const out = new JsonBuffer(1);
  write(out);
  return out.view().toString("utf8");
}

test("strings are written as JSON.stringify does, as text and from their bytes", () => {
  const all = Array.from({ length: 0x180 }, (_, code) => String.fromCharCode(code)).join("");
  const texts = [
    "",
    "plain",
    all,
    'a"b\\c',
    "\u2028\u{1f600}",
    "x".repeat(20_000),
    `${all}`.repeat(40),
  ];
  for (const text of texts) {
    const bytes = Buffer.from(`..${text}..`);
    expect(written((out) => out.text(text))).toBe(JSON.stringify(text));
    const copied = written((out) => out.string(bytes, 2, bytes.length - 2));
    expect(copied).toBe(JSON.stringify(text));
  }
});

test("what is no valid UTF-8 becomes what Node.js makes of it", () => {
  const wrong = [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe4, 0xb8], [0x80, 0x41]];
  for (const bytes of wrong) {
    for (const before of ["", "x", "ä", "y".repeat(10_000)]) {
      const source = Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from('"z"')]);
      const copied = written((out) => out.string(source, 0, source.length));
      expect(JSON.parse(copied)).toBe(source.toString("utf8"));
    }
  }
  expect(JSON.parse(written((out) => out.text("cut\ud83d")))).toBe("cut\ufffd");
});

test("whole numbers, digits and words", () => {
  const numbers = [
    0,
    9,
    10,
    99,
    12_345,
    999_999_999,
    1e9,
    1e9 + 1,
    2 ** 53 - 1,
    1_772_366_400_000_000,
  ];
  for (const number of numbers) {
    expect(written((out) => out.unsigned(number))).toBe(String(number));
  }
  for (const word of [0, 1, 0xdead_beef, 0xffff_ffff]) {
    expect(written((out) => out.hexWord(word))).toBe(word.toString(16).padStart(8, "0"));
  }
});

test("it grows, and keeps what was written", () => {
  const text = written((out) => {
    for (let n = 0; n < 1000; n++) {
      const start = out.length;
      out.raw(Buffer.from("abc"));
      out.again(start, start + 2);
      out.byte(0x2c);
    }
  });
  expect(text).toBe("abcab,".repeat(1000));
});
