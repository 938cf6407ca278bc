import { randomBytes } from "node:crypto";
import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { type FileKind, findFileKind, HEAD_BYTES } from "./file-kind.ts";
import { CHUNK_BYTES, FileTail, readAt } from "./file-tail.ts";
import { Lane, type LanePlace } from "./lane.ts";
import type { KnownFile } from "./position-format.ts";
import { type AssembledRecord, type LaneName, RecordAssembler } from "./record-assembler.ts";
import type { Multiline } from "./record-joiner.ts";
import { findEncoding, type TextEncoding } from "./text-encoding.ts";

/** What a file's records are known by: with it, and its place in the file, a line keeps its uid. */
export interface FileIdentity {
  /** Random: the first part of the records' uids. */
  readonly id: string;
  /** Lines that begin before this offset may have been sent by a process before this one. */
  readonly repeatsBefore: number;
}

/** What one look at a file gave. */
export interface FileLook {
  readonly records: readonly AssembledRecord[];
  /** So many were read that are new. */
  readonly bytes: number;
  /** Of these records. */
  readonly identity: FileIdentity;
  /**
   * `more`: read on. `end`: all there is was read. `truncated`: it begins anew. `gone`: its name
   * leads elsewhere now. Another kind than text is not read.
   */
  readonly state: "more" | "end" | "truncated" | "gone" | Exclude<FileKind, "text">;
}

const RUN_ID_BYTES = 16;

/** One file (device and inode) while it is followed, under whatever name. */
export class FollowedFile {
  readonly device: string;
  readonly inode: string;
  /** Where it was first seen. */
  readonly path: string;
  readonly #multiline: Multiline;
  /** Where it can be opened; undefined where it has no name that is known. */
  name: string | undefined;
  identity: FileIdentity = { id: newId(), repeatsBefore: 0 };
  /** What it was before it was truncated: a copy of that may come. */
  previous: KnownFile | undefined;
  /** Something that must be durable before its records are sent. */
  isNew = false;
  /** As the last scan saw it. */
  size = -1n;
  changedNs = -1n;
  /** No pattern matches any of its names any more: it is read to its end. */
  isLost = false;
  /** When it last gave bytes, or was lost. */
  activeMs = 0;
  #handle: FileHandle | undefined;
  #encoding: TextEncoding | undefined;
  #assembler: RecordAssembler | undefined;
  #tail = new FileTail();

  constructor(parts: { path: string; stats: BigIntStats; multiline: Multiline }) {
    this.path = parts.path;
    this.name = parts.path;
    this.device = String(parts.stats.dev);
    this.inode = String(parts.stats.ino);
    this.#multiline = parts.multiline;
  }

  get key(): string {
    return `${this.device}:${this.inode}`;
  }

  /** So far it was read. */
  get offset(): number {
    return this.#tail.offset;
  }

  get isOpen(): boolean {
    return this.#handle !== undefined;
  }

  get heldBytes(): number {
    return this.#assembler?.heldBytes ?? 0;
  }

  get hasOpenRecord(): boolean {
    return this.#assembler?.hasOpenRecord ?? false;
  }

  get isAcknowledged(): boolean {
    return [...this.#lanes.values()].every((lane) => lane.isAcknowledged);
  }

  get splitLines(): number {
    return this.#assembler?.splitLines ?? 0;
  }

  /**
   * Goes on where a process before this one was; false where `known` was another file.
   * @throws as `node:fs` does
   */
  async resume(known: KnownFile, mayRepeat: boolean): Promise<boolean> {
    const handle = await this.#open();
    if (handle === undefined) return false;
    const { size } = await handle.stat();
    const { position: offset, marks } = known;
    const tail = size < offset ? undefined : await FileTail.resume(handle, { offset, marks });
    if (tail === undefined) return false;
    this.identity = { id: known.id, repeatsBefore: mayRepeat ? size : 0 };
    const lanes = Object.entries(known.lanes) as [LaneName, LanePlace][];
    await this.#start(tail, new Map(lanes.map(([name, place]) => [name, new Lane(place)])));
    return true;
  }

  /** Reads nothing of what is there now. */
  async startAtEnd(): Promise<void> {
    const handle = await this.#open();
    if (handle === undefined) return;
    const { size } = await handle.stat();
    const head = await readAt(handle, 0, HEAD_BYTES);
    if (findFileKind(head) !== "text") return;
    const offset = await lastLineEnd(handle, { size, head });
    await this.#start(await FileTail.startAt(handle, offset), new Map());
    this.isNew = true;
  }

  /** @throws as `node:fs` does; the next look then tries again. */
  async look(): Promise<FileLook> {
    const handle = await this.#open();
    if (handle === undefined) return this.#nothing("gone");
    const read = await this.#tail.read(handle);
    if (read.isChanged) return this.#truncated();
    const { chunk, isEnd } = read;
    if (chunk.length === 0) return this.#nothing("end");
    const isKnown = this.#assembler !== undefined;
    const kind = isKnown ? "text" : findFileKind(chunk.subarray(0, HEAD_BYTES));
    if (kind !== "text") return this.#nothing(kind);
    const records = this.#take(chunk);
    const { identity } = this;
    return { records, bytes: chunk.length, identity, state: isEnd ? "end" : "more" };
  }

  /** Ends the records that wait for more lines. */
  cut(): readonly AssembledRecord[] {
    return this.#assembler?.cut() ?? [];
  }

  /** All was read and no more will come: its last line may be without an end. */
  end(): readonly AssembledRecord[] {
    return this.#assembler?.end() ?? [];
  }

  /** After the records of a look were handed over. */
  settle(): void {
    this.#assembler?.settle();
  }

  /** Drops what is held of a line without an end: it is read again when the file has grown. */
  rewind(): void {
    if (this.#assembler === undefined || this.#encoding === undefined) return;
    this.#tail.offset = this.#assembler.resumeOffset;
    this.#assemble(this.#encoding, this.#assembler.lanes);
  }

  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }

  /** The file has no name in any folder: nobody can open it again. */
  async isDeleted(): Promise<boolean> {
    return ((await this.#handle?.stat())?.nlink ?? 0) === 0;
  }

  /** Undefined where nothing of it was read yet. */
  findKnown(nowMs: number): KnownFile | undefined {
    if (this.#assembler === undefined) return undefined;
    const lanes = [...this.#lanes].map(([name, lane]) => [name, lane.place] as const);
    const positions = lanes.map(([, place]) => place.position);
    const position = Math.min(...positions, this.#assembler.resumeOffset);
    return {
      id: this.identity.id,
      device: this.device,
      inode: this.inode,
      path: this.path,
      position,
      lanes: Object.fromEntries(lanes),
      marks: this.#tail.marksAt(position),
      seenMs: nowMs,
    };
  }

  get #lanes(): ReadonlyMap<LaneName, Lane> {
    return this.#assembler?.lanes ?? new Map();
  }

  #take(chunk: Buffer): AssembledRecord[] {
    let text = chunk;
    if (this.#assembler === undefined) {
      const { encoding, markBytes } = findEncoding(chunk);
      text = chunk.subarray(markBytes);
      this.#tail.take(chunk.subarray(0, markBytes));
      this.#assemble(encoding, new Map());
    }
    this.isNew ||= !this.#tail.isHeadWhole;
    this.#tail.take(text);
    return this.#assembler?.push(text) ?? [];
  }

  async #start(tail: FileTail, lanes: ReadonlyMap<LaneName, Lane>): Promise<void> {
    const handle = await this.#open();
    if (handle === undefined) return;
    this.#tail = tail;
    this.#assemble(findEncoding(await readAt(handle, 0, HEAD_BYTES)).encoding, lanes);
  }

  #assemble(encoding: TextEncoding, lanes: ReadonlyMap<LaneName, Lane>): void {
    this.#encoding = encoding;
    const { offset } = this.#tail;
    this.#assembler = new RecordAssembler({ encoding, multiline: this.#multiline, offset, lanes });
  }

  /** What was read of it before is whole; from here on it is another file in the same place. */
  #truncated(): FileLook {
    const { identity } = this;
    this.previous = this.findKnown(0);
    const records = this.end();
    this.identity = { id: newId(), repeatsBefore: 0 };
    this.#assembler = undefined;
    this.#tail = new FileTail();
    return { records, bytes: 0, identity, state: "truncated" };
  }

  #nothing(state: FileLook["state"]): FileLook {
    return { records: [], bytes: 0, identity: this.identity, state };
  }

  /** Undefined where the name leads to another file, or to none. */
  async #open(): Promise<FileHandle | undefined> {
    if (this.#handle !== undefined || this.name === undefined) return this.#handle;
    // A FIFO in the place of the file must not hold everything up.
    const handle = await open(this.name, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await handle.stat({ bigint: true });
    const isIt = String(stats.dev) === this.device && String(stats.ino) === this.inode;
    if (isIt && stats.isFile()) this.#handle = handle;
    else await handle.close();
    return this.#handle;
  }
}

function newId(): string {
  return randomBytes(RUN_ID_BYTES).toString("hex");
}

/** The end of the last whole line, so that no line is begun in its middle. */
async function lastLineEnd(
  handle: FileHandle,
  { size, head }: { size: number; head: Buffer },
): Promise<number> {
  if (findEncoding(head).encoding !== "utf8") return size - (size % 2);
  const from = Math.max(0, size - CHUNK_BYTES);
  const bytes = await readAt(handle, from, size - from);
  const end = bytes.lastIndexOf("\n");
  return end < 0 ? size : from + end + 1;
}
