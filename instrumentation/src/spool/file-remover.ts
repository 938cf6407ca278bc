import { unlinkSync } from "node:fs";
import { unlink } from "node:fs/promises";
import { countFault } from "../stats.ts";
import { isMissing } from "./is-missing.ts";

/** Deletes files in the background, and at the end before it returns. */
export class FileRemover {
  readonly #underway = new Set<string>();
  #isEnding = false;

  remove(path: string): void {
    if (this.#isEnding) {
      this.#removeNow(path);
      return;
    }
    this.#underway.add(path);
    unlink(path)
      .catch(countUnlessMissing)
      .finally(() => this.#underway.delete(path));
  }

  /** Nothing that was to go is left, now and from now on. */
  end(): void {
    this.#isEnding = true;
    for (const path of this.#underway) this.#removeNow(path);
  }

  #removeNow(path: string): void {
    this.#underway.delete(path);
    try {
      unlinkSync(path);
    } catch (error) {
      countUnlessMissing(error);
    }
  }
}

export function countUnlessMissing(error: unknown): void {
  if (!isMissing(error)) countFault("spool", error);
}
