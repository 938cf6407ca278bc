import { describe, expect, test } from "vitest";
import {
  encodeFrame,
  encodeSegmentHeader,
  FRAME_HEADER_BYTES,
  findSegmentHeader,
  isSegmentName,
  markFrame,
  newMarker,
  scanFrames,
  segmentName,
} from "./segment-format.ts";

const MARKER = 0xa1b2c3d4;
const RESOURCE = Buffer.from("resource");
const HEADER = encodeSegmentHeader({ marker: MARKER, signal: "traces", resource: RESOURCE });

function frame(text: string, marker = MARKER): Buffer {
  const parts = [Buffer.from(text.slice(0, 2)), Buffer.from(text.slice(2))];
  const bytes = encodeFrame({ parts, records: text.length, sequence: 2 ** 40 });
  markFrame(bytes, marker);
  return bytes;
}

function changed(bytes: Buffer, change: (copy: Buffer) => void): Buffer {
  const copy = Buffer.from(bytes);
  change(copy);
  return copy;
}

describe("a segment's header", () => {
  test("is read back", () => {
    const want = { marker: MARKER, signal: "traces", resource: RESOURCE, bytes: HEADER.length };
    expect(findSegmentHeader(HEADER)).toEqual(want);
    expect(findSegmentHeader(Buffer.concat([HEADER, frame("abc")]))).toEqual(want);
  });

  test.each([
    ["nothing", Buffer.alloc(0)],
    ["cut off anywhere in its fixed part", HEADER.subarray(0, 23)],
    ["cut off in the resource", HEADER.subarray(0, -1)],
    ["another file's beginning", changed(HEADER, (copy) => copy.write("GIF89a"))],
    ["a later version", changed(HEADER, (copy) => copy.write("2", 7))],
    ["a signal that does not exist", changed(HEADER, (copy) => copy.writeUInt32LE(7, 12))],
    ["a resource of 4 GiB", changed(HEADER, (copy) => copy.writeUInt32LE(0xffff_ffff, 16))],
    ["one wrong bit in the resource", changed(HEADER, (copy) => copy.writeUInt8(0, 30))],
    ["one wrong bit in the marker", changed(HEADER, (copy) => copy.writeUInt8(0, 9))],
  ])("is none where there is %s", (_, bytes) => {
    expect(findSegmentHeader(bytes)).toBeUndefined();
  });
});

describe("frames", () => {
  const A = frame("first");
  const B = frame("the second");
  const C = frame("third");

  /** The texts that are found, and how many bytes are passed over. */
  function check(input: Buffer[], want: { texts: string[]; damaged: number }) {
    const { frames, damagedBytes } = scanFrames(Buffer.concat(input), { marker: MARKER });
    expect(frames.map(({ payload }) => payload.toString())).toEqual(want.texts);
    expect(frames.map(({ records }) => records)).toEqual(want.texts.map((text) => text.length));
    expect(damagedBytes).toBe(want.damaged);
  }

  test("are read back, with their counts", () => {
    check([A, B, C], { texts: ["first", "the second", "third"], damaged: 0 });
    check([], { texts: [], damaged: 0 });
    const { frames } = scanFrames(A, { marker: MARKER });
    expect(frames[0]).toMatchObject({ at: 0, bytes: A.length, sequence: 2 ** 40 });
  });

  const garbage = Buffer.from("garbage");
  const long = changed(B, (copy) => copy.writeUInt32LE(0xffff_ffff, 4));
  const longer = changed(B, (copy) => copy.writeUInt32LE(B.length - FRAME_HEADER_BYTES + 1, 4));
  const shorter = changed(B, (copy) => copy.writeUInt32LE(1, 4));
  const wrong = changed(B, (copy) => copy.write("T", FRAME_HEADER_BYTES));
  const recount = changed(B, (copy) => copy.writeUInt32LE(1_000_000, 12));
  test.each<[string, Buffer[], string[], number]>([
    ["a tail of one byte", [A, B.subarray(0, 1)], ["first"], 1],
    ["a tail cut off in the frame's header", [A, B.subarray(0, 23)], ["first"], 23],
    ["a tail cut off in the payload", [A, B.subarray(0, -1)], ["first"], B.length - 1],
    ["garbage in the middle", [A, garbage, B], ["first", "the second"], garbage.length],
    ["only garbage", [garbage], [], garbage.length],
    ["a length of 4 GiB", [A, long, C], ["first", "third"], B.length],
    ["a length one too large", [A, longer, C], ["first", "third"], B.length],
    ["a length too small", [A, shorter, C], ["first", "third"], B.length],
    ["a wrong byte in the payload", [A, wrong, C], ["first", "third"], B.length],
    ["a made-up number of records", [A, recount, C], ["first", "third"], B.length],
    ["another segment's frame", [A, frame("old", 7), C], ["first", "third"], 27],
    ["zeroes, as after a power failure", [A, Buffer.alloc(4096)], ["first"], 4096],
  ])("with %s", (_, input, texts, damaged) => {
    check(input, { texts, damaged });
  });

  test("a payload that holds a marker by chance is not torn", () => {
    const text = `x${Buffer.from([0xd4, 0xc3, 0xb2, 0xa1]).toString("latin1")}y`;
    const inner = encodeFrame({ parts: [Buffer.from(text, "latin1")], records: 1, sequence: 1 });
    markFrame(inner, MARKER);
    expect(scanFrames(inner, { marker: MARKER }).frames).toHaveLength(1);
  });

  test("a file made of markers is given up before its checksums take for ever", () => {
    const hostile = Buffer.alloc(8 * 1024 * 1024);
    for (let at = 0; at < hostile.length; at += 8) {
      hostile.writeUInt32LE(MARKER, at);
      hostile.writeUInt32LE(Math.max(0, hostile.length - at - FRAME_HEADER_BYTES), at + 4);
    }
    const { frames, damagedBytes } = scanFrames(hostile, { marker: MARKER });
    expect([frames.length, damagedBytes]).toEqual([0, hostile.length]);
  });
});

test("names of segments, and markers", () => {
  expect(segmentName("logs", 12)).toBe("logs-00000012.seg");
  expect(isSegmentName(segmentName("traces", 1))).toBe(true);
  expect(["lock", "owner.json", "logs-1.seg", "../logs-00000012.seg"].some(isSegmentName)).toBe(
    false,
  );
  expect(newMarker()).not.toBe(newMarker());
});
