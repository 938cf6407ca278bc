import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

const MEASURE_EVERY_MS = 2000;

/**
 * What the files of a folder take up, measured every two seconds, so that a limit on the data can
 * be kept without a system call for each message. Subfolders are not looked into.
 */
export class FolderBytes {
  readonly #dir: string;
  readonly #timer: NodeJS.Timeout;
  #bytes = 0;

  /** Resolves after the first measurement. A folder that is not there takes up nothing. */
  static async watch(dir: string, onFault: (cause: unknown) => void): Promise<FolderBytes> {
    const folder = new FolderBytes(dir, onFault);
    await folder.#measure();
    return folder;
  }

  private constructor(dir: string, onFault: (cause: unknown) => void) {
    this.#dir = dir;
    this.#timer = setInterval(() => this.#measure().catch(onFault), MEASURE_EVERY_MS);
    this.#timer.unref();
  }

  get bytes(): number {
    return this.#bytes;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #measure(): Promise<void> {
    const names = await unlessMissing(readdir(this.#dir), []);
    const sizes = names.map((name) => unlessMissing(sizeOf(join(this.#dir, name)), 0));
    this.#bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  }
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path)).size;
}

/** Files come and go while they are counted: a day expires, a write-ahead log is folded in. */
async function unlessMissing<T>(answer: Promise<T>, missing: T): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return missing;
    throw cause;
  }
}
