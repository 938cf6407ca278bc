import { expect, test } from "vitest";
import { LINE_BYTES_MAX, LineSplitter } from "./line-splitter.ts";

function split(...chunks: (string | Buffer)[]): { lines: string[]; splitLines: number } {
  const splitter = new LineSplitter();
  const lines: string[] = [];
  for (const chunk of chunks) {
    for (const line of splitter.push(Buffer.from(chunk))) lines.push(line.toString());
  }
  for (const line of splitter.end()) lines.push(line.toString());
  return { lines, splitLines: splitter.splitLines };
}

test.each<[string[], string[]]>([
  [[], []],
  [[""], []],
  [["a"], ["a"]],
  [["a\n"], ["a"]],
  [["a\nb"], ["a", "b"]],
  [["a\r\nb\r\n"], ["a", "b"]],
  [
    ["a\r", "\nb"],
    ["a", "b"],
  ],
  [
    ["a", "b", "c\n", "d"],
    ["abc", "d"],
  ],
  [["\n\n"], ["", ""]],
])("cuts %j into %j", (chunks, want) => {
  expect(split(...chunks).lines).toEqual(want);
});

test("a character that came in two pieces is whole", () => {
  const bytes = Buffer.from("größe\n");
  expect(split(bytes.subarray(0, 3), bytes.subarray(3)).lines).toEqual(["größe"]);
});

test("a line without an end is sent in pieces, with every character of it", () => {
  const text = `x${"é".repeat(LINE_BYTES_MAX)}`;
  const chunks = Array.from({ length: 7 }, (_, i) =>
    Buffer.from(text).subarray(i * 300_001, i === 6 ? undefined : (i + 1) * 300_001),
  );
  const { lines, splitLines } = split(...chunks, "\nnext");
  expect(lines.length).toBe(4);
  expect(lines.slice(0, -1).join("")).toBe(text);
  expect(lines.at(-1)).toBe("next");
  expect(splitLines).toBe(1);
});

test("bytes that are no UTF-8 are cut all the same", () => {
  const { lines } = split(Buffer.alloc(LINE_BYTES_MAX * 2 + 5, 0x80));
  expect(lines).toHaveLength(3);
});
