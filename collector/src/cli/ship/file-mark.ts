import { crc32 } from "node:zlib";

/** What stood in a file at one place, to tell later whether it is still the same file. */
export interface FileMark {
  /** Behind the bytes that the mark is made of. */
  readonly end: number;
  readonly bytes: number;
  readonly crc: number;
}

export const MARK_BYTES_MAX = 256;
/** A file that was read in many small pieces keeps no more marks than this. */
const MARKS_MAX = 64;

export function markOf(bytes: Buffer, end: number): FileMark {
  const marked = bytes.subarray(Math.max(0, bytes.length - MARK_BYTES_MAX));
  return { end, bytes: marked.length, crc: crc32(marked) };
}

export function isMarked(mark: FileMark, bytes: Buffer): boolean {
  return bytes.length === mark.bytes && crc32(bytes) === mark.crc;
}

/**
 * Marks at the ends of what was read. For a position that is reached later, as acknowledgements
 * come, the nearest mark before it is kept.
 */
export class FileMarks {
  #marks: FileMark[] = [];

  add(mark: FileMark): void {
    this.#marks.push(mark);
    // Every second one: what is left still spans the same stretch of the file.
    if (this.#marks.length <= MARKS_MAX) return;
    this.#marks = this.#marks.filter((one, i) => i % 2 === 0 || one === mark);
  }

  get last(): FileMark | undefined {
    return this.#marks.at(-1);
  }

  /** The last mark at or before `position`; those before it are forgotten. */
  findAt(position: number): FileMark | undefined {
    const last = this.#marks.findLastIndex(({ end }) => end <= position);
    if (last > 0) this.#marks = this.#marks.slice(last);
    return last < 0 ? undefined : this.#marks[0];
  }
}
