import { closeSync, constants, openSync, unlinkSync, writevSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { Signal } from "../stats.ts";
import { Segment } from "./segment.ts";
import { encodeSegmentHeader, markFrame, newMarker } from "./segment-format.ts";
import { FILE_MODE } from "./spool-directory.ts";

/** What is there already, be it a symbolic link, is an error. */
const FLAGS =
  constants.O_WRONLY |
  constants.O_CREAT |
  constants.O_EXCL |
  constants.O_APPEND |
  constants.O_NOFOLLOW;

interface NewSegment {
  readonly path: string;
  readonly signal: Signal;
  readonly resource: Uint8Array;
}

/** A segment of this run with nothing in it yet, to be appended to. */
export async function openSegment(
  of: NewSegment,
): Promise<{ segment: Segment; handle: FileHandle }> {
  const { segment, header } = prepare(of);
  const handle = await open(of.path, FLAGS, FILE_MODE);
  try {
    await handle.writev([header]);
  } catch (error) {
    await handle.close();
    throw error;
  }
  return { segment, handle };
}

/** A segment that has those frames, before this returns; none where they are not all written. */
export function writeSegmentNow(of: NewSegment & { readonly frames: readonly Buffer[] }): Segment {
  const { segment, header } = prepare(of);
  for (const frame of of.frames) markFrame(frame, segment.marker);
  const bytes = of.frames.reduce((sum, frame) => sum + frame.length, header.length);
  const descriptor = openSync(of.path, FLAGS, FILE_MODE);
  try {
    const written = writevSync(descriptor, [header, ...of.frames]);
    if (written < bytes) throw new Error("the disk took only a part of a write");
  } catch (error) {
    unlinkSync(of.path);
    throw error;
  } finally {
    closeSync(descriptor);
  }
  return segment;
}

function prepare({ path, signal, resource }: NewSegment): { segment: Segment; header: Buffer } {
  const fields = { marker: newMarker(), signal, resource };
  const header = encodeSegmentHeader(fields);
  const bytes = header.length;
  const segment = new Segment({
    ...{ path, header: fields, headerBytes: bytes, bytes, isAdopted: false },
  });
  return { segment, header };
}
