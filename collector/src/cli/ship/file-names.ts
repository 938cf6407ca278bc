import { type BigIntStats, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * Looks at names synchronously: for thousands of files that takes a fraction of the CPU that the
 * thread pool would. What cannot be looked at is not there.
 */
export function findStats(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    // A loop of links, or a folder on the way that may not be searched.
    if (error instanceof Error && "code" in error) return undefined;
    throw error;
  }
}

/** By which a file is known while it has any name. */
export function keyOf({ dev, ino }: Pick<BigIntStats, "dev" | "ino">): string {
  return `${dev}:${ino}`;
}

/** Finds the names that files have now in the folders where they were; asks each folder once. */
export class FileNames {
  readonly #folders = new Map<string, ReadonlyMap<string, string>>();

  find(file: { path: string; device: string; inode: string }): string | undefined {
    const folder = dirname(file.path);
    const names = this.#folders.get(folder) ?? namesIn(folder);
    this.#folders.set(folder, names);
    return names.get(`${file.device}:${file.inode}`);
  }
}

function namesIn(folder: string): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const name of listFolder(folder)) {
    const path = join(folder, name);
    const stats = findStats(path);
    if (stats?.isFile() === true) names.set(keyOf(stats), path);
  }
  return names;
}

function listFolder(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    // Deleted, or not to be read by this user: there is nothing to be found in it.
    if (error instanceof Error && "code" in error) return [];
    throw error;
  }
}
