import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { PositionFiles } from "./position-files.ts";
import { type KnownFile, mergePositions, parsePositions } from "./position-format.ts";
import { PositionStore } from "./position-store.ts";

let dir: string;
let notes: string[];
const giveUp = new AbortController();

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "clew-positions-"));
  notes = [];
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const open = (folder = dir) =>
  PositionStore.open({ dir: folder, note: (text) => notes.push(text), signal: giveUp.signal });
const text = (name: string) => readFileSync(join(dir, name), "utf8");
const saved = () => mergePositions(parsePositions(text("positions")), text("positions.journal"));

function file(position: number): KnownFile {
  const where = { device: "1", inode: "2", path: "/logs/a.log" };
  return { id: "id", ...where, position, lanes: {}, marks: [], seenMs: 0 };
}

test("what was saved is there at the next start, and whether all was over", async () => {
  const first = await open();
  expect(first.loaded).toBeUndefined();
  first.collect = () => [file(5)];
  await first.close(true);
  const second = await open();
  expect(second.loaded).toEqual({ isWhole: true, files: [file(5)] });
  await second.close(false);
  const third = await open();
  expect(third.loaded).toEqual({ isWhole: false, files: [file(5)] });
  await third.close(false);
});

test("resolves only once all that was told of is on disk, also during a save", async () => {
  const store = await open();
  let position = 0;
  await store.save();
  store.collect = () => [file(position)];
  const waits: Promise<void>[] = [];
  for (position = 1; position <= 50; position++) {
    store.changeFirst({ findKnown: () => file(position) });
    const least = position;
    waits.push(
      store.durable().then(() => {
        expect(saved().files[0]?.position).toBeGreaterThanOrEqual(least);
        expect(saved().isWhole).toBe(false);
      }),
    );
    if (position % 10 === 0) await new Promise(setImmediate);
  }
  await Promise.all(waits);
  await store.close(true);
});

test("a change that nothing rests on is saved by itself", async () => {
  const store = await open();
  store.collect = () => [file(7)];
  store.change();
  await vi.waitFor(() => expect(saved().files[0]?.position).toBe(7), { timeout: 10_000 });
  await store.close(true);
});

test("where nothing changed there is nothing to wait for", async () => {
  const store = await open();
  await store.durable();
  await store.close(true);
  expect(notes).toEqual([]);
});

test("a folder that cannot be one is told in one line", async () => {
  writeFileSync(join(dir, "file"), "");
  await expect(open(join(dir, "file", "below"))).rejects.toThrow(
    /^cannot save positions in .+: a part of the path is no folder; give a folder that can be/,
  );
  await expect(open(join(dir, "file"))).rejects.toThrow(/: it is no folder; give a folder/);
});

test("the folder is free again after the end, and after a start that failed", async () => {
  writeFileSync(join(dir, "positions"), "nonsense");
  await expect(open()).rejects.toThrow("cannot read the positions");
  rmSync(join(dir, "positions"));
  await (await open()).close(true);
  await (await open()).close(true);
});

test("the journal is there at the next start, but for a line that was cut off", async () => {
  const store = await open();
  await store.save();
  store.changeFirst({ findKnown: () => file(3) });
  await store.durable();
  appendFileSync(join(dir, "positions.journal"), '{"id":"cut o');
  expect(new PositionFiles(dir).load()).toEqual({ isWhole: false, files: [file(3)] });
  await new PositionFiles(dir).append([file(4)]);
  expect(new PositionFiles(dir).load()?.files).toEqual([file(4)]);
  await store.close(true);
  expect(readFileSync(join(dir, "positions.journal"), "utf8")).toBe("");
});
