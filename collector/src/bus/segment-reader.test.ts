import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { OutgoingMessage } from "./bus.ts";
import { EmbeddedBus } from "./embedded-bus.ts";
import {
  ENTRY_HEADER_BYTES,
  encodeEntryHeader,
  SEGMENT_HEADER_BYTES,
  segmentPath,
} from "./segment-format.ts";
import { listSegments } from "./segment-reader.ts";

const MIB = 1024 * 1024;
const REQUEST_ID_BYTES = 1;

let dir: string;
let reports: string[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "clew-segment-"));
  reports = [];
});

afterEach(() => rmSync(dir, { recursive: true }));

test("a last entry cut off at any byte is never seen, and its offset is used again", async () => {
  await publish(["a", "b", "c"]);
  const whole = readFileSync(segmentPath(dir, 0));
  const lastStart = whole.length - entryBytes("c");
  let cuts = 0;
  for (let bytes = lastStart; bytes < whole.length; bytes++) {
    restart(whole.subarray(0, bytes));
    expect(await deliveredAfter(["new"])).toEqual(["0 a", "1 b", "2 new"]);
    cuts++;
  }
  expect(cuts).toBe(ENTRY_HEADER_BYTES + 2);
});

test("a last entry with any byte wrong is never seen", async () => {
  await publish(["a", "b", "c"]);
  const whole = readFileSync(segmentPath(dir, 0));
  for (let at = whole.length - entryBytes("c"); at < whole.length; at++) {
    const wrong = Buffer.from(whole);
    wrong[at] = (wrong[at] as number) ^ 0x55;
    restart(wrong);
    expect(await deliveredAfter(["new"])).toEqual(["0 a", "1 b", "2 new"]);
  }
});

test("whatever a lost sync leaves after the last entry is cut off", async () => {
  await publish(["a"]);
  const whole = readFileSync(segmentPath(dir, 0));
  for (const tail of [Buffer.alloc(1), Buffer.alloc(5000), Buffer.alloc(5000, 0xff)]) {
    restart(Buffer.concat([whole, tail]));
    expect(await deliveredAfter(["new"])).toEqual(["0 a", "1 new"]);
    expect(readFileSync(segmentPath(dir, 0)).length).toBe(whole.length);
  }
});

test("a damaged entry among others is passed over and told, wherever it is damaged", async () => {
  await publish(["a", "b", "c"]);
  await publish(["d"]);
  const whole = readFileSync(segmentPath(dir, 0));
  const second = readFileSync(segmentPath(dir, 3));
  const start = SEGMENT_HEADER_BYTES + entryBytes("a");
  for (let at = start; at < start + entryBytes("b"); at++) {
    const wrong = Buffer.from(whole);
    wrong[at] = (wrong[at] as number) ^ 0x55;
    restart(wrong);
    writeFileSync(segmentPath(dir, 3), second);
    reports = [];
    expect(await deliveredAfter(["new"])).toEqual(["0 a", "2 c", "3 d", "4 new"]);
    expect(reports.join("\n")).toContain(`bytes ${start} to ${start + entryBytes("b")}`);
  }
});

test("a damaged entry in the last segment, with good ones after it, costs itself", async () => {
  await publish(["a", "b", "c"]);
  const wrong = readFileSync(segmentPath(dir, 0));
  wrong.fill(0, SEGMENT_HEADER_BYTES, SEGMENT_HEADER_BYTES + 10);
  restart(wrong);
  expect(await deliveredAfter(["new"])).toEqual(["1 b", "2 c", "3 new"]);
  expect(reports.length).toBeGreaterThan(0);
});

test("a segment whose header is damaged gives its entries", async () => {
  await publish(["a", "b"]);
  await publish(["c"]);
  const wrong = readFileSync(segmentPath(dir, 0));
  wrong.fill(0, 0, SEGMENT_HEADER_BYTES);
  writeFileSync(segmentPath(dir, 0), wrong);
  expect(await deliveredAfter([])).toEqual(["0 a", "1 b", "2 c"]);
  expect(reports.join()).toContain("header is damaged");
});

test("a segment that ends early, or is empty, gives way to the next", async () => {
  await publish(["a", "b"]);
  await publish(["c"]);
  const whole = readFileSync(segmentPath(dir, 0));
  for (const [bytes, want] of [
    [whole.length - 1, ["0 a", "2 c"]],
    [SEGMENT_HEADER_BYTES + 3, ["2 c"]],
    [SEGMENT_HEADER_BYTES, ["2 c"]],
    [7, ["2 c"]],
    [0, ["2 c"]],
  ] as const) {
    writeFileSync(segmentPath(dir, 0), whole.subarray(0, bytes));
    expect(await deliveredAfter([])).toEqual(want);
  }
});

test("what a client sends cannot pass for an entry", async () => {
  const forged = message("forged");
  const marker = 0x01020304;
  const entry = Buffer.concat([encodeEntryHeader(forged, { marker, offset: 9 }), forged.value]);
  await publish(["a", entry, "b"]);
  await publish(["c"]);
  const wrong = readFileSync(segmentPath(dir, 0));
  wrong[SEGMENT_HEADER_BYTES + entryBytes("a") + 8] = 0;
  writeFileSync(segmentPath(dir, 0), wrong);
  expect(await deliveredAfter([])).toEqual(["0 a", "2 b", "3 c"]);
});

test("what follows in a file that was given up does not count", async () => {
  await publish(["a", "b", "rejected"]);
  await publish(["c"]);
  copyFileSync(segmentPath(dir, 3), join(dir, "kept"));
  rmSync(segmentPath(dir, 3));
  // The next segment begins at 2: the entry with that offset was rejected and not cut off.
  const other = mkdtempSync(join(tmpdir(), "clew-segment-"));
  const sent = dir;
  dir = other;
  await publish(["x", "y"]);
  await publish(["instead"]);
  copyFileSync(segmentPath(other, 2), segmentPath(sent, 2));
  rmSync(other, { recursive: true });
  dir = sent;
  expect(await deliveredAfter([])).toEqual(["0 a", "1 b", "2 instead"]);
});

test("other files in the directory are left alone", async () => {
  await publish(["a"]);
  for (const name of ["1.log", "x.log", "00000000000000000000.log.bak", "notes"]) {
    writeFileSync(join(dir, name), "mine");
  }
  expect(listSegments(dir)).toEqual([0]);
  expect(await deliveredAfter(["b"])).toEqual(["0 a", "1 b"]);
});

/** Each bus begins a segment of its own. */
async function publish(values: readonly (string | Buffer)[]): Promise<void> {
  const bus = await openBus();
  for (const value of values) await bus.publish(message(value));
  await bus.stop();
}

/** Opens the bus, publishes, and reads all there is. */
async function deliveredAfter(values: readonly string[]): Promise<string[]> {
  const bus = await openBus();
  for (const value of [...values, "end"]) await bus.publish(message(value));
  const consumer = await bus.openConsumer(new Map());
  const signal = AbortSignal.timeout(10_000);
  const delivered: string[] = [];
  while (!delivered.at(-1)?.endsWith(" end")) {
    const messages = await consumer.read({ maxBytes: MIB, signal });
    expect(messages.length).toBeGreaterThan(0);
    for (const { offset, value } of messages) delivered.push(`${offset} ${Buffer.from(value)}`);
  }
  await bus.stop();
  return delivered.slice(0, -1);
}

function openBus(): Promise<EmbeddedBus> {
  return EmbeddedBus.open({
    dir,
    maxInFlightBytes: MIB,
    nowNs: () => 1n,
    report: (line) => reports.push(line),
  });
}

/** Leaves one segment with these bytes, and nothing committed. */
function restart(bytes: Uint8Array): void {
  for (const first of listSegments(dir)) rmSync(segmentPath(dir, first));
  writeFileSync(segmentPath(dir, 0), bytes);
}

function message(value: string | Buffer): OutgoingMessage {
  const headers = { requestId: "r", part: 0, records: 1, receivedNs: 1n, repeat: false };
  return { topic: "logs", headers, value: Buffer.from(value) };
}

function entryBytes(value: string): number {
  return ENTRY_HEADER_BYTES + REQUEST_ID_BYTES + value.length;
}
