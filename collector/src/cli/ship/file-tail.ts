import type { FileHandle } from "node:fs/promises";
import { type FileMark, FileMarks, isMarked, MARK_BYTES_MAX, markOf } from "./file-mark.ts";

export const CHUNK_BYTES = 256 * 1024;
/** One read goes on after the other, so that all files can share it. */
const shared = Buffer.allocUnsafeSlow(CHUNK_BYTES + MARK_BYTES_MAX);

/** `changed`: what was read last is no longer there; the file was truncated. */
export type TailRead =
  | { readonly isChanged: true }
  | { readonly isChanged: false; readonly chunk: Buffer; readonly isEnd: boolean };

/**
 * How far a file was read, and what stood there. Each read reads the last bytes of the one before
 * again, so that truncation is seen also where the file has grown past that place since.
 */
export class FileTail {
  /** Where the next read begins. */
  offset = 0;
  #bytes: Buffer = Buffer.alloc(0);
  /** Behind `bytes`; beyond `offset` after a part was given back. */
  #end = 0;
  #head: FileMark | undefined;
  readonly #marks = new FileMarks();
  /** Of a process before this one, and in this file: some may lie where reading is to come yet. */
  #verified: readonly FileMark[] = [];

  /** Where a process before this one was; undefined where its marks are not in this file. */
  static async resume(
    handle: FileHandle,
    { offset, marks }: { offset: number; marks: readonly FileMark[] },
  ): Promise<FileTail | undefined> {
    for (const mark of marks) {
      const bytes = await readAt(handle, mark.end - mark.bytes, mark.bytes);
      if (!isMarked(mark, bytes)) return undefined;
    }
    const tail = await FileTail.startAt(handle, offset);
    tail.#verified = marks;
    return tail;
  }

  static async startAt(handle: FileHandle, offset: number): Promise<FileTail> {
    const tail = new FileTail();
    const bytes = Math.min(offset, MARK_BYTES_MAX);
    const head = await readAt(handle, 0, bytes);
    tail.offset = offset;
    tail.#head = markOf(head, head.length);
    tail.#bytes = await readAt(handle, offset - bytes, bytes);
    tail.#end = offset;
    tail.#marks.add(markOf(tail.#bytes, offset));
    return tail;
  }

  /** The file's first bytes are known to their full number: they will not change any more. */
  get isHeadWhole(): boolean {
    return (this.#head?.bytes ?? 0) >= MARK_BYTES_MAX;
  }

  /** What stands at the start of the file, before `position`, and where reading came to. */
  marksAt(position: number): readonly FileMark[] {
    const ahead = this.#verified.filter(({ end }) => end > this.offset);
    const marks = new Set([this.#head, this.#marks.findAt(position), this.#marks.last, ...ahead]);
    return [...marks].filter((mark) => mark !== undefined);
  }

  /** Reads on; the place moves only by `take`. */
  async read(handle: FileHandle): Promise<TailRead> {
    const overlap = this.#end === this.offset ? this.#bytes.length : 0;
    if (overlap === 0 && !(await this.#isSame(handle))) return { isChanged: true };
    const { bytesRead } = await handle.read(shared, 0, shared.length, this.offset - overlap);
    const again = shared.subarray(0, Math.min(bytesRead, overlap));
    if (!again.equals(this.#bytes.subarray(0, overlap))) return { isChanged: true };
    const chunk = Buffer.from(shared.subarray(overlap, Math.max(bytesRead, overlap)));
    return { isChanged: false, chunk, isEnd: bytesRead < shared.length };
  }

  /** The chunk was taken: the next read begins behind it. */
  take(chunk: Buffer): void {
    // What was given back is in the chunk again.
    const given = Math.min(this.#end - this.offset, this.#bytes.length);
    this.#bytes = this.#bytes.subarray(0, this.#bytes.length - given);
    this.#end = this.offset;
    if (!this.isHeadWhole && this.#bytes.length === this.#end) {
      const start = Buffer.concat([this.#bytes, chunk.subarray(0, MARK_BYTES_MAX)]);
      const head = start.subarray(0, MARK_BYTES_MAX);
      this.#head = markOf(head, head.length);
    }
    this.offset += chunk.length;
    const end = Buffer.concat([this.#bytes, chunk.subarray(-MARK_BYTES_MAX)]);
    this.#bytes = ownCopy(end.subarray(-MARK_BYTES_MAX));
    this.#end = this.offset;
    this.#marks.add(markOf(this.#bytes, this.#end));
  }

  async #isSame(handle: FileHandle): Promise<boolean> {
    const { length } = this.#bytes;
    return (await readAt(handle, this.#end - length, length)).equals(this.#bytes);
  }
}

/** Bytes of their own: otherwise a few would keep a whole chunk, or Node's pool, in memory. */
export function ownCopy(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}

/** Fewer bytes where the file ends. */
export async function readAt(handle: FileHandle, position: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(bytes);
  const { bytesRead } = await handle.read(buffer, 0, bytes, position);
  return buffer.subarray(0, bytesRead);
}
