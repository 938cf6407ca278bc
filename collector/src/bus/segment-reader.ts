import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import type { DeliveredMessage } from "./bus.ts";
import {
  findSegmentFirst,
  findSegmentHeader,
  parseEntry,
  SEGMENT_HEADER_BYTES,
  segmentPath,
} from "./segment-format.ts";

/** Bytes of a segment that hold no entry and were passed over. */
export interface Damage {
  readonly path: string;
  readonly fromByte: number;
  readonly toByte: number;
  readonly why: string;
}

const SEARCH_WINDOW_BYTES = 1024 * 1024;

/** First offsets of the segments in `dir`, ascending. */
export function listSegments(dir: string): number[] {
  const firsts: number[] = [];
  for (const name of readdirSync(dir)) {
    const first = findSegmentFirst(name);
    if (first !== undefined) firsts.push(first);
  }
  return firsts.sort((a, b) => a - b);
}

/** Reads one segment file front to back, with blocking calls: for workers and for start-up. */
export class SegmentReader {
  readonly first: number;
  /** Records in all segments before; undefined where the header is damaged. */
  readonly recordsBefore: number | undefined;
  /** Where the next entry begins. */
  position = SEGMENT_HEADER_BYTES;
  /** End of the last good entry read. */
  goodEnd = SEGMENT_HEADER_BYTES;
  readonly #path: string;
  #fd: number | undefined;
  readonly #marker: number;
  readonly #onDamage: (damage: Damage) => void;

  constructor(segment: { dir: string; first: number; onDamage: (damage: Damage) => void }) {
    this.first = segment.first;
    this.#path = segmentPath(segment.dir, segment.first);
    this.#onDamage = segment.onDamage;
    const start = this.#bytesAt(0, SEGMENT_HEADER_BYTES + 4);
    const header = findSegmentHeader(start);
    this.recordsBefore = header?.recordsBefore;
    this.#marker = header?.marker ?? this.#markerWithoutHeader(start);
  }

  /** 0 where the file was deleted, which is done only after all of it was read and committed. */
  fileBytes(): number {
    return statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
  }

  /**
   * The next entries, of about `maxBytes` together, that end at or before byte `endBytes`. Bytes
   * that hold no entry are reported and passed over; `[]` only where nothing follows.
   */
  read({ maxBytes, endBytes }: { maxBytes: number; endBytes: number }): DeliveredMessage[] {
    let chunkBytes = maxBytes;
    while (this.position < endBytes) {
      const bytesLeft = endBytes - this.position;
      const chunk = this.#bytesAt(this.position, Math.min(chunkBytes, bytesLeft));
      const { messages, stop } = this.#parse(chunk, bytesLeft);
      if (messages.length > 0) return messages;
      if (stop.kind === "short" && chunk.length === Math.min(chunkBytes, bytesLeft)) {
        chunkBytes = Math.max(stop.bytes, chunkBytes + 1);
      } else this.#passOver(endBytes, stop.kind === "bad" ? stop.why : "the file ends early");
    }
    return [];
  }

  /** Gives the file back until the next read, since a deleted file that is open takes up space. */
  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #parse(chunk: Buffer, bytesLeft: number): { messages: DeliveredMessage[]; stop: Stop } {
    const messages: DeliveredMessage[] = [];
    let stop: Stop = { kind: "short", bytes: 0 };
    let at = 0;
    while (at < chunk.length) {
      const parsed = parseEntry(chunk, { at, marker: this.#marker, bytesLeft: bytesLeft - at });
      if (parsed.kind !== "entry") {
        stop = parsed;
        break;
      }
      messages.push(parsed.message);
      at += parsed.bytes;
    }
    if (at > 0) {
      this.position += at;
      this.goodEnd = this.position;
    }
    return { messages, stop };
  }

  /** Moves to the next bytes that are a whole entry with a right checksum, or to the end. */
  #passOver(endBytes: number, why: string): void {
    const fromByte = this.position;
    this.position = this.#findEntry(fromByte + 1, endBytes) ?? endBytes;
    this.#onDamage({ path: this.#path, fromByte, toByte: this.position, why });
  }

  #findEntry(start: number, endBytes: number): number | undefined {
    const marker = Buffer.allocUnsafe(4);
    marker.writeUInt32LE(this.#marker);
    for (let from = start; from < endBytes; from += SEARCH_WINDOW_BYTES) {
      // Three bytes more, for a marker that lies across two windows.
      const window = this.#bytesAt(from, Math.min(SEARCH_WINDOW_BYTES + 3, endBytes - from));
      for (let at = window.indexOf(marker); at >= 0; at = window.indexOf(marker, at + 1)) {
        if (this.#isEntry(from + at, endBytes)) return from + at;
      }
    }
    return undefined;
  }

  #isEntry(position: number, endBytes: number): boolean {
    const bytesLeft = endBytes - position;
    const at = { at: 0, marker: this.#marker, bytesLeft };
    const head = parseEntry(this.#bytesAt(position, Math.min(64, bytesLeft)), at);
    if (head.kind !== "short") return head.kind === "entry";
    return parseEntry(this.#bytesAt(position, head.bytes), at).kind === "entry";
  }

  #markerWithoutHeader(start: Buffer): number {
    if (start.length < SEGMENT_HEADER_BYTES + 4) return 0;
    this.#onDamage({
      path: this.#path,
      fromByte: 0,
      toByte: SEGMENT_HEADER_BYTES,
      why: "the segment's header is damaged",
    });
    return start.readUInt32LE(SEGMENT_HEADER_BYTES);
  }

  /** Not pooled: the messages read are views into this memory and live as long as they are used. */
  #bytesAt(position: number, bytes: number): Buffer {
    this.#fd ??= openSync(this.#path, "r");
    const buffer = Buffer.allocUnsafeSlow(bytes);
    let filled = 0;
    while (filled < bytes) {
      const count = readSync(this.#fd, buffer, filled, bytes - filled, position + filled);
      if (count === 0) break;
      filled += count;
    }
    return buffer.subarray(0, filled);
  }
}

type Stop = { kind: "short"; bytes: number } | { kind: "bad"; why: string };

/** One line for the log. */
export function describeDamage({ path, fromByte, toByte, why }: Damage): string {
  return `damage in ${path}: bytes ${fromByte} to ${toByte} hold no message (${why}); passed over`;
}
