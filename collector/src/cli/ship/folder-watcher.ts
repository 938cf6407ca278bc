import { type FSWatcher, watch } from "node:fs";
import { join } from "node:path";

/** Beyond, and where the system refuses a watch, changes are seen by polling. */
const FOLDERS_MAX = 256;

export interface FolderChange {
  readonly path: string;
  /** A name came or went, and not only bytes. */
  readonly isName: boolean;
}

/**
 * Tells of changes sooner than polling would. It may miss any (network file systems, full queues of
 * the kernel), so that nothing may rest on it.
 */
export class FolderWatcher {
  readonly #onChange: (change: FolderChange) => void;
  readonly #watchers = new Map<string, FSWatcher | undefined>();

  constructor(onChange: (change: FolderChange) => void) {
    this.#onChange = onChange;
  }

  add(folder: string): void {
    if (this.#watchers.has(folder) || this.#watchers.size >= FOLDERS_MAX) return;
    this.#watchers.set(folder, this.#watch(folder));
  }

  stop(): void {
    for (const watcher of this.#watchers.values()) watcher?.close();
    this.#watchers.clear();
  }

  #watch(folder: string): FSWatcher | undefined {
    try {
      const watcher = watch(folder, { persistent: false }, (event, name) => {
        this.#onChange({ path: join(folder, name ?? ""), isName: event === "rename" });
      });
      // The folder was deleted: it is watched again when it is back.
      watcher.on("error", () => {
        watcher.close();
        this.#watchers.delete(folder);
      });
      return watcher;
    } catch {
      // No such folder yet, or no watch to be had: polling sees what happens there.
      return undefined;
    }
  }
}
