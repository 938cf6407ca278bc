import { statfsSync } from "node:fs";
import { ClewError, toClewError } from "../../errors.ts";

/** Primary result codes (sqlite.org/rescode.html): the low byte of the extended code. */
const RESULT = { ioError: 10, corrupt: 11, full: 13, cannotOpen: 14, notADatabase: 26 } as const;
/** Below this a failed read or write is taken for a full disk: SQLite needs more to go on. */
const FREE_BYTES_LEAST = 256 * 1024;

/** Whether the file itself is damaged, so that trying again cannot help. */
export function isCorruption(thrown: unknown): boolean {
  const code = resultCode(thrown);
  return code === RESULT.corrupt || code === RESULT.notADatabase;
}

/**
 * Anything thrown by SQLite or the file system as the store's own error. `doing` completes
 * "cannot …"; `dir` is the folder whose free space is looked at. Anything else is a fault of our
 * own, which trying again does not mend.
 */
export function toStoreError(thrown: unknown, { doing, dir }: { doing: string; dir: string }) {
  if (!(thrown instanceof Error) || !isFromOutside(thrown)) return toClewError(thrown);
  const code = isOutOfSpace(thrown, dir) ? "STORE_FULL" : "STORE_UNAVAILABLE";
  return new ClewError(code, `cannot ${doing}: ${thrown.message}`, { cause: thrown });
}

function isFromOutside(thrown: Error): boolean {
  return resultCode(thrown) !== undefined || "syscall" in thrown;
}

/**
 * SQLite names a full disk only where a write of its own met it; growing the shared-memory file or
 * creating the write-ahead log ends as "I/O error" or "cannot open" instead.
 */
function isOutOfSpace(thrown: unknown, dir: string): boolean {
  if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOSPC") return true;
  const code = resultCode(thrown);
  if (code === RESULT.full) return true;
  if (code !== RESULT.ioError && code !== RESULT.cannotOpen) return false;
  try {
    const { bavail, bsize } = statfsSync(dir);
    return bavail * bsize < FREE_BYTES_LEAST;
  } catch {
    // The folder cannot be looked at either: the store is unavailable, which is what false means.
    return false;
  }
}

function resultCode(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error) || !("errcode" in thrown)) return undefined;
  return typeof thrown.errcode === "number" ? thrown.errcode & 0xff : undefined;
}
