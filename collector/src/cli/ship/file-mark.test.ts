import { expect, test } from "vitest";
import { FileMarks, isMarked, MARK_BYTES_MAX, markOf } from "./file-mark.ts";

test("a mark knows its bytes, and no others", () => {
  const bytes = Buffer.from(`${"x".repeat(1000)}the end`);
  const mark = markOf(bytes, 5000);
  expect(mark).toMatchObject({ end: 5000, bytes: MARK_BYTES_MAX });
  const tail = bytes.subarray(-MARK_BYTES_MAX);
  expect(isMarked(mark, tail)).toBe(true);
  expect(isMarked(mark, tail.subarray(1))).toBe(false);
  expect(isMarked(mark, Buffer.from(tail).fill("y", 3, 4))).toBe(false);
});

test("the nearest mark before a position is kept", () => {
  const marks = new FileMarks();
  for (const end of [100, 200, 300]) marks.add(markOf(Buffer.from("x"), end));
  expect(marks.findAt(99)).toBeUndefined();
  expect(marks.findAt(250)?.end).toBe(200);
  expect(marks.findAt(250)?.end).toBe(200);
  expect(marks.findAt(1000)?.end).toBe(300);
});

test("very many marks do not fill the memory", () => {
  const marks = new FileMarks();
  for (let end = 1; end <= 10_000; end++) marks.add(markOf(Buffer.from("x"), end));
  const found = marks.findAt(9000)?.end ?? 0;
  expect(found).toBeGreaterThan(0);
  expect(found).toBeLessThanOrEqual(9000);
});
