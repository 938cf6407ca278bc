import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import type { MessageHeaders, OutgoingMessage } from "./bus.ts";
import { encodeEntryHeader, parseEntry } from "./segment-format.ts";

const MARKER = 0x11223344;
const PLACE = { marker: MARKER, offset: 5 };
const HEADERS: MessageHeaders = {
  ...{ requestId: "id", part: 3, records: 7, receivedNs: 0x0102030405060708n, repeat: true },
};
const VALUE = Buffer.from("value");
const FLAGS_AT = 37;
const CRC_AT = 8;

function entry(headers: MessageHeaders): Buffer {
  const message: OutgoingMessage = { topic: "traces", headers, value: VALUE };
  return Buffer.concat([encodeEntryHeader(message, PLACE), VALUE]);
}

function parse(bytes: Buffer) {
  return parseEntry(bytes, { at: 0, marker: MARKER, bytesLeft: bytes.length });
}

/** With the checksum right again, as a program would write it that knows another layout. */
function changed(bytes: Buffer, change: (bytes: Buffer) => void): Buffer {
  const copy = Buffer.from(bytes);
  change(copy);
  copy.writeUInt32LE(crc32(copy.subarray(CRC_AT + 4)), CRC_AT);
  return copy;
}

test("an entry has the bytes that it has had since the first version", () => {
  const layout = [
    ["44332211", "marker"],
    ["2f000000", "length: 47"],
    ["00000000", "crc32"],
    ["0500000000000000", "offset"],
    ["0807060504030201", "receivedNs"],
    ["07000000", "records"],
    ["03000000", "part"],
    ["01", "topic"],
    ["01", "flags"],
    ["0200", "bytes of the request id"],
    [Buffer.from("idvalue").toString("hex"), "request id and value"],
  ];
  const written = entry(HEADERS).toString("hex");
  const checksum = written.slice(CRC_AT * 2, CRC_AT * 2 + 8);
  const expected = layout.map(([hex, name]) => (name === "crc32" ? checksum : hex)).join("");
  expect(written).toBe(expected);
  expect(parse(Buffer.from(expected, "hex"))).toMatchObject({
    kind: "entry",
    message: { topic: "traces", offset: 5, headers: HEADERS },
  });
});

test.each<[string, Partial<MessageHeaders>]>([
  ["an id and a time", { recordId: "run-ü-17", replayedNs: 2n ** 64n - 1n }],
  ["an id alone", { recordId: "run-17" }],
  ["a time alone", { replayedNs: 1n }],
])("of a replay %s are read back, and the value is whole", (_name, replay) => {
  const parsed = parse(entry({ ...HEADERS, ...replay }));
  if (parsed.kind !== "entry") throw new Error(`it is ${parsed.kind}`);
  expect(parsed.message.headers).toEqual({ ...HEADERS, ...replay });
  expect(Buffer.from(parsed.message.value).toString()).toBe("value");
});

test("a record id that reaches beyond its entry is no entry's", () => {
  const replay = entry({ ...HEADERS, recordId: "run-17" });
  const idLengthAt = 40 + 2 + 8;
  const beyond = changed(replay, (bytes) => bytes.writeUInt16LE(60_000, idLengthAt));
  expect(parse(beyond)).toMatchObject({ kind: "bad", why: expect.stringContaining("length") });
  const short = changed(entry(HEADERS), (bytes) => bytes.writeUInt8(3, FLAGS_AT));
  expect(parse(short)).toMatchObject({ kind: "bad", why: expect.stringContaining("length") });
});

test("every cut of a replay is told from a whole one", () => {
  const whole = entry({ ...HEADERS, recordId: "run-17", replayedNs: 9n });
  for (let bytes = 0; bytes < whole.length; bytes++) {
    expect(parse(whole.subarray(0, bytes)).kind).toBe("bad");
  }
});
