import { expect, test, vi } from "vitest";
import type { OutgoingMessage } from "../bus.ts";
import { GroupCommit } from "./group-commit.ts";
import { recordBytesMax } from "./records.ts";

function message(number: number): OutgoingMessage {
  const headers = { requestId: "r", part: number, records: 1, receivedNs: 0n, repeat: false };
  return { topic: "logs", headers, value: Buffer.alloc(100) };
}

/** Batches as they are sent, each to an offset of its own; room for three messages. */
function gather(waitMs = 1_000_000) {
  const batches: number[][] = [];
  let nextOffset = 50;
  const commit = new GroupCommit({
    waitMs,
    batchBytesMax: () => 3 * recordBytesMax(message(0)),
    send: async (messages) => {
      batches.push(messages.map(({ headers }) => headers.part));
      const firstOffset = nextOffset;
      nextOffset += messages.length;
      return { partition: 2, firstOffset };
    },
  });
  return { commit, batches };
}

test("a full batch goes at once, the rest when it is told to", async () => {
  const { commit, batches } = gather();
  const positions = [0, 1, 2, 3].map((number) => commit.add(message(number)));
  expect(batches).toEqual([[0, 1, 2]]);
  commit.flush();
  commit.flush();
  expect(batches).toEqual([[0, 1, 2], [3]]);
  const offsets = (await Promise.all(positions)).map(({ offset }) => offset);
  expect(offsets).toEqual([50, 51, 52, 53]);
});

test("a message that does not fit begins the next batch", async () => {
  const { commit, batches } = gather();
  void commit.add(message(0));
  void commit.add({ ...message(1), value: Buffer.alloc(700) });
  expect(batches).toEqual([[0]]);
  commit.flush();
  expect(batches).toEqual([[0], [1]]);
});

test("a message that is alone goes after the time that it waits", async () => {
  vi.useFakeTimers();
  try {
    const { commit, batches } = gather(2);
    const position = commit.add(message(7));
    vi.advanceTimersByTime(1);
    expect(batches).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(batches).toEqual([[7]]);
    expect(await position).toEqual({ partition: 2, offset: 50 });
  } finally {
    vi.useRealTimers();
  }
});

test("all messages of a batch that fails hear of it", async () => {
  const send = async () => {
    throw new Error("away");
  };
  const commit = new GroupCommit({ waitMs: 0, batchBytesMax: () => 10_000, send });
  const outcomes = await Promise.allSettled([commit.add(message(0)), commit.add(message(1))]);
  expect(outcomes.map((outcome) => outcome.status)).toEqual(["rejected", "rejected"]);
});
