import { describe, expect, test } from "vitest";
import { EVENT_CHARS_MAX, EventParser, readEventStream, type StreamEvent } from "./event-stream.ts";

describe("EventParser", () => {
  const cases: readonly [name: string, pieces: string[], want: [string, string][]][] = [
    ["one event", ["data: a\n\n"], [["message", "a"]]],
    ["a named event", ["event: log\ndata: a\n\n"], [["log", "a"]]],
    ["a name is for one event only", ["event: log\n\ndata: a\n\n"], [["message", "a"]]],
    ["two data lines", ["data: a\ndata: b\n\n"], [["message", "a\nb"]]],
    [
      "cut anywhere",
      ["da", "ta: ", "a", "\n", "\nda", "ta:b\n\n"],
      [
        ["message", "a"],
        ["message", "b"],
      ],
    ],
    ["carriage returns", ["data: a\r\n\r\n"], [["message", "a"]]],
    [
      "a CRLF cut in two",
      ["data: a\r", "\n\r", "\ndata: b\r\n\r\n"],
      [
        ["message", "a"],
        ["message", "b"],
      ],
    ],
    [
      "comments and unknown fields",
      [": alive\n\nid: 7\nretry: 1\ndata: a\n\n"],
      [["message", "a"]],
    ],
    ["only one space is dropped", ["data:  a\n\n"], [["message", " a"]]],
    ["an unfinished event is held back", ["data: a\n"], []],
    ["a colon in the value", ['data: {"a":1}\n\n'], [["message", '{"a":1}']]],
  ];
  test.each(cases)("%s", (_name, pieces, want) => {
    const parser = new EventParser();
    const got = pieces.flatMap((piece) => parser.push(piece));
    expect(got.map(({ event, data }) => [event, data])).toEqual(want);
  });

  test("an id holds until the next, also one without data", () => {
    const parser = new EventParser();
    const events = parser.push("data: a\n\nid: 7\ndata: b\n\ndata: c\n\nid: 8\n\ndata: d\n\n");
    expect(events.map(({ lastEventId }) => lastEventId)).toEqual(["", "7", "7", "8"]);
  });

  test("an endless event ends the stream instead of the tab", () => {
    const parser = new EventParser();
    expect(() => parser.push(`data: ${"x".repeat(EVENT_CHARS_MAX)}`)).toThrow(/longer than/);
    const inLines = new EventParser();
    const line = `data: ${"x".repeat(EVENT_CHARS_MAX / 2)}\n`;
    expect(() => inLines.push(line + line + line)).toThrow(/longer than/);
  });
});

test("a character cut between two chunks stays whole", async () => {
  const bytes = new TextEncoder().encode("data: größe\n\n");
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  const events: StreamEvent[] = [];
  for await (const event of readEventStream(stream)) events.push(event);
  expect(events).toEqual([{ event: "message", data: "größe", lastEventId: "" }]);
});
