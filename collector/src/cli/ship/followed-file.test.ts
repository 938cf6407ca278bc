import {
  appendFileSync,
  mkdtempSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FollowedFile } from "./followed-file.ts";

let folder: string;
let path: string;
const opened: FollowedFile[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "clew-followed-file-"));
  path = join(folder, "a.log");
});
afterEach(async () => {
  for (const file of opened) await file.close();
  rmSync(folder, { recursive: true, force: true });
});

function follow(text: string): FollowedFile {
  writeFileSync(path, text);
  return again();
}

function again(): FollowedFile {
  const stats = statSync(path, { bigint: true });
  const file = new FollowedFile({ path, stats, multiline: "off" });
  opened.push(file);
  return file;
}

/** What a look gives: its state, and the texts with their places. */
async function look(file: FollowedFile): Promise<unknown[]> {
  const { state, records } = await file.look();
  return [state, ...records.map(({ start, text }) => `${start} ${text}`)];
}

test("each look gives what is new", async () => {
  const file = follow("one\ntw");
  expect(await look(file)).toEqual(["end", "0 one"]);
  expect(await look(file)).toEqual(["end"]);
  appendFileSync(path, "o\nthree\n");
  expect(await look(file)).toEqual(["end", "4 two", "8 three"]);
});

test.each([1, 100, 1000])(
  "half a line that was given back is read again, %i chars",
  async (chars) => {
    const half = "x".repeat(chars);
    const file = follow(`one\n${half}`);
    await file.look();
    expect(file.heldBytes).toBe(chars);
    file.rewind();
    expect(file.heldBytes).toBe(0);
    expect(await look(file)).toEqual(["end"]);
    file.rewind();
    appendFileSync(path, "y\n");
    expect(await look(file)).toEqual(["end", `4 ${half}y`]);
    appendFileSync(path, "two\n");
    expect(await look(file)).toEqual(["end", `${4 + chars + 2} two`]);
  },
);

test("what was given back is another line after truncation", async () => {
  const file = follow("one\nhalf");
  await file.look();
  file.rewind();
  writeFileSync(path, "another file, and longer\n");
  const { id } = file.identity;
  expect((await file.look()).state).toBe("truncated");
  expect(file.identity.id).not.toBe(id);
  expect(await look(file)).toEqual(["end", "0 another file, and longer"]);
});

test("truncation gives the half line that was read before", async () => {
  const file = follow("one\nhalf");
  const { id } = file.identity;
  await file.look();
  truncateSync(path);
  const { state, records, identity } = await file.look();
  expect(state).toBe("truncated");
  expect(records.map(({ text }) => text)).toEqual(["half"]);
  expect(identity.id).toBe(id);
});

test("goes on at a known position, in the same file only", async () => {
  const first = follow("one\ntwo\n");
  await first.look();
  first.settle();
  const known = first.findKnown(7);
  if (known === undefined) throw new Error("nothing is known");
  expect(known).toMatchObject({ position: 8, seenMs: 7, path });
  appendFileSync(path, "three\n");
  const second = again();
  expect(await second.resume(known, true)).toBe(true);
  expect(second.identity).toEqual({ id: known.id, repeatsBefore: 14 });
  expect(await look(second)).toEqual(["end", "8 three"]);
  writeFileSync(path, "one\ntwx\nthree\n");
  expect(await again().resume(known, true)).toBe(false);
  writeFileSync(path, "one\n");
  expect(await again().resume(known, true)).toBe(false);
});

test("nothing is known of a file of which nothing was read", async () => {
  const file = follow("");
  expect(await look(file)).toEqual(["end"]);
  expect(file.findKnown(0)).toBeUndefined();
});

test("must be written down again while its first bytes are still coming", async () => {
  const file = follow("one\n");
  for (const want of [true, true, false]) {
    await file.look();
    expect(file.isNew).toBe(want);
    file.isNew = false;
    appendFileSync(path, `${"x".repeat(300)}\n`);
  }
});

test("a name that leads elsewhere is told", async () => {
  const file = follow("one\n");
  await file.look();
  await file.close();
  const kept = join(folder, "kept");
  writeFileSync(kept, "");
  rmSync(path);
  writeFileSync(path, "two\n");
  expect((await file.look()).state).toBe(
    statSync(path, { bigint: true }).ino === BigInt(file.inode) ? "truncated" : "gone",
  );
});
