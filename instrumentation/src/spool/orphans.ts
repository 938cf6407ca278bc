import { closeSync, constants, openSync, type Stats } from "node:fs";
import { lstat, open, readdir, readFile, rename } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { countFault, type Signal } from "../stats.ts";
import { isMissing } from "./is-missing.ts";
import {
  isRunning,
  isSameKernel,
  ownIdentity,
  type ProcessIdentity,
  parseIdentity,
} from "./process-identity.ts";
import { readAll } from "./segment.ts";
import { findSegmentHeader, isSegmentName, type SegmentHeader } from "./segment-format.ts";
import {
  checkTrusted,
  isSocketPathShort,
  LOCK_SOCKET,
  OWNER_FILE,
  removeOwned,
  shortSocketPath,
} from "./spool-directory.ts";

/** Owners that cannot be asked renew their file every minute as long as anything waits. */
const LEASE_MS = 5 * 60_000;
/** Making a directory takes milliseconds; without an owner for so long it has none any more. */
const UNOWNED_MS_MAX = 10_000;
const PROBE_MS_MAX = 2000;
/** A segment is 4 MiB and one frame at the most; anything larger is not ours. */
const FILE_BYTES_MAX = 72 * 1024 * 1024;
const DIRECTORIES_MAX = 10_000;

/** A segment file that was taken over, as it was read. */
export interface FoundSegment {
  readonly path: string;
  /** Of the file. */
  readonly size: number;
  /** All of it, or none where it is too large to be ours. */
  readonly bytes: Buffer;
  /** Undefined where the file does not begin as a segment does. */
  readonly header: (SegmentHeader & { bytes: number }) | undefined;
}

export interface OrphanSearch {
  readonly root: string;
  /** The searching run's own directory, by name. */
  readonly ownName: string;
  /** Where a taken segment goes, or undefined where there is no room for that many bytes. */
  readonly placeFor: (signal: Signal, bytes: number) => string | undefined;
  readonly onFound: (found: FoundSegment) => void;
}

/**
 * Takes over the segments of runs that are dead. Each file is moved by a rename, so that of several
 * adopters exactly one has it; should that one die as well, the next finds it among that one's own.
 * Resolves once each was read; where there is no spool directory, there is nothing to find.
 */
export async function adoptOrphans(search: OrphanSearch): Promise<void> {
  const names = await readdir(search.root).catch((error: unknown) => ignoreMissing(error, []));
  for (const name of names.slice(0, DIRECTORIES_MAX)) {
    const directory = join(search.root, name);
    try {
      if (name === search.ownName || (await isAlive(directory))) continue;
      await adoptDirectory(search, directory);
    } catch (error) {
      // One that cannot be read must not keep the others from being found.
      countFault("spool", error);
    }
  }
}

async function adoptDirectory(search: OrphanSearch, directory: string): Promise<void> {
  const names = await readdir(directory).catch((error: unknown) => ignoreMissing(error, []));
  for (const name of names.filter(isSegmentName).sort()) {
    const from = join(directory, name);
    const stats = await lstat(from).catch((error: unknown) => ignoreMissing(error, undefined));
    if (stats === undefined || !stats.isFile()) continue;
    const to = search.placeFor(name.startsWith("logs") ? "logs" : "traces", stats.size);
    if (to === undefined) return;
    const isOurs = await rename(from, to).then(
      () => true,
      (error: unknown) => ignoreMissing(error, false),
    );
    if (isOurs) search.onFound(await readFound(to));
  }
  removeOwned(directory);
}

async function readFound(path: string): Promise<FoundSegment> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const { size } = await handle.stat();
    if (size > FILE_BYTES_MAX) return { path, size, bytes: Buffer.alloc(0), header: undefined };
    const bytes = await readAll(handle, { at: 0, bytes: size });
    return { path, size, bytes, header: findSegmentHeader(bytes) };
  } finally {
    await handle.close();
  }
}

/** In doubt it is alive: its records are only late then, where otherwise they would be torn. */
export async function isAlive(directory: string, nowMs = Date.now()): Promise<boolean> {
  const stats = await lstat(directory).catch((error: unknown) => ignoreMissing(error, undefined));
  if (stats === undefined || !isTrusted(directory, stats)) return true;
  const ownerPath = join(directory, OWNER_FILE);
  const text = await readFile(ownerPath, "utf8").catch((error: unknown) =>
    ignoreMissing(error, ""),
  );
  const owner = parseIdentity(text);
  if (owner === undefined) return nowMs - stats.mtimeMs < UNOWNED_MS_MAX;
  const own = ownIdentity();
  const known = isRunning(own, owner) ?? (await asksLock(directory, { own, owner }));
  if (known !== undefined) return known;
  const renewed = await lstat(ownerPath).catch((error: unknown) => ignoreMissing(error, undefined));
  return renewed === undefined || nowMs - renewed.mtimeMs < LEASE_MS;
}

function isTrusted(directory: string, stats: Stats): boolean {
  try {
    checkTrusted(directory, stats);
    return true;
  } catch {
    return false; // Not one of ours: left alone, as if it were in use.
  }
}

/** Undefined where this kernel has nothing to say about the socket. */
function asksLock(
  directory: string,
  { own, owner }: { own: ProcessIdentity; owner: ProcessIdentity },
): Promise<boolean | undefined> | undefined {
  if (!owner.hasLock || !isSameKernel(own, owner)) return undefined;
  const path = join(directory, LOCK_SOCKET);
  if (isSocketPathShort(path)) return probe(path);
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  const descriptor = openSync(directory, flags);
  return probe(shortSocketPath(descriptor)).finally(() => closeSync(descriptor));
}

function probe(path: string): Promise<boolean | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ path, timeout: PROBE_MS_MAX });
    const finish = (isHeld: boolean | undefined) => {
      socket.destroy();
      resolve(isHeld);
    };
    socket.once("connect", () => finish(true));
    // Its queue of connections is full: somebody holds it.
    socket.once("timeout", () => finish(true));
    socket.once("error", (error: NodeJS.ErrnoException) => {
      const isFree = error.code === "ECONNREFUSED" || error.code === "ENOENT";
      finish(isFree ? false : undefined);
    });
  });
}

function ignoreMissing<T>(error: unknown, fallback: T): T {
  if (isMissing(error)) return fallback;
  throw error;
}
