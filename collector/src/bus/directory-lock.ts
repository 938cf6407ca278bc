import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { VARIABLE } from "../config.ts";
import { ClewError } from "../errors.ts";

const SQLITE_BUSY = 5;

export interface DirectoryLock {
  release(): void;
}

/**
 * Keeps a directory for this process. The lock is the kernel's, taken by way of SQLite because Node
 * has no file locks of its own: it is gone with the process, however that ends, so that no stale
 * lock has to be judged by a process id that may have been given away again. Two opens within one
 * process exclude each other too. Costs 1.3 ms and 1.8 MB.
 *
 * @param describe what is wrong and what to do, given who has the directory
 * @throws ClewError DATA_DIR_IN_USE
 */
export function lockDirectory(
  dir: string,
  describe: (owner: string, dir: string) => string = dataDirectoryInUse,
): DirectoryLock {
  mkdirSync(dir, { recursive: true });
  const ownerPath = join(dir, "owner");
  const database = new DatabaseSync(join(dir, "lock"));
  try {
    database.exec("PRAGMA journal_mode=MEMORY; PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE");
  } catch (cause) {
    database.close();
    if (!isBusy(cause)) throw cause;
    throw new ClewError("DATA_DIR_IN_USE", describe(owner(ownerPath), dir), { cause });
  }
  writeFileSync(ownerPath, `${process.pid}\n`);
  return {
    release() {
      if (database.isOpen) database.close();
    },
  };
}

function dataDirectoryInUse(owner: string, dir: string): string {
  const hint = `stop it, or set ${VARIABLE.dataDir} to another directory`;
  return `cannot use the data directory: ${owner} has ${dir}; ${hint}`;
}

function isBusy(thrown: unknown): boolean {
  return thrown instanceof Error && "errcode" in thrown && thrown.errcode === SQLITE_BUSY;
}

/** For the message only: the file may be older than the lock. */
function owner(path: string): string {
  try {
    return `process ${Number(readFileSync(path, "utf8"))}`;
  } catch (cause) {
    return `another process (its id is not known: ${String(cause)})`;
  }
}
