import { existsSync } from "node:fs";
import { glob } from "node:fs/promises";
import { basename, matchesGlob, resolve, sep } from "node:path";

export interface FileSelection {
  /** Names of files, and patterns as `*.log`, `**`, `{a,b}` and `[0-9]`. */
  readonly patterns: readonly string[];
  /** Patterns of the whole path, or of its last part. */
  readonly exclude: readonly string[];
}

export interface FoundFiles {
  /** Absolute paths, each once; a file with two names may be there twice. */
  readonly paths: readonly string[];
  /** Patterns that match nothing now. */
  readonly unmatched: readonly string[];
  /** There are more than may be followed. */
  readonly isCut: boolean;
}

export const FILES_MAX = 100_000;
const MAGIC = /[*?[{]/;

/** What the patterns match now. Folders may be among it, where a pattern matches them. */
export async function findFiles({ patterns, exclude }: FileSelection): Promise<FoundFiles> {
  const paths = new Set<string>();
  const unmatched: string[] = [];
  for (const pattern of patterns) {
    const before = paths.size;
    let matches = 0;
    for await (const path of expand(pattern)) {
      matches++;
      if (!isExcluded(path, exclude)) paths.add(path);
      if (paths.size >= FILES_MAX) return { paths: [...paths], unmatched, isCut: true };
    }
    if (matches === 0 && paths.size === before) unmatched.push(pattern);
  }
  return { paths: [...paths], unmatched, isCut: false };
}

/** The folder that a pattern's files are in or below: where to watch for new ones. */
export function folderOf(pattern: string): string {
  const parts = resolve(pattern).split(sep);
  const magic = parts.findIndex((part) => MAGIC.test(part));
  const end = magic < 0 ? parts.length - 1 : magic;
  return parts.slice(0, end).join(sep) || sep;
}

async function* expand(pattern: string): AsyncGenerator<string> {
  // A name may look like a pattern; what is there under that very name is meant.
  if (existsSync(pattern)) yield resolve(pattern);
  else if (MAGIC.test(pattern)) for await (const path of glob(pattern)) yield resolve(path);
}

function isExcluded(path: string, exclude: readonly string[]): boolean {
  const name = basename(path);
  return exclude.some(
    (pattern) => matchesGlob(name, pattern) || matchesGlob(path, resolve(pattern)),
  );
}
