import {
  chmodSync,
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmdirSync,
  type Stats,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { utimes } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { dirname, join } from "node:path";
import type { Signal } from "../stats.ts";
import { isMissing } from "./is-missing.ts";
import { ownIdentity } from "./process-identity.ts";
import { isSegmentName, segmentName } from "./segment-format.ts";

const DIRECTORY_MODE = 0o700;
export const FILE_MODE = 0o600;
const WRITABLE_BY_OTHERS = 0o022;
const NAME_CHARACTERS_MAX = 32;
const RUN_CHARACTERS = 12;
/** `sockaddr_un` has room for so many characters on every system. */
const SOCKET_PATH_CHARACTERS_MAX = 100;

export const OWNER_FILE = "owner.json";
export const LOCK_SOCKET = "lock";

/**
 * The directory of one run, `<root>/<service>-<pid>-<run>/`: made when there is first something to
 * keep, by synchronous calls (0.4 ms, once), and gone when the run leaves nothing behind.
 *
 * Its lock is a listening socket. The kernel closes it when the process or thread ends in whatever
 * way, and answers for it however busy the process is; it works across containers, which have
 * process tables of their own. What cannot ask this kernel (another machine, on a shared volume)
 * goes by the time of the owner file, which is renewed as long as anything waits.
 */
export class SpoolDirectory {
  readonly path: string;
  readonly #root: string;
  #lock: Server | undefined;
  #descriptor: number | undefined;
  #isMade = false;
  #nextNumber = 1;

  constructor(of: { root: string; service: string; runId: string }) {
    const service = of.service.replace(/[^A-Za-z0-9_.]+/g, "_").slice(0, NAME_CHARACTERS_MAX);
    const name = `${service}-${process.pid}-${of.runId.slice(0, RUN_CHARACTERS)}`;
    this.#root = of.root;
    this.path = join(of.root, name);
  }

  get isMade(): boolean {
    return this.#isMade;
  }

  /** Makes it, where it is not there yet. Throws where that is not possible, or not safe. */
  ensure(): void {
    if (this.#isMade) return;
    for (const path of [this.#root, this.path]) {
      makeDirectory(path);
      const stats = lstatSync(path);
      checkTrusted(path, stats);
      if ((stats.mode & WRITABLE_BY_OTHERS) !== 0) chmodSync(path, DIRECTORY_MODE);
    }
    this.#isMade = true;
    try {
      this.#listen();
      // Last, so that whoever finds an owner can rely on its lock.
      const owner = JSON.stringify(ownIdentity(this.#lock?.listening));
      writeFileSync(join(this.path, OWNER_FILE), owner, { mode: FILE_MODE });
    } catch (error) {
      this.forget();
      removeOwned(this.path);
      throw error;
    }
  }

  /** Where the next segment goes; numbers are never used twice. */
  nextPath(signal: Signal): string {
    return join(this.path, segmentName(signal, this.#nextNumber++));
  }

  /** Says that the run is alive, to those who cannot ask the lock. Rejects where it is gone. */
  async renew(): Promise<void> {
    const now = new Date();
    if (this.#isMade) await utimes(join(this.path, OWNER_FILE), now, now);
  }

  /** It was taken away from outside; the next `ensure` makes it anew. */
  forget(): void {
    this.#isMade = false;
    this.#unlock();
  }

  /** Deletes it at the end of the run; it stays where segments are left in it. */
  removeNow(): void {
    if (!this.#isMade) return;
    removeOwned(this.path);
    this.forget();
  }

  #listen(): void {
    const server = createServer((socket) => socket.destroy());
    // Without a lock, those on this kernel still have the process table, and all others the time.
    server.on("error", () => this.#unlock());
    // Exclusive: a worker of `node:cluster` would otherwise leave listening to its primary.
    server.listen({ path: this.#socketPath(), exclusive: true });
    server.unref();
    this.#lock = server;
  }

  #socketPath(): string {
    const path = join(this.path, LOCK_SOCKET);
    if (path.length <= SOCKET_PATH_CHARACTERS_MAX) return path;
    this.#descriptor = openSync(this.path, constants.O_RDONLY | constants.O_DIRECTORY);
    return shortSocketPath(this.#descriptor);
  }

  #unlock(): void {
    this.#lock?.close();
    this.#lock = undefined;
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}

/** A way to a socket whose path is too long for a socket address, through an open directory. */
export function shortSocketPath(descriptor: number): string {
  return `/proc/self/fd/${descriptor}/${LOCK_SOCKET}`;
}

export function isSocketPathShort(path: string): boolean {
  return path.length <= SOCKET_PATH_CHARACTERS_MAX;
}

/**
 * With the folders above it. Not by `recursive: true`, which in Node 24 never returns where the
 * kernel answers ENOENT below a folder that exists, as it does in /proc.
 */
function makeDirectory(path: string): void {
  try {
    makeOne(path);
  } catch (error) {
    if (!isMissing(error) || dirname(path) === path) throw error;
    makeDirectory(dirname(path));
    makeOne(path);
  }
}

function makeOne(path: string): void {
  try {
    mkdirSync(path, { mode: DIRECTORY_MODE });
  } catch (error) {
    const isThere = error instanceof Error && "code" in error && error.code === "EEXIST";
    if (!isThere) throw error;
  }
}

/** Nobody else may have prepared it: records go there, and from there to the collector. */
export function checkTrusted(path: string, stats: Stats): void {
  if (stats.isSymbolicLink()) throw new Error(`${path} is a symbolic link`);
  if (!stats.isDirectory()) throw new Error(`${path} is not a directory`);
  const own = process.getuid?.();
  if (own !== undefined && stats.uid !== own) throw new Error(`${path} belongs to another user`);
}

/** Deletes a directory that has no segments any more, with what stands beside them. */
export function removeOwned(path: string): void {
  try {
    if (readdirSync(path).some(isSegmentName)) return;
  } catch {
    return; // Another adopter was quicker.
  }
  for (const name of [OWNER_FILE, LOCK_SOCKET]) {
    try {
      unlinkSync(join(path, name));
    } catch {
      // It is gone already, or the directory is: `rmdir` says what matters.
    }
  }
  try {
    rmdirSync(path);
  } catch {
    // Something else is in it, or another adopter was quicker: whoever comes next finds it.
  }
}
