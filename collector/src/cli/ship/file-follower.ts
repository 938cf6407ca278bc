import { folderOf } from "./find-files.ts";
import { type FolderChange, FolderWatcher } from "./folder-watcher.ts";
import type { FileIdentity, FileLook, FollowedFile } from "./followed-file.ts";
import type { FollowedFiles, Scan } from "./followed-files.ts";
import type { LineSource } from "./line-source.ts";
import type { PositionStore } from "./position-store.ts";
import { whyUnread } from "./read-error.ts";
import type { AssembledRecord } from "./record-assembler.ts";
import { WakeUp } from "./wake-up.ts";

export interface FollowerTimes {
  /** Files and patterns are looked at so often at least, whatever the system tells of changes. */
  readonly pollMs: number;
  /** A record that nothing follows for so long is over. */
  readonly openRecordMs: number;
  /** A file without a name that matches is let go when it gave nothing for so long. */
  readonly movedMs: number;
  readonly deletedMs: number;
}

export const FOLLOWER_TIMES: FollowerTimes = {
  pollMs: 1000,
  openRecordMs: 1000,
  movedMs: 5 * 60_000,
  deletedMs: 30_000,
};

export interface FollowerParts {
  readonly patterns: readonly string[];
  readonly files: FollowedFiles;
  readonly lines: LineSource;
  readonly positions: PositionStore;
  readonly note: (text: string) => void;
  readonly now: () => number;
  readonly signal: AbortSignal;
  readonly times: FollowerTimes;
}

/** Files beyond are closed while they give nothing, and opened again when they do. */
const OPEN_FILES_MAX = 256;
/** What lines without an end and open records take up in memory, of all files together. */
const HELD_BYTES_MAX = 32 * 1024 * 1024;
/** A writer of many small pieces is read so often at most. */
const LOOK_EVERY_MS = 100;
/** Scanning very many files takes no more than this part of the time. */
const SCAN_TIME_SHARE = 0.05;
const SCAN_AFTER_NAME_MS = 20;
const NOTES_MAX = 1000;

/**
 * Follows files until it is told to stop: reads what is new in turns, one piece of each, and hands
 * it over as the shipper has room, so that memory stays bounded however far a file is behind.
 */
export class FileFollower {
  readonly #parts: FollowerParts;
  readonly #wakeUp = new WakeUp();
  readonly #watcher = new FolderWatcher((change) => this.#onChange(change));
  /** Files that may have more than was read. */
  readonly #behind = new Set<FollowedFile>();
  /** Files with a record that may go on, or a line without an end. */
  readonly #holding = new Set<FollowedFile>();
  /** In the order in which they were read. */
  readonly #open = new Set<FollowedFile>();
  /** Read to their end for good; some of it is not acknowledged yet. */
  readonly #ending = new Map<FollowedFile, { isDeleted: boolean }>();
  readonly #noted = new Set<string>();
  #nextScanMs = 0;
  #scanMs = 0;

  constructor(parts: FollowerParts) {
    this.#parts = parts;
    parts.positions.collect = () => parts.files.collect();
    for (const pattern of parts.patterns) this.#watcher.add(folderOf(pattern));
  }

  /** @throws ClewError where the collector refuses everything. */
  async run(): Promise<void> {
    const { signal, now } = this.#parts;
    try {
      while (!signal.aborted) {
        const startedMs = now();
        if (startedMs >= this.#nextScanMs) await this.#scan();
        for (const file of [...this.#behind]) {
          if (!signal.aborted) await this.#look(file);
        }
        for (const file of [...this.#holding]) await this.#endOpenRecord(file);
        await this.#letGo();
        if (this.#behind.size === 0) await this.#rest(startedMs);
      }
      // Whole lines that wait for more are sent; half a line is read by the next start.
      for (const file of [...this.#holding]) {
        const records = file.cut();
        this.#parts.positions.changeFirst(file);
        await this.#hand(file, records);
      }
    } finally {
      this.#watcher.stop();
      for (const file of this.#parts.files.files) await file.close();
    }
  }

  async #rest(startedMs: number): Promise<void> {
    const { signal, now, times } = this.#parts;
    const pauseMs = startedMs + LOOK_EVERY_MS - now();
    if (pauseMs > 0) await new WakeUp().wait(pauseMs, signal);
    const untilScanMs = this.#nextScanMs - now();
    const untilOpenMs = this.#holding.size > 0 ? times.openRecordMs / 4 : untilScanMs;
    const waitMs = Math.min(untilScanMs, untilOpenMs);
    if (waitMs > 0 && this.#behind.size === 0) await this.#wakeUp.wait(waitMs, signal);
  }

  async #scan(): Promise<void> {
    const { files, now, times } = this.#parts;
    const startedMs = performance.now();
    const scan = await files.scan();
    // A start that was killed before its first line was not the first one all the same; and from
    // here on there may be lines that were sent and not written down.
    if (this.#scanMs === 0) await this.#parts.positions.save();
    for (const file of scan.changed) this.#behind.add(file);
    for (const folder of scan.folders) this.#watcher.add(folder);
    this.#tellUnmatched(scan);
    this.#scanMs = performance.now() - startedMs;
    this.#nextScanMs = now() + Math.max(times.pollMs, this.#scanMs / SCAN_TIME_SHARE);
  }

  async #look(file: FollowedFile): Promise<void> {
    // A change that is told of while the file is read counts as one after it.
    this.#behind.delete(file);
    const look = await this.#tryLook(file);
    if (look === undefined) return;
    if (file.isOpen) await this.#keepOpen(file);
    // Records of a file that is not yet known for good wait until it is: `PositionStore.durable`.
    if (file.isNew) this.#parts.positions.changeFirst(file);
    file.isNew = false;
    await this.#hand(file, look.records, look.identity);
    if (look.bytes > 0) file.activeMs = this.#parts.now();
    if (look.state === "more" || look.state === "truncated") this.#behind.add(file);
    if (look.state === "truncated")
      this.#tell(`${file.path} was truncated: reading from its start`);
    if (look.state === "gone") this.#nextScanMs = 0;
    if (look.state === "gone" && file.isLost) this.#giveUp(file);
    if (look.state === "gzip" || look.state === "zstd" || look.state === "binary") {
      this.#tell(whyUnread({ file: file.name ?? file.path, kind: look.state }));
    }
    if (file.heldBytes > 0) this.#holding.add(file);
    else this.#holding.delete(file);
    await this.#shedLines();
  }

  async #tryLook(file: FollowedFile): Promise<FileLook | undefined> {
    try {
      return await file.look();
    } catch (error) {
      if (!(error instanceof Error && "code" in error)) throw error;
      // It stays changed in the eyes of the next scan, which tries again.
      file.changedNs = -1n;
      await file.close();
      const name = file.name ?? file.path;
      if (error.code !== "ENOENT") this.#tell(`${whyUnread({ file: name, error })}; trying again`);
      return undefined;
    }
  }

  async #hand(
    file: FollowedFile,
    records: readonly AssembledRecord[],
    { id, repeatsBefore }: FileIdentity = file.identity,
  ): Promise<void> {
    if (records.length > 0) {
      const uidOf = ({ start }: AssembledRecord) => `${id}-${start}`;
      const origin = { file: file.path, uidOf, repeatsBefore, isTracked: true };
      await this.#parts.lines.hand(records, origin);
    }
    file.settle();
  }

  /** A record that nothing followed is over; where it was cut must be known before it is sent. */
  async #endOpenRecord(file: FollowedFile): Promise<void> {
    const { now, times, positions } = this.#parts;
    if (!file.hasOpenRecord || now() - file.activeMs < times.openRecordMs) return;
    const records = file.cut();
    positions.changeFirst(file);
    await this.#hand(file, records);
    if (file.heldBytes === 0) this.#holding.delete(file);
  }

  /** Too much is held: records are ended early, and lines without an end are read again later. */
  async #shedLines(): Promise<void> {
    let bytes = 0;
    for (const file of this.#holding) bytes += file.heldBytes;
    for (const file of [...this.#holding]) {
      if (bytes <= HELD_BYTES_MAX) return;
      bytes -= file.heldBytes;
      const records = file.cut();
      this.#parts.positions.changeFirst(file);
      await this.#hand(file, records);
      file.rewind();
      this.#holding.delete(file);
    }
  }

  /** The file that was read longest ago is closed, but not one that could not be opened again. */
  async #keepOpen(file: FollowedFile): Promise<void> {
    this.#open.delete(file);
    this.#open.add(file);
    for (const other of this.#open) {
      if (this.#open.size <= OPEN_FILES_MAX) return;
      if (other.name === undefined || this.#behind.has(other)) continue;
      this.#open.delete(other);
      await other.close();
    }
  }

  async #letGo(): Promise<void> {
    const { now, times, files } = this.#parts;
    for (const file of files.files) {
      if (!file.isLost || this.#behind.has(file) || this.#ending.has(file)) continue;
      const idleMs = now() - file.activeMs;
      if (idleMs < Math.min(times.deletedMs, times.movedMs)) continue;
      const isDeleted = await file.isDeleted();
      if (idleMs < (isDeleted ? times.deletedMs : times.movedMs)) continue;
      await this.#hand(file, file.end());
      this.#end(file, isDeleted);
    }
    for (const [file, { isDeleted }] of this.#ending) {
      if (!file.isAcknowledged) continue;
      this.#ending.delete(file);
      await files.forget(file, isDeleted);
      this.#parts.positions.change();
    }
  }

  #giveUp(file: FollowedFile): void {
    if (file.size > BigInt(file.offset)) {
      this.#parts.note(
        `${file.path} is gone: what it held behind byte ${file.offset} was not read`,
      );
    }
    this.#end(file, true);
  }

  #end(file: FollowedFile, isDeleted: boolean): void {
    this.#holding.delete(file);
    this.#open.delete(file);
    this.#ending.set(file, { isDeleted });
  }

  #onChange({ path, isName }: FolderChange): void {
    const file = isName ? undefined : this.#parts.files.find(path);
    if (file !== undefined) this.#behind.add(file);
    else if (isName) this.#scanSoon();
    this.#wakeUp.call();
  }

  #scanSoon(): void {
    const soonMs = this.#parts.now() + Math.max(SCAN_AFTER_NAME_MS, this.#scanMs * 5);
    this.#nextScanMs = Math.min(this.#nextScanMs, soonMs);
  }

  #tellUnmatched({ unmatched }: Scan): void {
    for (const pattern of unmatched) {
      this.#tell(`${pattern} matches no file yet: waiting for one`);
    }
  }

  /** Each remark once. */
  #tell(text: string): void {
    if (this.#noted.has(text) || this.#noted.size >= NOTES_MAX) return;
    this.#noted.add(text);
    this.#parts.note(text);
  }
}
