import { expect, test } from "vitest";
import { Lane } from "./lane.ts";
import { type Multiline, RECORD_LINES_MAX, RecordJoiner, type TextLine } from "./record-joiner.ts";

const lane = () => new Lane({ position: 0, cuts: [] });

/** Lines of ten bytes each, as far as their places go. */
function push(joiner: RecordJoiner, texts: readonly string[], from = 0): TextLine[] {
  const records: TextLine[] = [];
  texts.forEach((text, index) => {
    const start = (from + index) * 10;
    joiner.push({ text, start, end: start + 10 }, records);
  });
  return records;
}

function join(multiline: Multiline, texts: readonly string[]): string[] {
  const joiner = new RecordJoiner(multiline, lane());
  const records = push(joiner, texts);
  joiner.end(records);
  return records.map(({ text }) => text);
}

test("off: every line that is not blank is a record", () => {
  expect(join("off", ["a", "\tat b", "", "c"])).toEqual(["a", "\tat b", "c"]);
});

test("a pattern of one's own: all up to the next first line, with blank lines in between", () => {
  const texts = ["rest of before", "#1 a", "", "{b}", "#2 c", ""];
  expect(join(/^#\d/, texts)).toEqual(["rest of before", "#1 a\n\n{b}", "#2 c"]);
});

test("a record knows where it stands", () => {
  const joiner = new RecordJoiner("auto", lane());
  const records = push(joiner, ["a", "\tb", "\tc", "d"]);
  expect(records).toMatchObject([{ text: "a\n\tb\n\tc", start: 0, end: 30 }]);
  expect(joiner.openStart).toBe(30);
  joiner.end(records);
  expect(records[1]).toMatchObject({ text: "d", start: 30, end: 40 });
  expect(joiner.openStart).toBeUndefined();
});

test("a record without an end is cut", () => {
  const texts = ["first", ...Array.from({ length: 2 * RECORD_LINES_MAX }, (_, i) => `\t${i}`)];
  const records = join("auto", texts);
  expect(records.map((text) => text.split("\n").length)).toEqual([1000, 1000, 1]);
  expect(records.join("\n")).toBe(texts.join("\n"));
});

test("a record of many bytes is cut", () => {
  const texts = ["first", ...Array.from({ length: 30 }, () => `\t${"x".repeat(100_000)}`)];
  const records = join("auto", texts);
  expect(records.join("\n")).toBe(texts.join("\n"));
  expect(Math.max(...records.map((text) => text.length))).toBeLessThanOrEqual(1024 * 1024);
});

test("a piece of a very long line stands alone", () => {
  const joiner = new RecordJoiner("auto", lane());
  const records: TextLine[] = [];
  joiner.push({ text: "a", start: 0, end: 10 }, records);
  joiner.push({ text: "\tpiece", start: 10, end: 20, isPiece: true }, records);
  joiner.push({ text: "\trest", start: 20, end: 30 }, records);
  joiner.end(records);
  expect(records.map(({ text }) => text)).toEqual(["a", "\tpiece", "\trest"]);
});

test("a record that was cut by time is cut there again by whoever reads it again", () => {
  const cuts = lane();
  const joiner = new RecordJoiner("auto", cuts);
  const records = push(joiner, ["a", "\tb"]);
  joiner.cut(records);
  expect(records).toMatchObject([{ text: "a\n\tb", start: 0, end: 20 }]);
  records.push(...push(joiner, ["\tc", "d"], 2));
  const again = new RecordJoiner("auto", new Lane(cuts.place));
  expect(push(again, ["a", "\tb", "\tc", "d"])).toEqual(records);
});

test("cutting where nothing waits is nothing", () => {
  const cuts = lane();
  const records: TextLine[] = [];
  new RecordJoiner("auto", cuts).cut(records);
  expect(records).toEqual([]);
  expect(cuts.place.cuts).toEqual([]);
});
