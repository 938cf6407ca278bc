import { basename, dirname, join } from "node:path";
import type { KnownFile } from "./position-format.ts";

/** A file that is gone is remembered for so long, in case it comes back under another name. */
const REMEMBER_MS = 7 * 24 * 60 * 60 * 1000;
const FILES_MAX = 20_000;

/** Files that are known and not followed now. */
export class RememberedFiles {
  readonly #files = new Set<KnownFile>();
  readonly #byInode = new Map<string, KnownFile[]>();
  readonly #byPath = new Map<string, KnownFile[]>();

  constructor(files: Iterable<KnownFile>) {
    for (const file of files) this.#add(file);
  }

  [Symbol.iterator](): Iterator<KnownFile> {
    return this.#files.values();
  }

  /** The oldest are forgotten. */
  add(file: KnownFile): void {
    this.#add(file);
    for (const old of this.#files) {
      const isYoung = file.seenMs - old.seenMs < REMEMBER_MS;
      if (isYoung && this.#files.size <= FILES_MAX) break;
      this.delete(old);
    }
  }

  delete(file: KnownFile): void {
    this.#files.delete(file);
    remove(this.#byInode, file.inode, file);
    remove(this.#byPath, file.path, file);
  }

  /** A device may have another number after a restart of the machine; then the path must agree. */
  likely(file: { device: string; inode: string; path: string }): readonly KnownFile[] {
    const same = this.#byInode.get(file.inode) ?? [];
    return same.filter((known) => known.device === file.device || known.path === file.path);
  }

  withPath(path: string): readonly KnownFile[] {
    return this.#byPath.get(path) ?? [];
  }

  #add(file: KnownFile): void {
    this.#files.add(file);
    push(this.#byInode, file.inode, file);
    push(this.#byPath, file.path, file);
  }
}

/** `app.log` for `app.log.2.gz` or `app.log-20260131`: the names that it begins with. */
export function originalPaths(path: string): readonly string[] {
  const name = basename(path);
  const ends = [...name.matchAll(/[.\-_]/g)].map((match) => match.index);
  return ends.filter((end) => end > 0).map((end) => join(dirname(path), name.slice(0, end)));
}

function push<T>(map: Map<string, T[]>, key: string, item: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [item]);
  else list.push(item);
}

function remove<T>(map: Map<string, T[]>, key: string, item: T): void {
  const rest = (map.get(key) ?? []).filter((other) => other !== item);
  if (rest.length > 0) map.set(key, rest);
  else map.delete(key);
}
