import { randomInt } from "node:crypto";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import {
  type DeliveredMessage,
  type MessageHeaders,
  type OutgoingMessage,
  TOPICS,
  type Topic,
} from "./bus.ts";

/** The embedded bus has one partition. */
export const EMBEDDED_PARTITION = "embedded/0";

export const SEGMENT_HEADER_BYTES = 24;
export const ENTRY_HEADER_BYTES = 40;
/** Request id and record id together. */
export const REQUEST_ID_BYTES_MAX = 1024;
/** One entry must fit one Buffer and the 32-bit length with room to spare. */
export const ENTRY_BYTES_MAX = 1024 * 1024 * 1024;

const SEGMENT_MAGIC = Buffer.from("CLEWBUS1", "latin1");
const FLAG_REPEAT = 1;
const FLAG_REPLAY = 2;
const REPLAY_BYTES = 10;
const NO_TIME = 0n;
const NO_BYTES = Buffer.alloc(0);
const SEGMENT_NAME = /^(\d{20})\.log$/;

export interface SegmentHeader {
  /** Random, per segment, before each entry: what a client sends can never pass for an entry. */
  readonly marker: number;
  /** Records in all segments before this one, so that the lag is known without reading them. */
  readonly recordsBefore: number;
}

/** `entry` | more bytes are needed to tell | these bytes are no entry. */
export type ParsedEntry =
  | { readonly kind: "entry"; readonly message: DeliveredMessage; readonly bytes: number }
  | { readonly kind: "short"; readonly bytes: number }
  | { readonly kind: "bad"; readonly why: string };

export function segmentPath(dir: string, first: number): string {
  return join(dir, `${String(first).padStart(20, "0")}.log`);
}

/** The first offset a file name stands for; undefined for other files. */
export function findSegmentFirst(name: string): number | undefined {
  const digits = SEGMENT_NAME.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

export function newSegmentHeader(recordsBefore: number): SegmentHeader {
  return { marker: randomInt(1, 2 ** 32), recordsBefore };
}

/*
 * Segment header, little endian:
 *   0  "CLEWBUS1"
 *   8  u32 marker
 *  12  u64 records in all segments before
 *  20  u32 crc32 of bytes 0..20
 */
export function encodeSegmentHeader(header: SegmentHeader): Buffer {
  const bytes = Buffer.allocUnsafe(SEGMENT_HEADER_BYTES);
  SEGMENT_MAGIC.copy(bytes);
  bytes.writeUInt32LE(header.marker, 8);
  bytes.writeBigUInt64LE(BigInt(header.recordsBefore), 12);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 20)), 20);
  return bytes;
}

/** Undefined where the bytes are not a segment's header. */
export function findSegmentHeader(bytes: Buffer): SegmentHeader | undefined {
  if (bytes.length < SEGMENT_HEADER_BYTES || !bytes.subarray(0, 8).equals(SEGMENT_MAGIC)) return;
  if (crc32(bytes.subarray(0, 20)) !== bytes.readUInt32LE(20)) return;
  return { marker: bytes.readUInt32LE(8), recordsBefore: Number(bytes.readBigUInt64LE(12)) };
}

/*
 * Entry, little endian:
 *   0  u32 marker of the segment
 *   4  u32 bytes of the whole entry
 *   8  u32 crc32 of everything that follows
 *  12  u64 offset
 *  20  u64 receivedNs
 *  28  u32 records
 *  32  u32 part
 *  36  u8  topic (index in TOPICS)
 *  37  u8  flags: 1 repeat, 2 replay
 *  38  u16 bytes of the request id
 *  40  request id (UTF-8)
 *      with the flag replay: u64 replayedNs, or 0; u16 bytes of the record id; record id (UTF-8)
 *      then the value
 */
export function encodeEntryHeader(
  message: OutgoingMessage,
  { marker, offset }: { marker: number; offset: number },
): Buffer {
  const { headers, topic, value } = message;
  const requestIdBytes = Buffer.byteLength(headers.requestId);
  const replay = encodeReplay(headers);
  const bytes = Buffer.allocUnsafe(ENTRY_HEADER_BYTES + requestIdBytes + replay.length);
  bytes.writeUInt32LE(marker, 0);
  bytes.writeUInt32LE(bytes.length + value.length, 4);
  bytes.writeBigUInt64LE(BigInt(offset), 12);
  bytes.writeBigUInt64LE(headers.receivedNs, 20);
  bytes.writeUInt32LE(headers.records, 28);
  bytes.writeUInt32LE(headers.part, 32);
  bytes[36] = TOPICS.indexOf(topic);
  bytes[37] = (headers.repeat ? FLAG_REPEAT : 0) | (replay.length > 0 ? FLAG_REPLAY : 0);
  bytes.writeUInt16LE(requestIdBytes, 38);
  bytes.write(headers.requestId, ENTRY_HEADER_BYTES);
  replay.copy(bytes, ENTRY_HEADER_BYTES + requestIdBytes);
  bytes.writeUInt32LE(crc32(value, crc32(bytes.subarray(12))), 8);
  return bytes;
}

/** Empty in nearly every message. */
function encodeReplay({ recordId, replayedNs }: MessageHeaders): Buffer {
  if (recordId === undefined && replayedNs === undefined) return NO_BYTES;
  const id = Buffer.from(recordId ?? "");
  const bytes = Buffer.allocUnsafe(REPLAY_BYTES + id.length);
  bytes.writeBigUInt64LE(replayedNs ?? NO_TIME, 0);
  bytes.writeUInt16LE(id.length, 8);
  id.copy(bytes, REPLAY_BYTES);
  return bytes;
}

/**
 * Reads the entry that begins at `at`.
 * @param bytesLeft how far the segment reaches beyond `at`; an entry never reaches further.
 */
export function parseEntry(
  buffer: Buffer,
  { at, marker, bytesLeft }: { at: number; marker: number; bytesLeft: number },
): ParsedEntry {
  const present = buffer.length - at;
  if (bytesLeft < ENTRY_HEADER_BYTES) return bad("an entry's header is cut off");
  if (present < ENTRY_HEADER_BYTES) return { kind: "short", bytes: ENTRY_HEADER_BYTES };
  if (buffer.readUInt32LE(at) !== marker) return bad("no entry begins here");
  const bytes = buffer.readUInt32LE(at + 4);
  const idEnd = ENTRY_HEADER_BYTES + buffer.readUInt16LE(at + 38);
  const hasReplay = ((buffer[at + 37] as number) & FLAG_REPLAY) !== 0;
  const least = hasReplay ? idEnd + REPLAY_BYTES : idEnd;
  if (bytes > bytesLeft) return bad("an entry is cut off");
  if (bytes > ENTRY_BYTES_MAX || bytes < least) return bad("an entry's length is impossible");
  if (bytes > present) return { kind: "short", bytes };
  const end = at + bytes;
  if (crc32(buffer.subarray(at + 12, end)) !== buffer.readUInt32LE(at + 8)) {
    return bad("an entry's checksum does not match");
  }
  const topic = TOPICS[buffer[at + 36] as number];
  if (topic === undefined) return bad("an entry's topic is not known");
  const valueStart = hasReplay ? least + buffer.readUInt16LE(at + least - 2) : idEnd;
  if (bytes < valueStart) return bad("an entry's length is impossible");
  const replay = hasReplay ? decodeReplay(buffer.subarray(at + idEnd, at + valueStart)) : {};
  const message = decode(buffer, { at, end, idEnd, valueStart, topic, replay });
  return { kind: "entry", message, bytes };
}

interface EntryPlace {
  readonly at: number;
  readonly end: number;
  readonly idEnd: number;
  readonly valueStart: number;
  readonly topic: Topic;
  readonly replay: Replay;
}

function decode(buffer: Buffer, entry: EntryPlace): DeliveredMessage {
  const { at, end, idEnd, valueStart, topic, replay } = entry;
  return {
    partition: EMBEDDED_PARTITION,
    offset: Number(buffer.readBigUInt64LE(at + 12)),
    topic,
    headers: {
      requestId: buffer.toString("utf8", at + ENTRY_HEADER_BYTES, at + idEnd),
      part: buffer.readUInt32LE(at + 32),
      records: buffer.readUInt32LE(at + 28),
      receivedNs: buffer.readBigUInt64LE(at + 20),
      repeat: ((buffer[at + 37] as number) & FLAG_REPEAT) !== 0,
      ...replay,
    },
    value: buffer.subarray(at + valueStart, end),
  };
}

type Replay = Pick<MessageHeaders, "recordId" | "replayedNs">;

function decodeReplay(bytes: Buffer): Replay {
  const replayedNs = bytes.readBigUInt64LE(0);
  const recordId = bytes.toString("utf8", REPLAY_BYTES);
  return {
    ...(replayedNs === NO_TIME ? {} : { replayedNs }),
    ...(recordId === "" ? {} : { recordId }),
  };
}

function bad(why: string): ParsedEntry {
  return { kind: "bad", why };
}
