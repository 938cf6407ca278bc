import { describe, expect, test } from "vitest";
import { FRAME_BYTES_MAX, type SyslogFrame, SyslogFrames } from "./syslog-frames.ts";

/** The frames of a stream that comes in these pieces, as text; a mark says what is odd of one. */
function framesOf(...chunks: readonly (string | Buffer)[]): readonly string[] {
  const frames = new SyslogFrames();
  const read: SyslogFrame[] = [];
  for (const chunk of chunks) read.push(...frames.push(Buffer.from(chunk)));
  read.push(...frames.end());
  return read.map(({ bytes, part, isCut }) => {
    const marks = `${part > 0 ? `|part ${part}` : ""}${isCut ? "|cut" : ""}`;
    return `${bytes.toString("latin1")}${marks}`;
  });
}

describe("RFC 6587 §3.4: each frame says how it is framed", () => {
  test.each<[string, string, readonly string[]]>([
    ["octet counting", "5 <1>ab6 <1>abc", ["<1>ab", "<1>abc"]],
    ["a counted message with line feeds", "9 <1>a\nb\r\nc", ["<1>a\nb\r\nc"]],
    ["non-transparent framing", "<1>a\n<2>b\n", ["<1>a", "<2>b"]],
    ["CR LF: the CR is the reader's to drop", "<1>a\r\n<2>b\r\n", ["<1>a\r", "<2>b\r"]],
    ["no line feed at the end", "<1>a\n<2>b", ["<1>a", "<2>b"]],
    ["both on one connection", "5 <1>ab<2>b\n5 <3>cd<4>\n", ["<1>ab", "<2>b", "<3>cd", "<4>"]],
    ["a line feed after a counted frame", "5 <1>ab\n5 <1>cd\n", ["<1>ab", "<1>cd"]],
    ["a line feed that is counted", "6 <1>ab\n6 <1>cd\n", ["<1>ab\n", "<1>cd\n"]],
    ["empty lines are no messages", "\n\r\n\0\n<1>a\n\n", ["<1>a"]],
    ["nothing", "", []],
  ])("%s", (_, stream, want) => expect(framesOf(stream)).toEqual(want));
});

describe("hostile frames", () => {
  test.each<[string, string, readonly string[]]>([
    ["a count that is too small", "3 <1>abc\n<2>d\n", ["<1>", "abc", "<2>d"]],
    ["a count that is too large", "99 <1>a\n<2>b\n", ["<1>a\n<2>b\n|cut"]],
    ["a count with leading zeros is text", "005 <1>ab\n", ["005 <1>ab"]],
    ["zero is text", "0 <1>a\n", ["0 <1>a"]],
    [
      "a count beyond what a message may be is text",
      "1048577 <1>a\n<2>b\n",
      ["1048577 <1>a", "<2>b"],
    ],
    ["more digits than a count has", `${"9".repeat(30)} <1>a\n`, [`${"9".repeat(30)} <1>a`]],
    [
      "digits that begin a text",
      "12 monkeys\n2026-01-01 a\n7\n",
      ["12 monkeys", "2026-01-01 a", "7"],
    ],
    ["digits and nothing else", "12", ["12"]],
    ["a count and nothing else", "12 ", ["12 "]],
    ["NUL within a message", "<1>a\0b\n5 <1>\0c", ["<1>a\0b", "<1>\0c"]],
    ["bytes that are no UTF-8", Buffer.from("3c313eff0a", "hex").toString("latin1"), ["<1>ÿ"]],
  ])("%s", (_, stream, want) => {
    expect(framesOf(Buffer.from(stream, "latin1"))).toEqual(want);
  });
});

test("wherever the stream is cut, the frames are the same", () => {
  const stream = Buffer.from(
    "5 <1>ab12 <2>é\n\0 x\r\n<3>line\n\n99 bottles\n005 <1>z\n3 <4>x\n7 <5>öy\n<6>last",
  );
  const want = framesOf(stream);
  expect(want.length).toBeGreaterThan(8);
  for (let first = 0; first <= stream.length; first++) {
    expect(framesOf(stream.subarray(0, first), stream.subarray(first))).toEqual(want);
    for (let second = first; second <= stream.length; second++) {
      const cuts = [stream.subarray(0, first), stream.subarray(first, second)];
      expect(framesOf(...cuts, stream.subarray(second))).toEqual(want);
    }
  }
  expect(framesOf(...Array.from(stream, (byte) => Buffer.from([byte])))).toEqual(want);
});

describe("a message longer than a frame becomes pieces, of which nothing is missing", () => {
  const long = `<1>${"é".repeat(FRAME_BYTES_MAX)}`;
  const bytes = Buffer.from(long);

  test.each([
    ["as a line", Buffer.concat([bytes, Buffer.from("\n<2>b\n")])],
    ["counted", Buffer.concat([Buffer.from(`${bytes.length} `), bytes, Buffer.from("5 <2>bc")])],
  ])("%s", (_, stream) => {
    const frames = new SyslogFrames();
    const read: SyslogFrame[] = [];
    for (let at = 0; at < stream.length; at += 1000) {
      read.push(...frames.push(stream.subarray(at, at + 1000)));
    }
    expect([...frames.end()]).toEqual([]);
    const pieces = read.slice(0, -1);
    expect(pieces.map((frame) => frame.part)).toEqual([0, 1, 2]);
    expect(pieces.every((frame) => frame.bytes.length <= FRAME_BYTES_MAX)).toBe(true);
    // Each is valid UTF-8 for itself: no character was cut in two.
    expect(pieces.map((frame) => frame.bytes.toString()).join("")).toBe(long);
    expect(read.at(-1)).toMatchObject({ part: 0, isCut: false });
  });

  test.each([FRAME_BYTES_MAX - 1, FRAME_BYTES_MAX, FRAME_BYTES_MAX + 1])(
    "of %i bytes",
    (length) => {
      const text = `<${"x".repeat(length - 1)}`;
      const want =
        text.length > FRAME_BYTES_MAX ? [FRAME_BYTES_MAX, length - FRAME_BYTES_MAX] : [length];
      for (const stream of [`${text}\n`, `${text}\r\n`.slice(0, -2), `${length} ${text}`]) {
        const frames = new SyslogFrames();
        const read = [...frames.push(Buffer.from(stream)), ...frames.end()];
        expect(read.map((frame) => frame.bytes.length)).toEqual(want);
      }
    },
  );

  test("what is held back stays small however long the message", () => {
    const frames = new SyslogFrames();
    let pieces = 0;
    for (let sent = 0; sent < 64; sent++) {
      pieces += [...frames.push(Buffer.alloc(FRAME_BYTES_MAX, 0x78))].length;
    }
    expect(pieces).toBeGreaterThanOrEqual(62);
    const [rest] = frames.end();
    expect(rest?.bytes.length).toBeLessThanOrEqual(2 * FRAME_BYTES_MAX);
  });
});
