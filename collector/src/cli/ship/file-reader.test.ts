import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openFile } from "./file-reader.ts";
import { Lane } from "./lane.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "clew-file-reader-"));
  file = join(folder, "a.log");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function read(): Promise<string> {
  const { stream } = await openFile(file);
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

async function uid(text: string, start = 0): Promise<string> {
  const { origin, stream } = await openFile(file);
  stream.destroy();
  const lane = new Lane({ position: 0, cuts: [] });
  return origin.uidOf({ text, start, end: start + text.length, lane, stream: "" });
}

test.each<[string, Buffer]>([
  ["text", Buffer.from("one\ntwo\n")],
  ["gzip", gzipSync("one\ntwo\n")],
  ["gzip of two members", Buffer.concat([gzipSync("one\n"), gzipSync("two\n")])],
  ["zstd", zstdCompressSync("one\ntwo\n")],
])("reads %s", async (_, bytes) => {
  writeFileSync(file, bytes);
  expect(await read()).toBe("one\ntwo\n");
});

test.each<[string, Buffer]>([
  ["gzip that breaks off", gzipSync("x".repeat(1000)).subarray(0, 20)],
  [
    "gzip that is broken",
    Buffer.concat([gzipSync("one\n").subarray(0, 12), Buffer.alloc(50, 0xff)]),
  ],
])("%s is an error", async (_, bytes) => {
  writeFileSync(file, bytes);
  await expect(read()).rejects.toThrow();
});

test("a folder, a file that is not there and one that is no text: one line each", async () => {
  await expect(openFile(folder)).rejects.toThrow(`cannot read ${folder}: it is a folder; name`);
  await expect(openFile(file)).rejects.toThrow(`cannot read ${file}: there is no such file`);
  writeFileSync(file, Buffer.from("\u007fELF\0\0"));
  await expect(openFile(file)).rejects.toThrow(`cannot read ${file}: it is no text`);
});

test("the same line of the same file has the same uid, also after the file has grown", async () => {
  writeFileSync(file, "first\nsecond\n");
  const before = await uid("second", 6);
  appendFileSync(file, "third\n");
  expect(await uid("second", 6)).toBe(before);
});

test("another line, place, first line or file has another uid", async () => {
  writeFileSync(file, "first\nsecond\n");
  const uids = [await uid("second", 6), await uid("second", 7), await uid("other", 6)];
  writeFileSync(file, "other\nsecond\n");
  uids.push(await uid("second", 6));
  rmSync(file);
  file = join(folder, "b.log");
  writeFileSync(file, "first\nsecond\n");
  uids.push(await uid("second", 6));
  expect(new Set(uids).size).toBe(5);
});
