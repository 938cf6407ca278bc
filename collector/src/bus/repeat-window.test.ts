import { describe, expect, test } from "vitest";
import type { DeliveredMessage } from "./bus.ts";
import { REPEAT_BOUNDS, type RepeatBounds, RepeatWindow } from "./repeat-window.ts";

const BOUNDS: RepeatBounds = { messagesMax: 4, bytesMax: 1000 };

function message(offset: number, bytes = 10): DeliveredMessage {
  const headers = { requestId: "r", part: 0, records: 1, receivedNs: 1n, repeat: false };
  return { topic: "logs", partition: "logs/0", offset, headers, value: Buffer.alloc(bytes) };
}

/** Reads on until a commit must be acknowledged; answers what was given, repeats negative. */
function readOn(window: RepeatWindow, messages: Iterable<DeliveredMessage>): number[] {
  const given: number[] = [];
  for (const each of messages) {
    if (!window.admits(each)) break;
    const { offset, headers } = window.handOut(each);
    given.push(headers.repeat ? -offset : offset);
  }
  return given;
}

describe("how far it is written", () => {
  test("no more messages than the bound beyond what is acknowledged", () => {
    const window = new RepeatWindow({ bounds: BOUNDS, start: 10 });
    const from = (first: number) => Array.from({ length: 20 }, (_, i) => message(first + i));
    expect(readOn(window, from(10))).toHaveLength(4);
    window.acknowledged(12);
    expect(readOn(window, from(14))).toHaveLength(2);
    window.acknowledged(11);
    expect(readOn(window, from(16))).toEqual([]);
    window.acknowledged(16);
    expect(readOn(window, from(16))).toHaveLength(4);
  });

  test("no more bytes either, but one message however large it is", () => {
    const window = new RepeatWindow({ bounds: BOUNDS, start: 0 });
    expect(readOn(window, [message(0, 600), message(1, 400), message(2, 1)])).toHaveLength(2);
    window.acknowledged(2);
    expect(readOn(window, [message(2, 5000), message(3, 0)])).toHaveLength(1);
    window.acknowledged(3);
    expect(readOn(window, [message(3, 0)])).toHaveLength(1);
  });
});

describe("what is marked", () => {
  test("the first messages within the bounds, by number and by bytes", () => {
    const few = new RepeatWindow({ bounds: BOUNDS, start: 5 });
    const given: number[] = [];
    for (let offset = 5; offset < 12; offset++) {
      given.push(...readOn(few, [message(offset)]));
      few.acknowledged(offset + 1);
    }
    expect(given).toEqual([-5, -6, -7, -8, 9, 10, 11]);
    const large = new RepeatWindow({ bounds: BOUNDS, start: 5 });
    expect(readOn(large, [message(5, 5000)])).toEqual([-5]);
    large.acknowledged(6);
    expect(readOn(large, [message(6, 1)])).toEqual([6]);
  });

  test("what is doubtful, however much it is, and as much again behind it", () => {
    const window = new RepeatWindow({ bounds: BOUNDS, start: 0, doubtfulBefore: 8 });
    const given: number[] = [];
    for (let offset = 1; offset < 15; offset++) {
      given.push(...readOn(window, [message(offset)]));
      window.acknowledged(offset + 1);
    }
    expect(given).toEqual([-1, -2, -3, -4, -5, -6, -7, -8, -9, -10, -11, 12, 13, 14]);
  });

  test("a message that is one already stays one", () => {
    const window = new RepeatWindow({ bounds: { messagesMax: 1, bytesMax: 1 }, start: 0 });
    const sent = message(1);
    readOn(window, [message(0)]);
    window.acknowledged(1);
    const resent = { ...sent, headers: { ...sent.headers, repeat: true } };
    expect(window.handOut(resent).headers.repeat).toBe(true);
    window.acknowledged(2);
    expect(window.handOut(message(2)).headers.repeat).toBe(false);
  });
});

/**
 * Readers of one partition, each killed at any moment with any part of its commits acknowledged:
 * whatever was handed out before is marked when it is handed out again.
 */
test("nothing is handed out twice without a mark, whoever is killed when", () => {
  const random = seeded(42);
  const log = Array.from({ length: 400 }, (_, i) => message(3 * i, Math.floor(random() * 700)));
  const written = new Set<number>();
  let committed = 0;
  let repeats = 0;
  while (committed < 3 * (log.length - 10)) {
    const window = new RepeatWindow({ bounds: BOUNDS, start: committed });
    let next = log.findIndex(({ offset }) => offset >= committed);
    for (let steps = Math.floor(random() * 30); steps > 0; steps--) {
      const each = log[next];
      if (each === undefined) break;
      if (random() < 0.5 && window.admits(each)) {
        const { offset, headers } = window.handOut(each);
        if (written.has(offset)) {
          expect(headers.repeat).toBe(true);
          repeats++;
        }
        written.add(offset);
        next++;
      } else {
        const reached = log[next - 1];
        if (reached === undefined || reached.offset < committed) continue;
        committed += Math.floor(random() * (reached.offset + 2 - committed));
        window.acknowledged(committed);
      }
    }
  }
  expect(repeats).toBeGreaterThan(50);
});

test("the bounds leave room for what the indexer has in hand", () => {
  expect(REPEAT_BOUNDS.messagesMax).toBeGreaterThan(1000);
  expect(REPEAT_BOUNDS.bytesMax).toBeGreaterThanOrEqual(8 * 1024 * 1024);
});

/** mulberry32 */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
