import { PassThrough } from "node:stream";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { LineSource, RecordOrigin } from "./line-source.ts";
import type { AssembledRecord } from "./record-assembler.ts";
import { StreamReader, stdinOrigin } from "./stream-reader.ts";

let texts: string[];
let uids: string[];
const stopping = new AbortController();

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  texts = [];
  uids = [];
});
afterEach(() => vi.useRealTimers());

function read(stream: PassThrough, hand: () => Promise<void> = async () => undefined) {
  const lines: Pick<LineSource, "hand"> = {
    async hand(records: readonly AssembledRecord[], origin: RecordOrigin) {
      texts.push(...records.map(({ text }) => text));
      uids.push(...records.map(origin.uidOf));
      if (records.length > 0) await hand();
    },
  };
  const reader = new StreamReader({ lines, multiline: "auto", signal: stopping.signal });
  return reader.read(stream, stdinOrigin());
}

const soon = (check: () => void) => vi.waitFor(check, { timeout: 5000, interval: 5 });

test("reads to the end, with the last line that has none; ids are of this run", async () => {
  const stream = new PassThrough();
  const reading = read(stream);
  stream.write("one\ntwo\n  more\n");
  stream.end("three");
  await reading;
  expect(texts).toEqual(["one", "two\n  more", "three"]);
  expect(uids[0]).toMatch(/^[0-9a-f]{32}-1$/);
  expect(new Set(uids).size).toBe(3);
});

test("a record that nothing follows is over after a second or two", async () => {
  const stream = new PassThrough();
  const reading = read(stream);
  stream.write("one\n  more\n");
  await soon(() => expect(stream.readableLength).toBe(0));
  await vi.advanceTimersByTimeAsync(2000);
  expect(texts).toEqual(["one\n  more"]);
  stream.end("  late\n");
  await reading;
  expect(texts).toEqual(["one\n  more", "  late"]);
});

test("what cannot be sent ends the reading, also where only time ended the record", async () => {
  const stream = new PassThrough();
  const reading = read(stream, () => Promise.reject(new Error("refused")));
  const outcome = expect(reading).rejects.toThrow("refused");
  stream.write("one\n");
  await soon(() => expect(stream.readableLength).toBe(0));
  await vi.advanceTimersByTimeAsync(2000);
  await outcome;
});

test("a byte order mark and UTF-16", async () => {
  const stream = new PassThrough();
  const reading = read(stream);
  stream.end(Buffer.from("\ufeffzwölf\r\n", "utf16le"));
  await reading;
  expect(texts).toEqual(["zwölf"]);
});

test("a stream that breaks is told; what was read before is handed over", async () => {
  const stream = new PassThrough();
  const reading = read(stream);
  const outcome = expect(reading).rejects.toThrow("cannot read stdin: broken");
  stream.write("one\ntwo");
  await soon(() => expect(stream.readableLength).toBe(0));
  stream.destroy(new Error("broken"));
  await outcome;
  expect(texts).toEqual(["one", "two"]);
});
