import { randomFillSync } from "node:crypto";
import { createRequire } from "node:module";
import { expect, test } from "vitest";
import type { OutgoingMessage } from "../bus.ts";
import { decodeHeaders } from "./kafka-headers.ts";
import { encodeRecordBatch } from "./record-batch.ts";
import { recordsBytesMax, writeRecords } from "./records.ts";
import { registerZstd } from "./zstd-codec.ts";

/** kafkajs's own reader, with the checksum verified as a broker does. */
const require = createRequire(import.meta.url);
const Decoder = require("kafkajs/src/protocol/decoder.js");
const decodeBatch = require("kafkajs/src/protocol/recordBatch/v0/decoder.js");
const crcOfKafkajs = require("kafkajs/src/protocol/recordBatch/crc32C/index.js");

const NOW_MS = 1_700_000_000_123;

function message(requestId: string, value: Uint8Array): OutgoingMessage {
  const headers = { requestId, part: 3, records: 4_000_000_000, receivedNs: 5n, repeat: true };
  return { topic: "logs", headers, value };
}

test.each<[string, readonly OutgoingMessage[]]>([
  ["one small message", [message("a", Buffer.from("value"))]],
  ["an empty value, and an empty id", [message("", Buffer.alloc(0))]],
  ["letters of several bytes", [message("ü-☃-𐍈", Buffer.from([0, 255]))]],
  ["a plain Uint8Array", [message("u", new Uint8Array([1, 2, 3]))]],
  [
    "lengths around the bounds of a varint",
    [63, 64, 8191, 8192, 1_048_575, 1_048_576].map((bytes) =>
      message(`${bytes}`, randomFillSync(Buffer.alloc(bytes))),
    ),
  ],
  ["more than the scratch buffer holds", [message("l", Buffer.alloc(3_000_000, "log "))]],
  [
    "300 messages",
    Array.from({ length: 300 }, (_, i) => message(`${i}`, Buffer.from(`value ${i}`))),
  ],
])("kafkajs reads %s as it was written", async (_, messages) => {
  registerZstd();
  const batch = encodeRecordBatch(messages, NOW_MS);
  expect(batch.readUInt32BE(17)).toBe(crcOfKafkajs(batch.subarray(21)));
  expect([batch.readInt8(16), batch.readInt16BE(21)]).toEqual([2, 4]);
  const decoded = await decodeBatch(new Decoder(batch));
  expect(decoded).toMatchObject({
    lastOffsetDelta: messages.length - 1,
    firstTimestamp: String(NOW_MS),
    maxTimestamp: String(NOW_MS),
    producerId: "-1",
  });
  expect(decoded.records).toHaveLength(messages.length);
  for (const [i, want] of messages.entries()) {
    const { headers, value, offset, key, timestamp } = decoded.records[i];
    expect(Buffer.compare(value, want.value)).toBe(0);
    expect({ offset, key, timestamp }).toEqual({
      offset: `${i}`,
      key: null,
      timestamp: `${NOW_MS}`,
    });
    const place = { topic: "t", partition: 0, offset, timestamp };
    expect(decodeHeaders({ ...place, headers })).toEqual(want.headers);
  }
});

test("records take no more bytes than was said", () => {
  const messages = [message("i".repeat(512), Buffer.alloc(100_000)), message("", Buffer.alloc(0))];
  const target = Buffer.alloc(recordsBytesMax(messages));
  expect(writeRecords(target, messages)).toBeLessThanOrEqual(target.length);
});
