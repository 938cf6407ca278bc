/**
 * The records of a batch as Kafka stores them, before compression (Kafka protocol, "Record Batch",
 * magic 2). Every number with a `v` is a zigzag varint.
 *
 *   length v | attributes u8 = 0 | timestamp delta v = 0 | offset delta v | key length v = -1
 *   value length v | value | header count v | headers
 *
 *   header: key length v | key | value length v | value
 */
import type { OutgoingMessage } from "../bus.ts";
import { encodeHeaders } from "./kafka-headers.ts";

/** What a record adds to its value and its request id at most. */
export const RECORD_OVERHEAD_BYTES = 256;

const NO_KEY = -1;

/** How many bytes `writeRecords` takes at most. */
export function recordsBytesMax(messages: readonly OutgoingMessage[]): number {
  return messages.reduce((sum, message) => sum + recordBytesMax(message), 0);
}

/** The same for one message. */
export function recordBytesMax({ value, headers }: OutgoingMessage): number {
  const { requestId, recordId = "" } = headers;
  const idBytes = Buffer.byteLength(requestId) + Buffer.byteLength(recordId);
  return value.length + idBytes + RECORD_OVERHEAD_BYTES;
}

/**
 * Writes the records of `messages`, in their order, to the beginning of `target`.
 * @returns how many bytes
 */
export function writeRecords(target: Buffer, messages: readonly OutgoingMessage[]): number {
  let at = 0;
  for (const [index, message] of messages.entries())
    at = writeRecord(target, { at, index, message });
  return at;
}

function writeRecord(
  target: Buffer,
  { at: start, index, message }: { at: number; index: number; message: OutgoingMessage },
): number {
  const { value } = message;
  const headers = Object.entries(encodeHeaders(message.headers));
  let bodyBytes = 3 + varintBytes(index) + varintBytes(value.length) + value.length;
  bodyBytes += varintBytes(headers.length);
  for (const [key, text] of headers) bodyBytes += textBytes(key) + textBytes(text);
  let at = writeVarint(target, start, bodyBytes);
  target[at++] = 0;
  target[at++] = 0;
  at = writeVarint(target, at, index);
  at = writeVarint(target, at, NO_KEY);
  at = writeVarint(target, at, value.length);
  target.set(value, at);
  at = writeVarint(target, at + value.length, headers.length);
  for (const [key, text] of headers) at = writeText(target, writeText(target, at, key), text);
  return at;
}

function textBytes(text: string): number {
  const bytes = Buffer.byteLength(text);
  return varintBytes(bytes) + bytes;
}

function writeText(target: Buffer, at: number, text: string): number {
  const textAt = writeVarint(target, at, Buffer.byteLength(text));
  return textAt + target.write(text, textAt);
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = zigzag(value); rest > 0x7f; rest >>>= 7) bytes++;
  return bytes;
}

function writeVarint(target: Buffer, start: number, value: number): number {
  let at = start;
  let rest = zigzag(value);
  while (rest > 0x7f) {
    target[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  target[at++] = rest;
  return at;
}

/** For numbers of 31 bits. */
function zigzag(value: number): number {
  return ((value << 1) ^ (value >> 31)) >>> 0;
}
