/** Files that grow and are rotated, as `clew ship --follow` meets them. */
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  openSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { asText, numbered, ShipBench, WAIT } from "./ship-harness.ts";

let bench: ShipBench;
beforeEach(async () => {
  bench = await ShipBench.start();
});
afterEach(() => bench.stop());

test("what is there, what is added, and files that come later", async () => {
  bench.write("a.log", "one\ntwo\n");
  await bench.follow({ patterns: [bench.path("*.log")] });
  await bench.stores("one", "two");
  bench.append("a.log", "three\n");
  bench.write("b.log", "four\n");
  await bench.stores("one", "two", "three", "four");
  expect(new Set(bench.received.map(({ file }) => file))).toEqual(
    new Set([bench.path("a.log"), bench.path("b.log")]),
  );
});

test("a file, and a folder, that are not there yet", async () => {
  await bench.follow({ patterns: [`${bench.logs}/later/*.log`, bench.path("x.log")] });
  await bench.notesInclude(`${bench.path("x.log")} matches no file yet`);
  bench.write("x.log", "x\n");
  await bench.stores("x");
});

test("a line without an end waits for it", async () => {
  bench.write("a.log", "whole\nhal");
  await bench.follow({ patterns: [bench.path("a.log")] });
  await bench.stores("whole");
  bench.append("a.log", "f\n");
  await bench.stores("whole", "half");
});

test("rotation by rename: the old one is read to its end, also when it is deleted", async () => {
  bench.write("a.log", "one\n");
  await bench.follow({ patterns: [bench.path("a.log")] });
  await bench.stores("one");
  bench.rename("a.log", "a.log.1");
  bench.write("a.log", "new\n");
  await bench.stores("one", "new");
  bench.append("a.log.1", "late\nno end");
  await bench.stores("one", "new", "late");
  unlinkSync(bench.path("a.log.1"));
  await bench.stores("one", "new", "late", "no end");
});

test("a file that has another name of the pattern now is not read again", async () => {
  bench.write("a.log", "one\n");
  await bench.follow({ patterns: [bench.path("a.log*")] });
  await bench.stores("one");
  bench.rename("a.log", "a.log.1");
  bench.write("a.log", "two\n");
  await bench.stores("one", "two");
  bench.rename("a.log.1", "a.log.2");
  bench.rename("a.log", "a.log.1");
  bench.write("a.log", "three\n");
  bench.append("a.log.2", "four\n");
  await bench.stores("one", "two", "three", "four");
});

test("truncation: what comes after is read from the start", async () => {
  bench.write("a.log", "one\ntwo\n");
  await bench.follow({ patterns: [bench.path("a.log")] });
  await bench.stores("one", "two");
  truncateSync(bench.path("a.log"));
  bench.append("a.log", "new\n");
  await bench.stores("one", "two", "new");
  await bench.notesInclude("was truncated");
});

test("truncation and growth past the old end between two looks", async () => {
  const old = numbered(20, "old");
  const fresh = numbered(100, "new");
  bench.write("a.log", asText(old));
  await bench.follow({ patterns: [bench.path("a.log")] });
  await bench.stores(...old);
  // One call truncates and writes: nobody can look in between.
  bench.write("a.log", asText(fresh));
  await bench.stores(...old, ...fresh);
});

test("the same first lines after truncation are new lines", async () => {
  const banner = "the application starts\n";
  bench.write("a.log", banner);
  await bench.follow({ patterns: [bench.path("a.log")] });
  await bench.stores("the application starts");
  truncateSync(bench.path("a.log"));
  await bench.notesInclude("was truncated");
  bench.append("a.log", banner);
  await bench.stores("the application starts", "the application starts");
});

test("copytruncate: a copy that matches too is no file of its own", async () => {
  const lines = numbered(50);
  bench.write("a.log", asText(lines));
  await bench.follow({ patterns: [bench.path("a.log*")] });
  await bench.stores(...lines);
  copyFileSync(bench.path("a.log"), bench.path("a.log.1"));
  truncateSync(bench.path("a.log"));
  bench.append("a.log", "after\n");
  await bench.stores(...lines, "after");
  expect(bench.received).toHaveLength(51);
});

test("a file with a name of that kind and other lines is one of its own", async () => {
  bench.write("a.log", asText(numbered(50)));
  await bench.follow({ patterns: [bench.path("a.log*")] });
  await bench.stores(...numbered(50));
  bench.write("a.log.1", asText(numbered(50, "other")));
  await bench.stores(...numbered(50), ...numbered(50, "other"));
});

test("a writer that does not append leaves a hole, which is no line", async () => {
  const file = openSync(bench.path("a.log"), "w");
  writeSync(file, asText(numbered(300)));
  await bench.follow({ patterns: [bench.path("a.log")] });
  await bench.stores(...numbered(300));
  truncateSync(bench.path("a.log"));
  writeSync(file, "after the hole\n");
  closeSync(file);
  await bench.stores(...numbered(300), "after the hole");
});

test("a file that is deleted and made anew", async () => {
  bench.write("a.log", "one\n");
  await bench.follow({ patterns: [bench.path("a.log")] });
  await bench.stores("one");
  rmSync(bench.path("a.log"));
  bench.write("a.log", "one\n");
  await bench.stores("one", "one");
});

test("a link that is turned to the next file", async () => {
  bench.write("day-1", "one\n");
  symlinkSync(bench.path("day-1"), bench.path("a.log"));
  await bench.follow({ patterns: [bench.path("a.log")] });
  await bench.stores("one");
  bench.append("day-1", "one more\n");
  bench.write("day-2", "two\n");
  symlinkSync(bench.path("day-2"), bench.path("next"));
  bench.rename("next", "a.log");
  await bench.stores("one", "one more", "two");
});

test("two names of one file are read once", async () => {
  bench.write("a.log", "one\n");
  symlinkSync(bench.path("a.log"), bench.path("b.log"));
  await bench.follow({ patterns: [bench.path("*.log"), bench.path("a.log")] });
  await bench.stores("one");
  bench.append("a.log", "two\n");
  await bench.stores("one", "two");
  expect(bench.received).toHaveLength(2);
});

test("a stack trace is one record, and the last one does not wait for ever", async () => {
  const trace = "Error: boom\n    at charge (shop.js:3:9)";
  bench.write("a.log", `before\n${trace}\n`);
  await bench.follow({ patterns: [bench.path("a.log")] });
  await bench.stores("before", trace);
});

test("what is excluded, packed or no text is not read, and told", async () => {
  bench.write("a.log", "one\n");
  bench.write("a.log.tmp", "not this\n");
  writeFileSync(bench.path("a.log.gz"), gzipSync("packed\n"));
  writeFileSync(bench.path("a.log.bin"), Buffer.from("a\0b\n"));
  await bench.follow({ patterns: [bench.path("a*")], exclude: ["*.tmp"] });
  await bench.notesInclude(`${bench.path("a.log.gz")}: it is compressed; ship it without --follow`);
  await bench.notesInclude(`${bench.path("a.log.bin")}: it is no text`);
  await bench.stores("one");
});

test("byte order marks, UTF-16 and line ends of Windows", async () => {
  bench.write("utf8.log", "\ufefföne\r\n");
  const wide = Buffer.from("\ufefftwö\r\nthree\r\n", "utf16le");
  writeFileSync(bench.path("wide.log"), wide.subarray(0, 7));
  await bench.follow({ patterns: [bench.path("*.log")] });
  await bench.stores("öne");
  appendFileSync(bench.path("wide.log"), wide.subarray(7));
  await bench.stores("öne", "twö", "three");
});

test("streams of a container keep their names and times", async () => {
  const at = "2026-01-31T12:00:00Z";
  bench.write("pod.log", `${at} stdout P half \n${at} stderr F oops\n${at} stdout F whole\n`);
  await bench.follow({ patterns: [bench.path("pod.log")] });
  await bench.stores("half whole", "oops");
  const streams = bench.received.map(({ text, attributes }) => [text, attributes["log.iostream"]]);
  expect(Object.fromEntries(streams)).toEqual({ "half whole": "stdout", oops: "stderr" });
});

test("--from-end: at the very first start only what is added", async () => {
  bench.write("a.log", asText(numbered(10, "old")));
  const options = { patterns: [bench.path("*.log")], fromEnd: true };
  const first = await bench.follow(options);
  await bench.isRemembered();
  bench.write("b.log", "in b\n");
  await bench.stores("in b");
  bench.append("a.log", "added\n");
  await bench.stores("in b", "added");
  await first.stop();
  bench.write("c.log", "while away\n");
  bench.append("a.log", "too\n");
  await bench.follow(options);
  await bench.stores("in b", "added", "while away", "too");
});

test("more files than may be open: few descriptors, and every line", async () => {
  const names = numbered(600, "file").map((name) => `${name}.log`);
  for (const name of names) bench.write(name, `first ${name}\n`);
  const openFiles = () => readdirSync("/proc/self/fd").length;
  const before = openFiles();
  await bench.follow({ patterns: [bench.path("*.log")] });
  await vi.waitFor(() => expect(bench.stored).toHaveLength(600), WAIT);
  expect(openFiles() - before).toBeLessThan(300);
  for (const name of names) bench.append(name, `second ${name}\n`);
  await vi.waitFor(() => expect(bench.stored).toHaveLength(1200), WAIT);
  for (const name of names.slice(0, 50)) {
    bench.append(name, `third ${name}\n`);
    bench.rename(name, `${name}.1`);
  }
  await vi.waitFor(() => expect(bench.stored).toHaveLength(1250), WAIT);
  expect(new Set(bench.stored).size).toBe(1250);
  expect(bench.received).toHaveLength(1250);
});

test("a writer that is faster than the shipper loses nothing", async () => {
  bench.write("a.log", "");
  await bench.follow({ patterns: [bench.path("a.log")] });
  const lines = numbered(30_000);
  for (let at = 0; at < lines.length; at += 500)
    bench.append("a.log", asText(lines.slice(at, at + 500)));
  await vi.waitFor(() => expect(bench.stored).toHaveLength(30_000), WAIT);
  // Several batches are under way at a time, in whatever order they arrive.
  expect(new Set(bench.stored)).toEqual(new Set(lines));
});
