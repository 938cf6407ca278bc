import { ClewError } from "../errors.ts";
import type { DeadLetter } from "../store/store.ts";

/** Kept well below what any broker takes by default, so that a dead letter always has a place. */
export const DEAD_LETTER_MESSAGE_BYTES_MAX = 512 * 1024;

const HEAD_BYTES = 4;
const TEXT_FIELDS = ["id", "transactionId", "service", "reason", "detail", "topic"] as const;
/** However small a bus's messages are: without progress there would be messages without end. */
const CHUNK_BYTES_MIN = 1024;

/*
 * A dead letter as bus messages, one per chunk of its original bytes:
 *   0  u32, little endian: bytes of the JSON text
 *   4  JSON object: id, receivedNs (decimal string), transactionId, service, reason, detail, topic;
 *      chunk (from 0) and chunks, where there is more than one
 *      then the chunk, to the end
 */
export function encodeDeadLetter(
  letter: DeadLetter,
  bytesMax: number = DEAD_LETTER_MESSAGE_BYTES_MAX,
): Buffer[] {
  const { original, receivedNs, ...texts } = letter;
  const fields = { ...texts, receivedNs: String(receivedNs) };
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

function encodeHead(fields: object): Buffer {
  const json = Buffer.from(JSON.stringify(fields));
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32LE(json.length);
  return Buffer.concat([head, json]);
}

/**
 * The dead letter in one message. A chunk is a dead letter of its own, for the chunks of one may
 * come to several indexers: the first has the letter's id and is the one that counts for its
 * transaction; the others have that id with their number behind it.
 *
 * @throws ClewError REQUEST_MALFORMED
 */
export function decodeDeadLetter(value: Uint8Array): DeadLetter {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (bytes.length < HEAD_BYTES) throw malformed("it is cut off");
  const jsonEnd = HEAD_BYTES + bytes.readUInt32LE();
  if (jsonEnd > bytes.length) throw malformed("it is cut off");
  const fields = parseObject(bytes.toString("utf8", HEAD_BYTES, jsonEnd));
  const [id, transactionId, service, reason, detail, topic] = TEXT_FIELDS.map((name) => {
    const text = fields[name];
    if (typeof text !== "string") throw malformed(`${name} is missing`);
    return text;
  }) as [string, string, string, string, string, string];
  const { receivedNs } = fields;
  if (typeof receivedNs !== "string" || !/^\d{1,19}$/.test(receivedNs)) {
    throw malformed("receivedNs is missing");
  }
  const letter = { receivedNs: BigInt(receivedNs), service, reason, topic };
  const original = bytes.subarray(jsonEnd);
  const { chunk, chunks } = chunkOf(fields);
  if (chunks === 1) return { ...letter, id, transactionId, detail, original };
  const which = `chunk ${chunk + 1} of ${chunks}`;
  if (chunk === 0)
    return { ...letter, id, transactionId, detail: `${detail} (${which})`, original };
  const rest = { id: `${id}.${chunk}`, transactionId: "", detail: `${which} of ${id}` };
  return { ...letter, ...rest, original };
}

function chunkOf(fields: Readonly<Record<string, unknown>>): { chunk: number; chunks: number } {
  const chunk = Number(fields.chunk ?? 0);
  const chunks = Number(fields.chunks ?? 1);
  const isRight = Number.isSafeInteger(chunk) && Number.isSafeInteger(chunks);
  if (isRight && chunk >= 0 && chunk < chunks) return { chunk, chunks };
  throw malformed("chunk and chunks are not those of a chunk");
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw malformed("its head is not JSON", cause);
  }
  if (typeof value !== "object" || value === null) throw malformed("its head is not an object");
  return { ...value };
}

function malformed(why: string, cause?: unknown): ClewError {
  return new ClewError("REQUEST_MALFORMED", `cannot read a dead letter: ${why}`, { cause });
}
