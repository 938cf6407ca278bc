import { expect, test } from "vitest";
import { EVENT_CHARS_MAX, readEvents, type ServerSentEvent } from "./read-events.ts";

async function read(...chunks: (string | Buffer)[]): Promise<ServerSentEvent[]> {
  const bytes = chunks.map((chunk) => new Uint8Array(Buffer.from(chunk)));
  const events: ServerSentEvent[] = [];
  for await (const event of readEvents(ReadableStream.from(bytes))) events.push(event);
  return events;
}

test("gives events, however they were cut", async () => {
  const text =
    'retry: 1\n\nid: 7\ndata: {"a":"ä"}\n\n: heartbeat\n\nevent: problem\ndata: x\ndata: y\n\n';
  const want = [
    { event: "message", data: '{"a":"ä"}', id: "7" },
    { event: "problem", data: "x\ny", id: undefined },
  ];
  expect(await read(text)).toEqual(want);
  expect(await read(...Array.from(Buffer.from(text), (byte) => Buffer.from([byte])))).toEqual(want);
  expect(await read(text.replaceAll("\n", "\r\n"))).toEqual(want);
});

test("an id alone only moves the place", async () => {
  expect(await read("id: 9\n\n")).toEqual([{ event: "place", data: "", id: "9" }]);
});

test("an event that is cut off is none", async () => {
  expect(await read("data: half")).toEqual([]);
});

test("an event without an end does not fill the memory", async () => {
  const piece = "x".repeat(EVENT_CHARS_MAX / 4);
  await expect(read("data: ", piece, piece, piece, piece, piece)).rejects.toThrow("longer than");
});
