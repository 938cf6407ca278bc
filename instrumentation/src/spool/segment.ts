import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { Signal } from "../stats.ts";
import type { SegmentHeader } from "./segment-format.ts";

/** A symbolic link in the place of a file is an error, never followed. */
const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW;

/** One file of frames of one signal: of this run, or adopted from one that is dead. */
export class Segment {
  readonly path: string;
  readonly marker: number;
  readonly signal: Signal;
  readonly resource: Uint8Array;
  readonly headerBytes: number;
  readonly isAdopted: boolean;
  /** How far it is written; what lies beyond was cut off by a fault. */
  bytes: number;
  /** Stretches in it that are not settled. */
  live = 0;
  isDeleted = false;

  constructor(of: {
    readonly path: string;
    readonly header: SegmentHeader;
    readonly headerBytes: number;
    readonly bytes: number;
    readonly isAdopted: boolean;
  }) {
    this.path = of.path;
    this.marker = of.header.marker;
    this.signal = of.header.signal;
    this.resource = of.header.resource;
    this.headerBytes = of.headerBytes;
    this.bytes = of.bytes;
    this.isAdopted = of.isAdopted;
  }

  async read(at: number, bytes: number): Promise<Buffer> {
    const handle = await open(this.path, READ_FLAGS);
    try {
      return await readAll(handle, { at, bytes });
    } finally {
      await handle.close();
    }
  }

  /** The same while the process ends. */
  readNow(at: number, bytes: number): Buffer {
    const descriptor = openSync(this.path, READ_FLAGS);
    try {
      const buffer = Buffer.allocUnsafeSlow(Math.min(bytes, fstatSync(descriptor).size));
      return buffer.subarray(0, readSync(descriptor, buffer, 0, buffer.length, at));
    } finally {
      closeSync(descriptor);
    }
  }
}

/** Up to that many bytes; fewer where the file ends earlier. */
export async function readAll(
  handle: FileHandle,
  { at, bytes }: { at: number; bytes: number },
): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(bytes);
  let filled = 0;
  while (filled < bytes) {
    const { bytesRead } = await handle.read(buffer, filled, bytes - filled, at + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}
