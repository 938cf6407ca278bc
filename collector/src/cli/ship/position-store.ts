import { access, constants, mkdir } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { type DirectoryLock, lockDirectory } from "../../bus/directory-lock.ts";
import { ClewError } from "../../errors.ts";
import { PositionFiles } from "./position-files.ts";
import type { KnownFile, Positions } from "./position-format.ts";

export interface PositionStoreOptions {
  readonly dir: string;
  readonly note: (text: string) => void;
  /** Ends the waiting for a disk that is full. */
  readonly signal: AbortSignal;
}

/** A file of which something is new. */
export interface PositionSource {
  findKnown(nowMs: number): KnownFile | undefined;
}

/** Acknowledgements are written down so often at most: nothing waits for that. */
const SAVE_EVERY_MS = 1000;
/** A save of very many files takes no more than this part of the time. */
const SAVE_TIME_SHARE = 0.05;
const RETRY_MS = 1000;

/** Keeps how far each file was shipped. One process at a time has the folder. */
export class PositionStore {
  readonly #options: PositionStoreOptions;
  readonly #lock: DirectoryLock;
  readonly #disk: PositionFiles;
  /** As they were when the folder was opened; undefined where it is new. */
  readonly loaded: Positions | undefined;
  /** What is to be saved. */
  collect: () => readonly KnownFile[] = () => this.loaded?.files ?? [];
  readonly #news = new Set<PositionSource>();
  /** Writes follow each other: none may undo what another has just written. */
  #last: Promise<void> = Promise.resolve();
  #nextAppend: Promise<void> | undefined;
  #isFailing = false;
  #timer: NodeJS.Timeout | undefined;
  #saveMs = 0;

  /** @throws ClewError DATA_DIR_IN_USE, CONFIG_INVALID: one line, what is wrong and what to do. */
  static async open(options: PositionStoreOptions): Promise<PositionStore> {
    const { dir } = options;
    let lock: DirectoryLock | undefined;
    try {
      await mkdir(dir, { recursive: true });
      await access(dir, constants.W_OK);
      lock = lockDirectory(dir, positionsInUse);
      return new PositionStore(options, lock);
    } catch (cause) {
      lock?.release();
      if (cause instanceof ClewError) throw cause;
      throw unusable(dir, cause);
    }
  }

  private constructor(options: PositionStoreOptions, lock: DirectoryLock) {
    this.#options = options;
    this.#lock = lock;
    this.#disk = new PositionFiles(options.dir);
    this.loaded = this.#disk.load();
  }

  /** Something changed that may be saved later. */
  change(): void {
    const pauseMs = Math.max(SAVE_EVERY_MS, this.#saveMs / SAVE_TIME_SHARE);
    // A reason to give up is told where the records wait for it.
    const saveLater = () => this.save().catch((error) => this.#options.note(String(error)));
    this.#timer ??= setTimeout(saveLater, pauseMs);
  }

  /** Something changed that records rest on: `durable` is to be awaited before they are sent. */
  changeFirst(source: PositionSource): void {
    this.#news.add(source);
    this.change();
  }

  /** Resolves once all that `changeFirst` told of is on disk; waits for a disk that is full. */
  durable(): Promise<void> {
    if (this.#news.size === 0) return this.#last;
    this.#nextAppend ??= this.#afterOthers(async () => {
      this.#nextAppend = undefined;
      const nowMs = Date.now();
      const files = [...this.#news].map((source) => source.findKnown(nowMs));
      this.#news.clear();
      await this.#disk.append(files.filter((known) => known !== undefined));
    });
    return this.#nextAppend;
  }

  /** Saves all there is now. */
  save(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    return this.#afterOthers(() => this.#replace(false));
  }

  /** Saves the last positions; `isWhole` where nothing is under way. */
  async close(isWhole: boolean): Promise<void> {
    clearTimeout(this.#timer);
    try {
      // What went wrong before is told already; this write is a new one.
      await this.#last.catch(() => undefined);
      await this.#replace(isWhole);
    } catch (cause) {
      throw new ClewError("CONFIG_INVALID", unsaved(this.#options.dir, cause), { cause });
    } finally {
      this.#lock.release();
    }
  }

  async #replace(isWhole: boolean): Promise<void> {
    const startedMs = performance.now();
    this.#news.clear();
    await this.#disk.replace({ isWhole, files: this.collect() });
    this.#saveMs = performance.now() - startedMs;
  }

  #afterOthers(write: () => Promise<void>): Promise<void> {
    this.#last = this.#last.then(() => this.#untilDone(write));
    return this.#last;
  }

  async #untilDone(write: () => Promise<void>): Promise<void> {
    const { dir, note, signal } = this.#options;
    for (;;) {
      try {
        await write();
        if (this.#isFailing) note("positions can be saved again");
        this.#isFailing = false;
        return;
      } catch (error) {
        if (!this.#isFailing)
          note(`${unsaved(dir, error)}; waiting until they can, nothing is lost`);
        this.#isFailing = true;
        await wait(RETRY_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
        // What a failed append took with it is in a save of everything.
        write = () => this.#replace(false);
      }
    }
  }
}

function positionsInUse(owner: string, dir: string): string {
  const why = `cannot follow files: ${owner} ships with the positions in ${dir}`;
  return `${why}; stop it, or give another --state-dir`;
}

function unusable(dir: string, cause: unknown): ClewError {
  const hint = "give a folder that can be written as --state-dir";
  return new ClewError("CONFIG_INVALID", `${unsaved(dir, cause)}; ${hint}`, { cause });
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: "no space is left there",
  EDQUOT: "the quota there is used up",
  EROFS: "the file system is read-only",
  EACCES: "this user may not write there",
  EPERM: "this user may not write there",
  ENOTDIR: "a part of the path is no folder",
  EEXIST: "it is no folder",
};

function unsaved(dir: string, error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const why = REASONS[code] ?? (error instanceof Error ? error.message : String(error));
  return `cannot save positions in ${dir}: ${why}`;
}
