import { type FileHandle, open, unlink } from "node:fs/promises";
import type { OutgoingMessage } from "./bus.ts";
import {
  encodeEntryHeader,
  encodeSegmentHeader,
  newSegmentHeader,
  type SegmentHeader,
  segmentPath,
} from "./segment-format.ts";
import type { RecoveredSegments, Segment } from "./segment-recovery.ts";

/** A segment is deleted as a whole, so smaller ones give space back earlier. */
const SEGMENT_BYTES_MAX = 64 * 1024 * 1024;
/** One group is one fdatasync; beyond these its messages would only wait for each other. */
const GROUP_BYTES_MAX = 16 * 1024 * 1024;
const GROUP_MESSAGES_MAX = 512;

/** How far the log may be read. */
export interface DurableEnd {
  /** First offset of the last segment that has durable entries. */
  readonly segment: number;
  readonly bytes: number;
  readonly nextOffset: number;
}

interface Waiting {
  readonly message: OutgoingMessage;
  readonly resolve: (offset: number) => void;
  readonly reject: (reason: unknown) => void;
}

/** The segment that is appended to. Its header is written with its first entries. */
interface ActiveFile {
  readonly handle: FileHandle;
  readonly segment: Segment;
  readonly header: SegmentHeader;
}

export interface SegmentLogOptions {
  readonly dir: string;
  readonly fsync: boolean;
  readonly recovered: RecoveredSegments;
  readonly onDurable: (messages: readonly OutgoingMessage[], end: DurableEnd) => void;
  readonly onFault: (cause: unknown) => void;
}

/**
 * Appends entries to segment files, one group at a time: while one group is written and synced, the
 * next collects. Never trusts a file again after a failed sync, since the kernel may have dropped
 * the pages it could not write and call them clean.
 */
export class SegmentLog {
  readonly #options: SegmentLogOptions;
  readonly #segments: Segment[];
  #active: ActiveFile | undefined;
  #durable: DurableEnd;
  #recordsTotal: number;
  #waiting: Waiting[] = [];
  #drain: Promise<void> | undefined;
  #isRollWanted = false;
  #deleteBefore = 0;

  constructor(options: SegmentLogOptions) {
    const { segments, nextOffset, recordsTotal } = options.recovered;
    this.#options = options;
    this.#segments = segments;
    this.#recordsTotal = recordsTotal;
    const last = segments.at(-1);
    this.#durable = { segment: last?.first ?? 0, bytes: last?.bytes ?? 0, nextOffset };
  }

  get durable(): DurableEnd {
    return this.#durable;
  }

  get oldestOffset(): number {
    return this.#segments[0]?.first ?? this.#durable.nextOffset;
  }

  diskBytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.bytes, 0);
  }

  /** Resolves with the offset once the message is durable. */
  append(message: OutgoingMessage): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ message, resolve, reject });
      this.#wake();
    });
  }

  /** Deletes the segments that end before `offset`; with `isAll` also the one in use. */
  deleteBefore(offset: number, { isAll }: { isAll: boolean }): void {
    this.#deleteBefore = Math.max(this.#deleteBefore, offset);
    const isRollWanted = isAll && (this.#segments.at(-1)?.bytes ?? 0) > 0;
    const [, second] = this.#segments;
    if (!isRollWanted && (second === undefined || second.first > offset)) return;
    this.#isRollWanted ||= isRollWanted;
    this.#wake();
  }

  /** Goes on at `offset`, which is beyond the end: a new segment, whose name holds it. */
  async jumpTo(offset: number): Promise<void> {
    await this.#work(async () => {
      if (offset <= this.#durable.nextOffset) return;
      this.#durable = { ...this.#durable, nextOffset: offset };
      await this.#roll();
    });
  }

  /** Resolves once everything appended is durable or rejected. */
  async stop(): Promise<void> {
    while (this.#drain !== undefined) await this.#drain;
    const active = this.#active;
    this.#active = undefined;
    await active?.handle.close();
  }

  #wake(): void {
    this.#drain ??= this.#run().finally(() => {
      this.#drain = undefined;
      // Something may have been appended between the last look and this turn.
      if (this.#waiting.length > 0) this.#wake();
    });
  }

  /** Runs `act` alone, between two groups. */
  async #work(act: () => Promise<void>): Promise<void> {
    while (this.#drain !== undefined) await this.#drain;
    const done = act();
    this.#drain = done
      .catch((cause: unknown) => this.#options.onFault(cause))
      .finally(() => {
        this.#drain = undefined;
        if (this.#waiting.length > 0) this.#wake();
      });
    await done;
  }

  async #run(): Promise<void> {
    // One turn of waiting lets what is published together be one group.
    await Promise.resolve();
    while (this.#waiting.length > 0) await this.#commit(this.#takeGroup());
    await this.#tidy();
  }

  #takeGroup(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const { message } of this.#waiting) {
      bytes += message.value.length;
      if (count > 0 && (bytes > GROUP_BYTES_MAX || count >= GROUP_MESSAGES_MAX)) break;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  async #commit(group: readonly Waiting[]): Promise<void> {
    const messages = group.map(({ message }) => message);
    const first = this.#durable.nextOffset;
    try {
      if (this.#active === undefined || this.#active.segment.bytes >= SEGMENT_BYTES_MAX) {
        await this.#roll();
      }
      await this.#write(this.#active as ActiveFile, messages);
    } catch (cause) {
      this.#options.onFault(cause);
      for (const { reject } of group) reject(cause);
      return;
    }
    this.#options.onDurable(messages, this.#durable);
    group.forEach(({ resolve }, index) => {
      resolve(first + index);
    });
  }

  async #write(active: ActiveFile, messages: readonly OutgoingMessage[]): Promise<void> {
    const { handle, segment, header } = active;
    let offset = this.#durable.nextOffset;
    const buffers: Uint8Array[] = segment.bytes === 0 ? [encodeSegmentHeader(header)] : [];
    for (const message of messages) {
      buffers.push(encodeEntryHeader(message, { marker: header.marker, offset: offset++ }));
      if (message.value.length > 0) buffers.push(message.value);
    }
    let isTrusted = true;
    try {
      const bytes = await writeAll(handle, buffers, segment.bytes);
      isTrusted = false;
      if (this.#options.fsync) await handle.datasync();
      segment.bytes += bytes;
    } catch (cause) {
      await this.#takeBack(active, isTrusted);
      throw cause;
    }
    this.#durable = { segment: segment.first, bytes: segment.bytes, nextOffset: offset };
    for (const { headers } of messages) this.#recordsTotal += headers.records;
  }

  /**
   * Cuts off what was not made durable. Where that fails, or the sync did, the file is left for
   * good; readers stop at the offset with which the next segment begins.
   */
  async #takeBack({ handle, segment }: ActiveFile, isTrusted: boolean): Promise<void> {
    try {
      await handle.truncate(segment.bytes);
      if (isTrusted) return;
      this.#active = undefined;
      await handle.close();
    } catch (cause) {
      this.#active = undefined;
      this.#options.onFault(cause);
    }
  }

  /**
   * Begins a new segment; its name is durable before anything is written or deleted. A segment
   * without entries is begun again: it stays in place, since its name may be all that holds the
   * next offset, and cutting it to nothing drops whatever pages a failed sync left.
   */
  async #roll(): Promise<void> {
    const { dir } = this.#options;
    const first = this.#durable.nextOffset;
    const last = this.#segments.at(-1);
    const isAgain = last?.first === first;
    const handle = await open(segmentPath(dir, first), isAgain ? "r+" : "wx");
    try {
      if (isAgain) await handle.truncate(0);
      if (this.#options.fsync) await syncDirectory(dir);
    } catch (cause) {
      await handle.close();
      throw cause;
    }
    const segment = { first, bytes: 0 };
    this.#segments.splice(isAgain ? -1 : this.#segments.length, isAgain ? 1 : 0, segment);
    const before = this.#active;
    this.#active = { handle, segment, header: newSegmentHeader(this.#recordsTotal) };
    await before?.handle.close();
  }

  async #tidy(): Promise<void> {
    try {
      if (this.#isRollWanted && (this.#active?.segment.bytes ?? 1) > 0) await this.#roll();
      this.#isRollWanted = false;
      for (;;) {
        const [oldest, second] = this.#segments;
        if (oldest === undefined || second === undefined) return;
        if (second.first > this.#deleteBefore) return;
        // A reader may still hold the file open; the system keeps it for as long as that.
        await unlink(segmentPath(this.#options.dir, oldest.first));
        this.#segments.shift();
      }
    } catch (cause) {
      this.#options.onFault(cause);
    }
  }
}

/** `writev` may write a part only, as when the disk fills up. */
async function writeAll(
  handle: FileHandle,
  buffers: readonly Uint8Array[],
  position: number,
): Promise<number> {
  let rest = buffers;
  let written = 0;
  for (;;) {
    const { bytesWritten } = await handle.writev(rest, position + written);
    written += bytesWritten;
    let index = 0;
    let left = bytesWritten;
    for (; index < rest.length; index++) {
      const { length } = rest[index] as Uint8Array;
      if (left < length) break;
      left -= length;
    }
    if (index === rest.length) return written;
    rest = [(rest[index] as Uint8Array).subarray(left), ...rest.slice(index + 1)];
  }
}

async function syncDirectory(dir: string): Promise<void> {
  const handle = await open(dir, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
