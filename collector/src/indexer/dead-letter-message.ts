import type { DeadLetter, DeadLetterAct, LetterPiece } from "../store/dead-letter.ts";
import { decodeActs, encodeActHead, isActHead } from "./dead-letter-act-head.ts";
import { DeadLetterHead, malformed } from "./dead-letter-head.ts";

/** Kept well below what any broker takes by default, so that a dead letter always has a place. */
export const DEAD_LETTER_MESSAGE_BYTES_MAX = 512 * 1024;

const HEAD_BYTES = 4;
/** However small a bus's messages are: without progress there would be messages without end. */
const CHUNK_BYTES_MIN = 1024;
const LETTER_VERSION = 2;

/** What a message of the topic `dead-letters` holds: one letter, or a piece of it, or acts. */
export interface DeadLetterNews {
  readonly deadLetters: readonly DeadLetter[];
  readonly deadLetterActs: readonly DeadLetterAct[];
}

/*
 * A message of the topic `dead-letters`:
 *   0  u32, little endian: bytes of the JSON text
 *   4  JSON object, the head
 *      then bytes, to the end
 *
 * Head of a dead letter, one message per chunk of its original bytes, which follow:
 *   version (2; absent: 1), id, receivedNs and refusedNs (decimal strings), transactionId, service,
 *   runId, sequence, reason, status (number or null), detail, topic; chunk (from 0) and chunks,
 *   where there is more than one. Version 1 lacks refusedNs, runId, sequence and status.
 *
 * Head of acts: kind "acts", version (1), acts: [{letterId, act, atNs, actor, reason}]. One that
 *   was edited has editedBytes as well: so many of the bytes that follow are its own.
 */
export function encodeDeadLetter(
  letter: DeadLetter,
  bytesMax: number = DEAD_LETTER_MESSAGE_BYTES_MAX,
): Buffer[] {
  const { original, receivedNs, refusedNs, piece, ...others } = letter;
  const times = { receivedNs: String(receivedNs), refusedNs: String(refusedNs) };
  const fields = { version: LETTER_VERSION, ...others, ...times };
  if (piece !== null) {
    const at = { chunk: piece.index, chunks: piece.count };
    return [Buffer.concat([encodeHead({ ...fields, ...at }), original])];
  }
  const headBytesMax = encodeHead({ ...fields, chunk: original.length, chunks: original.length });
  const chunkBytes = Math.max(CHUNK_BYTES_MIN, bytesMax - headBytesMax.length);
  const chunks = Math.max(1, Math.ceil(original.length / chunkBytes));
  if (chunks === 1) return [Buffer.concat([encodeHead(fields), original])];
  return Array.from({ length: chunks }, (_, chunk) => {
    const start = chunk * chunkBytes;
    const bytes = original.subarray(start, start + chunkBytes);
    return Buffer.concat([encodeHead({ ...fields, chunk, chunks }), bytes]);
  });
}

/** All of them in one message: whoever has many sends several. */
export function encodeDeadLetterActs(acts: readonly DeadLetterAct[]): Buffer {
  const edited = acts.flatMap((act) => act.edited ?? []);
  return Buffer.concat([encodeHead(encodeActHead(acts)), ...edited]);
}

function encodeHead(fields: object): Buffer {
  const json = Buffer.from(JSON.stringify(fields));
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32LE(json.length);
  return Buffer.concat([head, json]);
}

/** @throws ClewError REQUEST_MALFORMED, also of what a newer collector wrote. */
export function decodeDeadLetterMessage(value: Uint8Array): DeadLetterNews {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (bytes.length < HEAD_BYTES) throw malformed("it is cut off");
  const jsonEnd = HEAD_BYTES + bytes.readUInt32LE();
  if (jsonEnd > bytes.length) throw malformed("it is cut off");
  const head = new DeadLetterHead(parseJson(bytes.toString("utf8", HEAD_BYTES, jsonEnd)));
  const rest = bytes.subarray(jsonEnd);
  if (isActHead(head)) return { deadLetters: [], deadLetterActs: decodeActs(head, rest) };
  return { deadLetters: [decodeLetter(head, rest)], deadLetterActs: [] };
}

function decodeLetter(head: DeadLetterHead, original: Uint8Array): DeadLetter {
  const isOld = head.version({ fallback: 1, known: LETTER_VERSION }) === 1;
  const receivedNs = head.timeNs("receivedNs");
  return {
    id: head.text("id"),
    receivedNs,
    refusedNs: isOld ? receivedNs : head.timeNs("refusedNs"),
    transactionId: head.text("transactionId"),
    service: head.text("service"),
    runId: isOld ? "" : head.text("runId"),
    sequence: isOld ? 0 : head.number("sequence"),
    reason: head.text("reason"),
    status: isOld ? null : (head.findNumber("status") ?? null),
    detail: head.text("detail"),
    topic: head.text("topic"),
    original,
    piece: pieceOf(head),
  };
}

function pieceOf(head: DeadLetterHead): LetterPiece | null {
  const count = head.findNumber("chunks") ?? 1;
  if (count === 1) return null;
  const index = head.number("chunk");
  if (index < count) return { index, count };
  throw malformed("chunk and chunks are not those of a chunk");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw malformed("its head is not JSON", cause);
  }
}
