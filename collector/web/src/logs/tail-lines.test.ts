import { expect, test } from "vitest";
import { sampleLog } from "../record/record-samples.ts";
import { NO_LINES, released, TAIL_LINES_MAX, type TailLines, tailed } from "./tail-lines.ts";

const logs = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => sampleLog({ id: `r${from + i}` }));
const ids = (lines: TailLines) => lines.shown.map(({ id }) => id).join(" ");

test("new lines come on top, newest first", () => {
  const lines = tailed(NO_LINES, { fresh: logs(0, 2), isHeld: false });
  expect(ids(tailed(lines, { fresh: logs(2, 4), isHeld: false }))).toBe("r3 r2 r1 r0");
});

test("a line that a broken connection repeats is shown once", () => {
  const lines = tailed(NO_LINES, { fresh: logs(0, 2), isHeld: false });
  expect(ids(tailed(lines, { fresh: logs(1, 3), isHeld: false }))).toBe("r2 r1 r0");
  expect(tailed(lines, { fresh: logs(0, 2), isHeld: true }).waiting).toEqual([]);
});

test("held lines stay; what came waits and follows", () => {
  const lines = tailed(NO_LINES, { fresh: logs(0, 2), isHeld: false });
  const held = tailed(lines, { fresh: logs(2, 4), isHeld: true });
  expect(ids(held)).toBe("r1 r0");
  expect(held.waiting).toHaveLength(2);
  expect(ids(released(held))).toBe("r3 r2 r1 r0");
  expect(ids(tailed(held, { fresh: logs(4, 5), isHeld: false }))).toBe("r4 r3 r2 r1 r0");
});

test("neither shown nor waiting lines grow without bound, and what was skipped is counted", () => {
  const full = tailed(NO_LINES, { fresh: logs(0, TAIL_LINES_MAX + 5), isHeld: false });
  expect(full.shown).toHaveLength(TAIL_LINES_MAX);
  const held = tailed(NO_LINES, { fresh: logs(0, TAIL_LINES_MAX + 5), isHeld: true });
  expect(held.waiting).toHaveLength(TAIL_LINES_MAX);
  expect(held.waiting[0]?.id).toBe(`r${TAIL_LINES_MAX + 4}`);
  expect(held.skipped).toBe(5);
  expect(tailed(held, { fresh: logs(9000, 9007), isHeld: true }).skipped).toBe(12);
  expect(released(held).skipped).toBe(0);
});
