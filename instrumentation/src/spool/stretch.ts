import type { Signal } from "../stats.ts";
import type { Segment } from "./segment.ts";
import { type Frame, payloadOf, scanFrames } from "./segment-format.ts";

/** Frames of one run that wait side by side: one in memory, or a row of them in a segment. */
export interface Stretch {
  readonly signal: Signal;
  readonly order: number;
  records: number;
  /** What it adds to a request. */
  payloadBytes: number;
  /** The frame with its header, as long as it is in memory. */
  frame: Buffer | undefined;
  /** Undefined while it is not on disk. */
  segment: Segment | undefined;
  /** Where in the segment it lies. */
  at: number;
  diskBytes: number;
  /** Delivered, refused, or counted as dropped: nothing more is to be done with it. */
  isSettled: boolean;
}

/** What a stretch turned out to hold when it was read. */
export interface StretchContent {
  readonly payloads: readonly Buffer[];
  readonly records: number;
  readonly damagedBytes: number;
}

export function stretchInMemory(of: {
  signal: Signal;
  order: number;
  frame: Buffer;
  records: number;
}): Stretch {
  const payloadBytes = payloadOf(of.frame).length;
  return { ...of, payloadBytes, segment: undefined, at: 0, diskBytes: 0, isSettled: false };
}

/** A row of frames that were found in an adopted segment, without a gap between them. */
export function stretchOnDisk(segment: Segment, frames: readonly Frame[]): Stretch {
  const sum = (pick: (frame: Frame) => number) =>
    frames.reduce((total, frame) => total + pick(frame), 0);
  return {
    ...{ signal: segment.signal, order: 0, segment, frame: undefined, isSettled: false },
    records: sum((frame) => frame.records),
    payloadBytes: sum((frame) => frame.payload.length),
    at: frames[0]?.at ?? 0,
    diskBytes: sum((frame) => frame.bytes),
  };
}

/** From memory where it still is, else from disk, checked again. */
export async function readStretch(stretch: Stretch): Promise<StretchContent> {
  const { frame, segment, at, diskBytes, records } = stretch;
  if (frame !== undefined) return { payloads: [payloadOf(frame)], records, damagedBytes: 0 };
  if (segment === undefined) return { payloads: [], records: 0, damagedBytes: 0 };
  return checked(stretch, await segment.read(at, diskBytes));
}

/** The same while the process ends. */
export function readStretchNow(stretch: Stretch): StretchContent {
  const { frame, segment, at, diskBytes, records } = stretch;
  if (frame !== undefined) return { payloads: [payloadOf(frame)], records, damagedBytes: 0 };
  if (segment === undefined) return { payloads: [], records: 0, damagedBytes: 0 };
  return checked(stretch, segment.readNow(at, diskBytes));
}

function checked(stretch: Stretch, bytes: Buffer): StretchContent {
  const { frames, damagedBytes } = scanFrames(bytes, { marker: stretch.segment?.marker ?? 0 });
  return {
    payloads: frames.map((frame) => frame.payload),
    records: frames.reduce((sum, frame) => sum + frame.records, 0),
    damagedBytes: damagedBytes + stretch.diskBytes - bytes.length,
  };
}
