import { randomInt } from "node:crypto";
import { crc32 } from "node:zlib";
import { bytesOf } from "../otlp/otlp-request.ts";
import type { Signal } from "../stats.ts";

const MAGIC = Buffer.from("CLEWSPL1", "latin1");
const HEADER_FIXED_BYTES = 24;
const RESOURCE_BYTES_MAX = 1024 * 1024;
export const FRAME_HEADER_BYTES = 24;
/** Far above what one record may hold; a length beyond it is damage. */
const FRAME_BYTES_MAX = 64 * 1024 * 1024;
/** Checking a made-up length costs a checksum; with more damage than this the rest is given up. */
const DAMAGES_MAX = 64;
const SIGNALS: readonly Signal[] = ["logs", "traces"];
const SEGMENT_NAME = /^(?:logs|traces)-\d{8}\.seg$/;

export interface SegmentHeader {
  /** Random, per segment, before each frame: what a log line says can never pass for a frame. */
  readonly marker: number;
  readonly signal: Signal;
  /** The encoded `Resource` of the run that wrote it, so that another process can send it. */
  readonly resource: Uint8Array;
}

/** One batch of records as it stands in a segment. */
export interface Frame {
  readonly at: number;
  /** Header and payload together. */
  readonly bytes: number;
  readonly records: number;
  /** The highest sequence number that the run had given out when the frame was closed. */
  readonly sequence: number;
  /** `scope_logs` or `scope_spans` fields: payloads put together are one request's content. */
  readonly payload: Buffer;
}

export function segmentName(signal: Signal, number: number): string {
  return `${signal}-${String(number).padStart(8, "0")}.seg`;
}

export function isSegmentName(name: string): boolean {
  return SEGMENT_NAME.test(name);
}

export function newMarker(): number {
  return randomInt(1, 2 ** 32);
}

/*
 * Segment header, little endian; a segment holds one signal, so that what waits lies in a row:
 *   0  "CLEWSPL1"
 *   8  u32 marker
 *  12  u32 signal (index in SIGNALS)
 *  16  u32 bytes of the resource
 *  20  u32 crc32 of bytes 0..20 and the resource
 *  24  resource (opentelemetry.proto.resource.v1.Resource)
 */
export function encodeSegmentHeader(header: SegmentHeader): Buffer {
  const bytes = Buffer.alloc(HEADER_FIXED_BYTES + header.resource.length);
  MAGIC.copy(bytes);
  bytes.writeUInt32LE(header.marker, 8);
  bytes.writeUInt32LE(SIGNALS.indexOf(header.signal), 12);
  bytes.writeUInt32LE(header.resource.length, 16);
  bytes.writeUInt32LE(crc32(header.resource, crc32(bytes.subarray(0, 20))), 20);
  bytes.set(header.resource, HEADER_FIXED_BYTES);
  return bytes;
}

/** Undefined where the bytes do not begin with a whole header. */
export function findSegmentHeader(bytes: Buffer): (SegmentHeader & { bytes: number }) | undefined {
  if (bytes.length < HEADER_FIXED_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return;
  const signal = SIGNALS[bytes.readUInt32LE(12)];
  const end = HEADER_FIXED_BYTES + bytes.readUInt32LE(16);
  if (signal === undefined || end > bytes.length || end > RESOURCE_BYTES_MAX) return;
  const resource = bytes.subarray(HEADER_FIXED_BYTES, end);
  if (crc32(resource, crc32(bytes.subarray(0, 20))) !== bytes.readUInt32LE(20)) return;
  return { marker: bytes.readUInt32LE(8), signal, resource: Buffer.from(resource), bytes: end };
}

/*
 * Frame, little endian:
 *   0  u32 marker of the segment, filled in by `markFrame` when it is known which one
 *   4  u32 bytes of the payload
 *   8  u32 crc32 of everything that follows
 *  12  u32 records
 *  16  u64 highest sequence number
 *  24  payload
 */
export function encodeFrame(batch: {
  readonly parts: readonly Uint8Array[];
  readonly records: number;
  readonly sequence: number;
}): Buffer {
  const payloadBytes = bytesOf(batch.parts);
  // Not from the pool: a small frame must not hold on to 8 KiB of others.
  const bytes = Buffer.allocUnsafeSlow(FRAME_HEADER_BYTES + payloadBytes);
  bytes.writeUInt32LE(0, 0);
  bytes.writeUInt32LE(payloadBytes, 4);
  bytes.writeUInt32LE(batch.records, 12);
  bytes.writeBigUInt64LE(BigInt(batch.sequence), 16);
  let at = FRAME_HEADER_BYTES;
  for (const part of batch.parts) {
    bytes.set(part, at);
    at += part.length;
  }
  bytes.writeUInt32LE(crc32(bytes.subarray(12)), 8);
  return bytes;
}

export function markFrame(frame: Buffer, marker: number): void {
  frame.writeUInt32LE(marker, 0);
}

export function payloadOf(frame: Buffer): Buffer {
  return frame.subarray(FRAME_HEADER_BYTES);
}

/**
 * Reads frames from `start` on. Bytes that are no whole frame are passed over up to the next
 * marker, and counted: a kill in mid-write leaves such a tail, a failing disk leaves them anywhere.
 */
export function scanFrames(
  bytes: Buffer,
  { marker, start = 0 }: { marker: number; start?: number },
): { frames: Frame[]; damagedBytes: number } {
  const frames: Frame[] = [];
  const pattern = Buffer.alloc(4);
  pattern.writeUInt32LE(marker);
  let damagedBytes = 0;
  let damages = 0;
  let at = start;
  while (at < bytes.length) {
    const frame = findFrame(bytes, { at, marker });
    if (frame !== undefined) {
      frames.push(frame);
      at += frame.bytes;
      continue;
    }
    const next = ++damages > DAMAGES_MAX ? -1 : bytes.indexOf(pattern, at + 1);
    const resumeAt = next === -1 ? bytes.length : next;
    damagedBytes += resumeAt - at;
    at = resumeAt;
  }
  return { frames, damagedBytes };
}

function findFrame(
  bytes: Buffer,
  { at, marker }: { at: number; marker: number },
): Frame | undefined {
  const bytesLeft = bytes.length - at;
  if (bytesLeft < FRAME_HEADER_BYTES || bytes.readUInt32LE(at) !== marker) return undefined;
  const payloadBytes = bytes.readUInt32LE(at + 4);
  const frameBytes = FRAME_HEADER_BYTES + payloadBytes;
  if (frameBytes > bytesLeft || frameBytes > FRAME_BYTES_MAX) return undefined;
  const end = at + frameBytes;
  if (crc32(bytes.subarray(at + 12, end)) !== bytes.readUInt32LE(at + 8)) return undefined;
  return {
    at,
    bytes: frameBytes,
    records: bytes.readUInt32LE(at + 12),
    sequence: Number(bytes.readBigUInt64LE(at + 16)),
    payload: bytes.subarray(at + FRAME_HEADER_BYTES, end),
  };
}
