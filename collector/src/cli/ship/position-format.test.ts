import { expect, test } from "vitest";
import {
  formatFile,
  formatPositions,
  type KnownFile,
  mergePositions,
  parsePositions,
} from "./position-format.ts";

const FILE: KnownFile = {
  id: "0123456789abcdef0123456789abcdef",
  device: "2049",
  inode: "131",
  path: "/var/log/app.log",
  position: 200,
  lanes: { stdout: { position: 300, cuts: [] }, stderr: { position: 200, cuts: [210, 220] } },
  marks: [{ end: 256, bytes: 256, crc: 4_294_967_295 }],
  seenMs: 1_769_860_800_000,
};

test("what is written is read again", () => {
  for (const files of [[], [FILE], [FILE, { ...FILE, path: 'a "name"\nwith a line end' }]]) {
    const positions = { isWhole: files.length === 1, files };
    expect(parsePositions(formatPositions(positions))).toEqual(positions);
  }
});

const line = (file: object) => `{"version":1,"isWhole":true}\n${JSON.stringify(file)}\n`;
const place = (changes: object) =>
  line({ ...FILE, lanes: { stdout: { position: 1, cuts: [], ...changes } } });

test.each([
  [""],
  ["{"],
  ["[]\n"],
  ['{"version":2}\n'],
  [line([])],
  [line({ ...FILE, id: "" })],
  [line({ ...FILE, inode: 131 })],
  [line({ ...FILE, position: -1 })],
  [line({ ...FILE, position: 1.5 })],
  [line({ ...FILE, marks: {} })],
  [line({ ...FILE, marks: [1] })],
  [line({ ...FILE, marks: [{ end: 1, bytes: 1 }] })],
  [line({ ...FILE, lanes: { stdout: 5 } })],
  [place({ position: "1" })],
  [place({ cuts: [Number.MAX_VALUE] })],
  [formatPositions({ isWhole: true, files: [FILE] }).slice(0, -20)],
])("%j is refused", (text) => {
  expect(() => parsePositions(text)).toThrow();
});

test("a journal adds files, moves on, and never takes anything back", () => {
  const lanes = (position: number, cuts: number[]) => ({ "": { position, cuts } });
  const older = { ...FILE, position: 100, lanes: lanes(100, [150, 250]) };
  const newer = { ...FILE, position: 200, lanes: lanes(200, [300]) };
  const merged = { ...newer, lanes: lanes(200, [250, 300]) };
  const other = { ...FILE, inode: "132" };
  for (const [before, line] of [
    [older, newer],
    [newer, older],
  ] as const) {
    const journal = `\n${formatFile(line)}\n\n${formatFile(other)}\n{"id":"cut o`;
    const { files } = mergePositions({ isWhole: false, files: [before] }, journal);
    expect(files).toEqual([merged, other]);
  }
});
