import { readFileSync } from "node:fs";
import { open, rename } from "node:fs/promises";
import { join } from "node:path";
import { ClewError } from "../../errors.ts";
import {
  formatFile,
  formatPositions,
  type KnownFile,
  mergePositions,
  type Positions,
  parsePositions,
} from "./position-format.ts";

const FILE_NAME = "positions";
const JOURNAL_NAME = "positions.journal";

/**
 * The positions on disk: one file that is replaced as a whole (written beside it, synced, renamed,
 * the folder synced), and a journal of what must not wait for that. Among ten thousand files a new
 * one costs one line.
 */
export class PositionFiles {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /**
   * Undefined where nothing was ever saved.
   * @throws ClewError CONFIG_INVALID where what is there cannot be read; what `node:fs` throws.
   */
  load(): Positions | undefined {
    const path = join(this.#dir, FILE_NAME);
    const text = findText(path);
    if (text === undefined) return undefined;
    try {
      return mergePositions(parsePositions(text), findText(join(this.#dir, JOURNAL_NAME)) ?? "");
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      const cannot = `cannot read the positions in ${path}: ${why}`;
      const hint = "move it away to ship all files anew from their start";
      throw new ClewError("CONFIG_INVALID", `${cannot}; ${hint}`, { cause });
    }
  }

  /** Replaces all; after a crash half way the journal adds only what is older. */
  async replace(positions: Positions): Promise<void> {
    const path = join(this.#dir, FILE_NAME);
    await write(`${path}.new`, { text: formatPositions(positions), flag: "w" });
    await rename(`${path}.new`, path);
    await write(join(this.#dir, JOURNAL_NAME), { text: "", flag: "w" });
    await this.#syncFolder();
  }

  async append(files: readonly KnownFile[]): Promise<void> {
    // A line of an append that failed half way must not swallow the next.
    const text = `\n${files.map(formatFile).join("\n")}\n`;
    await write(join(this.#dir, JOURNAL_NAME), { text, flag: "a" });
  }

  async #syncFolder(): Promise<void> {
    const folder = await open(this.#dir, "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }
}

async function write(path: string, { text, flag }: { text: string; flag: string }): Promise<void> {
  const file = await open(path, flag, 0o600);
  try {
    await file.writeFile(text);
    await file.datasync();
  } finally {
    await file.close();
  }
}

function findText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
