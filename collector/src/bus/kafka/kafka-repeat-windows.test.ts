import { expect, test } from "vitest";
import type { DeliveredMessage } from "../bus.ts";
import { KafkaRepeatWindows } from "./kafka-repeat-windows.ts";

const BOUNDS = { messagesMax: 2, bytesMax: 1000 };
const OURS = "clew.repeat.before=0";

function message(offset: number, partition = "logs/0"): DeliveredMessage {
  const headers = { requestId: "r", part: 0, records: 1, receivedNs: 1n, repeat: false };
  return { topic: "logs", partition, offset, headers, value: Buffer.alloc(1) };
}

/** How many from `next` on are marked, each acknowledged at once. */
function countMarked(windows: KafkaRepeatWindows, next: number): number {
  for (let count = 0; ; count++) {
    if (!windows.handOut(message(next + count))?.headers.repeat) return count;
    windows.acknowledged("logs/0", next + count + 1);
  }
}

test.each<[string, number | undefined, string, number]>([
  ["ours: the window alone", 10, OURS, 2],
  ["ours, in the midst of what is doubtful", 10, "clew.repeat.before=15", 7],
  ["set by hand, with nothing beside it", 10, "", 12],
  ["by another program", 10, "consumer-7", 12],
  ["of other meaning", 10, "clew.repeat.before=all", 12],
  ["of another topic of this name", 90, OURS, 12],
  ["none at all", undefined, "", 12],
])("what may be a repeat after a commit that is %s", (_name, committed, metadata, want) => {
  const windows = new KafkaRepeatWindows(BOUNDS);
  windows.start("logs/0", { next: 10, offsets: { low: 0, end: 20, committed, metadata } });
  expect(countMarked(windows, 10)).toBe(want);
});

test("carries on how far it is doubtful with each commit", () => {
  const windows = new KafkaRepeatWindows(BOUNDS);
  const offsets = { low: 0, end: 20, committed: undefined, metadata: "" };
  windows.start("logs/0", { next: 0, offsets });
  const metadata = windows.metadata("logs/0") ?? "";
  windows.clear();
  windows.start("logs/0", { next: 7, offsets: { ...offsets, committed: 7, metadata } });
  expect(countMarked(windows, 7)).toBe(13 + 2);
});

test("waits for a commit in one partition, not in another", () => {
  const windows = new KafkaRepeatWindows(BOUNDS);
  const offsets = { low: 0, end: 0, committed: 0, metadata: OURS };
  for (const partition of ["logs/0", "logs/1"]) windows.start(partition, { next: 0, offsets });
  expect(windows.handOut(message(0))).toBeDefined();
  expect(windows.handOut(message(1))).toBeDefined();
  expect(windows.handOut(message(2))).toBeUndefined();
  expect(windows.handOut(message(0, "logs/1"))).toBeDefined();
  windows.acknowledged("logs/0", 1);
  expect(windows.handOut(message(2))).toBeDefined();
});

test("does nothing where the store keeps positions", () => {
  const windows = new KafkaRepeatWindows(undefined);
  windows.start("logs/0", { next: 0, offsets: { low: 0, end: 9, committed: 0, metadata: "" } });
  for (let offset = 0; offset < 5; offset++) {
    expect(windows.handOut(message(offset))?.headers.repeat).toBe(false);
  }
  expect(windows.metadata("logs/0")).toBeNull();
});
