import { expect, test } from "vitest";
import { ClewError } from "../errors.ts";
import type { DeadLetter, DeadLetterAct } from "../store/dead-letter.ts";
import {
  DEAD_LETTER_MESSAGE_BYTES_MAX,
  decodeDeadLetterMessage,
  encodeDeadLetter,
  encodeDeadLetterActs,
} from "./dead-letter-message.ts";

const LETTER: DeadLetter = {
  id: "letter-1",
  receivedNs: 12n,
  refusedNs: 2n ** 63n,
  transactionId: "tx",
  service: "orders",
  runId: "run-1",
  sequence: 17,
  reason: "too_large",
  status: 413,
  detail: 'too large – "ü"',
  topic: "logs",
  original: Buffer.from([0, 1, 2]),
  piece: null,
};
const ACT: DeadLetterAct = {
  letterId: "letter-1",
  act: "discarded",
  atNs: 14n,
  actor: "anna",
  reason: "a test's – ü",
  edited: null,
};

test("one message where it fits, and the same dead letter again", () => {
  const messages = encodeDeadLetter(LETTER);
  expect(messages).toHaveLength(1);
  expect(messages.map(lettersIn)).toEqual([[LETTER]]);
  const withoutStatus = { ...LETTER, status: null };
  expect(encodeDeadLetter(withoutStatus).map(lettersIn)).toEqual([[withoutStatus]]);
});

test.each([
  ["just more than one message", DEAD_LETTER_MESSAGE_BYTES_MAX, 2],
  ["a large record", 5 * 1024 * 1024, 11],
])("%s: chunks below the limit that together are the original", (_name, bytes, count) => {
  const original = Buffer.from(Uint8Array.from({ length: bytes }, (_, i) => i % 251));
  const messages = encodeDeadLetter({ ...LETTER, original });
  expect(messages).toHaveLength(count);
  for (const { length } of messages) expect(length).toBeLessThan(DEAD_LETTER_MESSAGE_BYTES_MAX + 1);
  const pieces = messages.flatMap(lettersIn);
  expect(Buffer.concat(pieces.map((piece) => piece.original)).equals(original)).toBe(true);
  const { original: _o, piece: _p, ...head } = LETTER;
  for (const [index, { piece, original: _, ...others }] of pieces.entries()) {
    expect(piece).toEqual({ index, count });
    expect(others).toEqual(head);
  }
});

test("a piece is told on as it is", () => {
  const piece = { ...LETTER, piece: { index: 3, count: 5 } };
  expect(encodeDeadLetter(piece).map(lettersIn)).toEqual([[piece]]);
});

test("a bus whose messages are smaller than the head still gets on", () => {
  const messages = encodeDeadLetter({ ...LETTER, original: Buffer.alloc(3000) }, 10);
  expect(messages).toHaveLength(3);
});

test("a letter of the first version was refused when it was received", () => {
  const { refusedNs: _t, runId: _r, sequence: _s, status: _c, piece: _p, ...first } = LETTER;
  const { original, receivedNs, ...texts } = first;
  const fields = { ...texts, receivedNs: String(receivedNs) };
  const message = Buffer.concat([head(JSON.stringify(fields)), original]);
  const known = { ...first, refusedNs: receivedNs, runId: "", sequence: 0, status: null };
  expect(lettersIn(message)).toEqual([{ ...known, piece: null }]);
});

test("acts, each with the bytes that are its own", () => {
  const edited = (text: string): DeadLetterAct => {
    return { ...ACT, act: "edited", edited: Buffer.from(text) };
  };
  const acts = [ACT, edited("first"), { ...ACT, act: "replayed" as const }, edited("")];
  const read = decodeDeadLetterMessage(encodeDeadLetterActs(acts));
  expect(read).toEqual({ deadLetters: [], deadLetterActs: acts });
});

const WHOLE = {
  ...{ version: 2, id: "a", receivedNs: "12", refusedNs: "12", transactionId: "", service: "" },
  ...{ runId: "", sequence: 0, reason: "refused", status: null, detail: "", topic: "logs" },
};
const ACTS = { kind: "acts", version: 1, acts: [{ ...ACT, atNs: "14" }] };

test.each([
  ["nothing", Buffer.alloc(0)],
  ["less than its head", Buffer.from([9, 0, 0, 0, 123])],
  ["a head that is no JSON", head("{")],
  ["a head that is no object", head("7")],
  ["without an id", told({ ...WHOLE, id: undefined })],
  ["without a time", told({ ...WHOLE, receivedNs: "-1" })],
  ["without the time of its refusal", told({ ...WHOLE, refusedNs: undefined })],
  ["a number that is none", told({ ...WHOLE, sequence: 1.5 })],
  ["a status that is none", told({ ...WHOLE, status: "400" })],
  ["of a later version", told({ ...WHOLE, version: 3 })],
  ["a chunk beyond the last", told({ ...WHOLE, chunk: 2, chunks: 2 })],
  ["a chunk that is no number", told({ ...WHOLE, chunk: "x", chunks: 2 })],
  ["acts that are no list", told({ ...ACTS, acts: 7 })],
  ["an act that is no object", told({ ...ACTS, acts: [null] })],
  ["an act that nobody knows", told({ ...ACTS, acts: [{ ...ACTS.acts[0], act: "burnt" }] })],
  ["an act of nobody", told({ ...ACTS, acts: [{ ...ACTS.acts[0], actor: undefined }] })],
  ["acts of a later version", told({ ...ACTS, version: 2 })],
  ["acts of no version", told({ ...ACTS, version: undefined })],
  ["acts whose bytes are cut off", told({ ...ACTS, acts: [{ ...ACTS.acts[0], editedBytes: 1 }] })],
])("%s cannot be read", (_name, message) => {
  expect(() => decodeDeadLetterMessage(message)).toThrow(ClewError);
});

test("the samples above fail for what they say", () => {
  expect(lettersIn(told(WHOLE))).toHaveLength(1);
  expect(decodeDeadLetterMessage(told(ACTS)).deadLetterActs).toEqual([ACT]);
});

function lettersIn(message: Uint8Array): readonly DeadLetter[] {
  return decodeDeadLetterMessage(message).deadLetters;
}

function told(fields: object): Buffer {
  return head(JSON.stringify(fields));
}

function head(json: string): Buffer {
  const bytes = Buffer.from(json);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([length, bytes]);
}
