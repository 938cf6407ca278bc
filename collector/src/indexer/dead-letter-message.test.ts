import { expect, test } from "vitest";
import { ClewError } from "../errors.ts";
import type { DeadLetter } from "../store/store.ts";
import {
  DEAD_LETTER_MESSAGE_BYTES_MAX,
  decodeDeadLetter,
  encodeDeadLetter,
} from "./dead-letter-message.ts";

const LETTER: DeadLetter = {
  id: "letter-1",
  receivedNs: 12n,
  transactionId: "tx",
  service: "orders",
  reason: "too_large",
  detail: 'too large – "ü"',
  topic: "logs",
  original: Buffer.from([0, 1, 2]),
};

test("one message where it fits, and the same dead letter again", () => {
  const messages = encodeDeadLetter(LETTER);
  expect(messages).toHaveLength(1);
  expect(decodeDeadLetter(messages[0] ?? Buffer.alloc(0))).toEqual(LETTER);
});

test.each([
  ["just more than one message", DEAD_LETTER_MESSAGE_BYTES_MAX, 2],
  ["a large record", 5 * 1024 * 1024, 11],
])("%s: chunks below the limit that together are the original", (_name, bytes, count) => {
  const original = Buffer.from(Uint8Array.from({ length: bytes }, (_, i) => i % 251));
  const messages = encodeDeadLetter({ ...LETTER, original });
  expect(messages).toHaveLength(count);
  for (const { length } of messages) expect(length).toBeLessThan(DEAD_LETTER_MESSAGE_BYTES_MAX + 1);
  const chunks = messages.map(decodeDeadLetter);
  expect(Buffer.concat(chunks.map((chunk) => chunk.original)).equals(original)).toBe(true);
  expect(chunks.map(({ id }) => id).slice(0, 2)).toEqual(["letter-1", "letter-1.1"]);
  // The transaction has one dead letter, in however many chunks.
  expect(chunks.map(({ transactionId }) => transactionId).filter((id) => id !== "")).toEqual([
    "tx",
  ]);
  expect(chunks[0]?.detail).toBe(`${LETTER.detail} (chunk 1 of ${count})`);
  expect(chunks[1]?.detail).toBe(`chunk 2 of ${count} of letter-1`);
});

test("a bus whose messages are smaller than the head still gets on", () => {
  const messages = encodeDeadLetter({ ...LETTER, original: Buffer.alloc(3000) }, 10);
  expect(messages).toHaveLength(3);
});

const head = (json: string) => {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  return Buffer.concat([length, Buffer.from(json)]);
};
const [, , ...FIELDS] = Object.entries({ ...LETTER, original: undefined, receivedNs: "12" });
const WHOLE = Object.fromEntries([["id", "a"], ["receivedNs", "12"], ...FIELDS]);

test.each([
  ["nothing", Buffer.alloc(0)],
  ["less than its head", Buffer.from([9, 0, 0, 0, 123])],
  ["a head that is no JSON", head("{")],
  ["a head that is no object", head("7")],
  ["without an id", head(JSON.stringify({ ...WHOLE, id: undefined }))],
  ["without a time", head(JSON.stringify({ ...WHOLE, receivedNs: "-1" }))],
  ["a chunk beyond the last", head(JSON.stringify({ ...WHOLE, chunk: 2, chunks: 2 }))],
  ["a chunk that is no number", head(JSON.stringify({ ...WHOLE, chunk: "x", chunks: 2 }))],
])("%s cannot be read", (_name, message) => {
  expect(() => decodeDeadLetter(message)).toThrow(ClewError);
});
