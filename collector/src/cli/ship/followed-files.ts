import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { dirname } from "node:path";
import { isMarked, MARK_BYTES_MAX } from "./file-mark.ts";
import { FileNames, findStats, keyOf } from "./file-names.ts";
import { readAt } from "./file-tail.ts";
import { FILES_MAX, type FileSelection, findFiles } from "./find-files.ts";
import { FollowedFile } from "./followed-file.ts";
import type { KnownFile, Positions } from "./position-format.ts";
import type { Multiline } from "./record-joiner.ts";
import { originalPaths, RememberedFiles } from "./remembered-files.ts";

export interface FollowedFilesOptions extends FileSelection {
  readonly multiline: Multiline;
  /** Positions of the process before this one; undefined where there was none. */
  readonly loaded: Positions | undefined;
  /** Files that are there at the very first start are read from their end. */
  readonly fromEnd: boolean;
  readonly note: (text: string) => void;
  /** Unix time in milliseconds. */
  readonly now: () => number;
}

/** What a scan found. */
export interface Scan {
  /** Files that are new, have changed, or have lost their name. */
  readonly changed: readonly FollowedFile[];
  /** Folders that files of the patterns are in. */
  readonly folders: ReadonlySet<string>;
  readonly unmatched: readonly string[];
}

interface Seen {
  readonly path: string;
  readonly stats: BigIntStats;
}

const NOTES_MAX = 5;
/** Whoever makes a copy writes again within this time, or has finished. */
const COPY_PAUSE_MS_MAX = 2000;

/** The files that are followed, and those that are known from before. */
export class FollowedFiles {
  readonly #options: FollowedFilesOptions;
  readonly #files = new Map<string, FollowedFile>();
  readonly #byName = new Map<string, FollowedFile>();
  readonly #remembered: RememberedFiles;
  /** The process before this one may have sent lines that it did not write down. */
  readonly #mayRepeat: boolean;
  #isFirst = true;
  #isCutNoted = false;
  #splitLines = 0;

  constructor(options: FollowedFilesOptions) {
    this.#options = options;
    this.#remembered = new RememberedFiles(options.loaded?.files ?? []);
    this.#mayRepeat = options.loaded?.isWhole !== true;
  }

  get files(): Iterable<FollowedFile> {
    return this.#files.values();
  }

  /** Lines that were too long for one record. */
  get splitLines(): number {
    return [...this.files].reduce((sum, file) => sum + file.splitLines, this.#splitLines);
  }

  find(path: string): FollowedFile | undefined {
    return this.#byName.get(path);
  }

  /** What the positions file is to hold. */
  collect(): readonly KnownFile[] {
    const nowMs = this.#options.now();
    const followed = [...this.#files.values()].map((file) => file.findKnown(nowMs));
    return [...followed.filter((known) => known !== undefined), ...this.#remembered];
  }

  /** Looks which files the patterns match now, and what became of those followed. */
  async scan(): Promise<Scan> {
    const { paths, unmatched, isCut } = await findFiles(this.#options);
    if (isCut && !this.#isCutNoted) {
      this.#options.note(`cannot follow all files: only the first ${FILES_MAX} are`);
      this.#isCutNoted = true;
    }
    const folders = new Set<string>();
    const seen = new Map<string, Seen>();
    // The original comes before its copies, whose names begin with its own.
    for (const path of paths.toSorted()) {
      const stats = findStats(path);
      if (stats?.isFile() !== true) continue;
      folders.add(dirname(path));
      const key = keyOf(stats);
      if (!seen.has(key)) seen.set(key, { path, stats });
    }
    const changed = [...(await this.#update(seen)), ...this.#loseNames(seen)];
    if (this.#isFirst) changed.push(...(await this.#findOrphans()));
    this.#isFirst = false;
    return { changed, folders, unmatched };
  }

  /** All of the file was handed over and acknowledged; it is only remembered from now on. */
  async forget(file: FollowedFile, isDeleted: boolean): Promise<void> {
    await file.close();
    this.#files.delete(file.key);
    this.#splitLines += file.splitLines;
    const known = file.findKnown(this.#options.now());
    if (!isDeleted && known !== undefined) this.#remembered.add(known);
  }

  async #update(seen: ReadonlyMap<string, Seen>): Promise<readonly FollowedFile[]> {
    const changed: FollowedFile[] = [];
    this.#byName.clear();
    for (const [key, { path, stats }] of seen) {
      // A file that is empty has nothing yet to know it by.
      if (stats.size === 0n && !this.#files.has(key)) continue;
      if (!this.#files.has(key) && (await this.#isCopyUnderWay(path, stats))) continue;
      const file = this.#files.get(key) ?? (await this.#begin(path, stats));
      this.#byName.set(path, file);
      const isChanged = file.size !== stats.size || file.changedNs !== stats.mtimeNs;
      file.name = path;
      file.isLost = false;
      file.size = stats.size;
      file.changedNs = stats.mtimeNs;
      if (isChanged) changed.push(file);
    }
    return changed;
  }

  #loseNames(seen: ReadonlyMap<string, Seen>): readonly FollowedFile[] {
    const names = new FileNames();
    const lost: FollowedFile[] = [];
    for (const [key, file] of this.#files) {
      if (seen.has(key)) continue;
      // Its writer may go on for a while: nothing but a look tells.
      lost.push(file);
      if (file.isLost) continue;
      // What is not open can still be opened under the name that it was moved to.
      file.name = file.isOpen ? undefined : names.find(file);
      file.isLost = true;
      file.activeMs = this.#options.now();
    }
    return lost;
  }

  async #begin(path: string, stats: BigIntStats): Promise<FollowedFile> {
    const file = new FollowedFile({ path, stats, multiline: this.#options.multiline });
    this.#files.set(file.key, file);
    file.activeMs = this.#options.now();
    const { loaded, fromEnd } = this.#options;
    if (await this.#resume(file)) return file;
    if (this.#isFirst && fromEnd && loaded === undefined) await file.startAtEnd();
    return file;
  }

  /** A file that was known before, or a copy that was made of one before it was truncated. */
  async #resume(file: FollowedFile): Promise<boolean> {
    for (const known of this.#remembered.likely(file)) {
      if (!(await tryResume(file, known, this.#mayRepeat))) continue;
      this.#remembered.delete(known);
      return true;
    }
    for (const original of this.#originals(file.path)) {
      if (isWellMarked(original) && (await tryResume(file, original, true))) return true;
    }
    return false;
  }

  /** Begun before it is whole, a copy could not be told from another file. */
  async #isCopyUnderWay(path: string, stats: BigIntStats): Promise<boolean> {
    if (this.#options.now() - Number(stats.mtimeMs) > COPY_PAUSE_MS_MAX) return false;
    for (const original of this.#originals(path)) {
      const isPart = isWellMarked(original) && Number(stats.size) < original.position;
      if (isPart && (await beginsLike(path, original))) return true;
    }
    return false;
  }

  /** What is known of `app.log`, for a new `app.log.1`. */
  #originals(path: string): readonly KnownFile[] {
    return originalPaths(path).flatMap((name) => {
      const file = this.#byName.get(name);
      const known = [file?.findKnown(0), file?.previous, ...this.#remembered.withPath(name)];
      return known.filter((one) => one !== undefined);
    });
  }

  /** Files that were rotated while nobody followed them are looked for in their folder. */
  async #findOrphans(): Promise<readonly FollowedFile[]> {
    const { multiline, now, note } = this.#options;
    const names = new FileNames();
    const found: FollowedFile[] = [];
    for (const known of [...this.#remembered]) {
      const name = names.find(known);
      const stats = name === undefined ? undefined : findStats(name);
      if (name === undefined || stats === undefined || this.#files.has(keyOf(stats))) continue;
      const file = new FollowedFile({ path: known.path, stats, multiline });
      file.name = name;
      if (!(await tryResume(file, known, this.#mayRepeat))) {
        await file.close();
        continue;
      }
      file.isLost = true;
      file.activeMs = now();
      this.#files.set(file.key, file);
      this.#remembered.delete(known);
      found.push(file);
      if (stats.size > BigInt(known.position) && found.length <= NOTES_MAX) {
        note(`${known.path} is ${name} now: reading the rest of it`);
      }
    }
    return found;
  }
}

/** Files may begin alike: what makes one the copy of another is what stands behind that. */
function isWellMarked({ marks }: KnownFile): boolean {
  return marks.some(({ end }) => end > MARK_BYTES_MAX);
}

/** As far as there is enough of it to see. */
async function beginsLike(path: string, { marks }: KnownFile): Promise<boolean> {
  const [head] = marks;
  const bytes = await readHead(path);
  if (head === undefined || bytes === undefined) return false;
  return bytes.length < head.end || isMarked(head, bytes.subarray(0, head.end));
}

/** Undefined where it cannot be read: the first look at the file says why. */
async function readHead(path: string): Promise<Buffer | undefined> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    return await readAt(handle, 0, MARK_BYTES_MAX);
  } catch (error) {
    if (error instanceof Error && "code" in error) return undefined;
    throw error;
  } finally {
    await handle?.close();
  }
}

async function tryResume(
  file: FollowedFile,
  known: KnownFile,
  mayRepeat: boolean,
): Promise<boolean> {
  try {
    return await file.resume(known, mayRepeat);
  } catch (error) {
    // The first look says what is wrong with the file, and is tried again.
    if (error instanceof Error && "code" in error) return false;
    throw error;
  }
}
