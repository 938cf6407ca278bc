import { expect, test } from "vitest";
import { LINE_BYTES_MAX } from "../../lines/line-splitter.ts";
import { type CutLine, LineCutter } from "./line-cutter.ts";
import { decodeText, type TextEncoding } from "./text-encoding.ts";

interface Want {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** Every line that comes of the bytes in pieces of this size, with the last one that has no end. */
function cut(bytes: Buffer, pieceBytes: number, encoding: TextEncoding = "utf8"): CutLine[] {
  const cutter = new LineCutter({ encoding, offset: 0 });
  const lines: CutLine[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    lines.push(...cutter.push(bytes.subarray(at, at + pieceBytes)));
  }
  const last = cutter.end();
  return last === undefined ? lines : [...lines, last];
}

function check(encoding: TextEncoding, bytes: Buffer, want: readonly Want[]): void {
  for (const pieceBytes of [1, 2, 3, 7, bytes.length]) {
    const lines = cut(bytes, pieceBytes, encoding).map((line) => {
      return { text: decodeText(line.bytes, encoding), start: line.start, end: line.end };
    });
    expect(lines, `pieces of ${pieceBytes}`).toEqual(want);
  }
}

test.each<[string, Want[]]>([
  [
    "a\nbc\n",
    [
      { text: "a", start: 0, end: 2 },
      { text: "bc", start: 2, end: 5 },
    ],
  ],
  [
    "a\r\n\r\nb",
    [
      { text: "a", start: 0, end: 3 },
      { text: "", start: 3, end: 5 },
      { text: "b", start: 5, end: 6 },
    ],
  ],
  [
    "é\nx\r",
    [
      { text: "é", start: 0, end: 3 },
      { text: "x", start: 3, end: 5 },
    ],
  ],
  ["\n", [{ text: "", start: 0, end: 1 }]],
])("%j in pieces of any size", (text, want) => {
  check("utf8", Buffer.from(text), want);
});

test("UTF-16: a line feed is one only where a character begins", () => {
  // U+0A0A and U+010A hold the byte of a line feed.
  const text = "a\u0a0a\u010a\r\nb\n";
  const want = [
    { text: "a\u0a0a\u010a", start: 0, end: 10 },
    { text: "b", start: 10, end: 14 },
  ];
  const little = Buffer.from(text, "utf16le");
  check("utf16le", little, want);
  check("utf16be", Buffer.from(little).swap16(), want);
});

test("a line longer than may be becomes pieces that lie beside each other", () => {
  const bytes = Buffer.from(`x${"é".repeat(LINE_BYTES_MAX)}\nnext\n`);
  const lines = cut(bytes, 100_000);
  expect(lines.map(({ isPiece }) => isPiece)).toEqual([true, true, false, false]);
  expect(lines.map(({ bytes: line }) => line.toString()).join("")).toBe(
    bytes.toString().replaceAll("\n", ""),
  );
  lines.reduce((end, line) => {
    expect(line.start).toBe(end);
    return line.end;
  }, 0);
});

test("what began again at the end of a piece is cut alike", () => {
  const bytes = Buffer.from(`${"é".repeat(LINE_BYTES_MAX)}\nnext\n`);
  const [first, ...rest] = cut(bytes, 65_536);
  const again = new LineCutter({ encoding: "utf8", offset: first?.end ?? 0 });
  const places = ({ start, end }: CutLine) => ({ start, end });
  expect(again.push(bytes.subarray(first?.end)).map(places)).toEqual(rest.map(places));
});

test("counts each long line once", () => {
  const cutter = new LineCutter({ encoding: "utf8", offset: 0 });
  cutter.push(Buffer.alloc(3 * LINE_BYTES_MAX, 0x78));
  cutter.push(Buffer.from("\nshort\n"));
  expect(cutter.splitLines).toBe(1);
});

test("a hole that truncation left is no text", () => {
  const bytes = Buffer.concat([Buffer.alloc(5000), Buffer.from("first\nsecond\n")]);
  expect(cut(bytes, 1000).map((line) => line.bytes.toString())).toEqual(["first", "second"]);
});

test("bytes that are no UTF-8 become U+FFFD", () => {
  const [line] = cut(Buffer.from([0x61, 0xff, 0xc3, 0x0a]), 4);
  expect(decodeText(line?.bytes ?? Buffer.alloc(0), "utf8")).toBe("a\ufffd\ufffd");
});
