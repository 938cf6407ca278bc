import type { StoreNews } from "./query/log-tails.ts";

/**
 * Tells the live tails that there may be new records. Where other processes write to the store too,
 * nobody tells us of theirs: then it says so again and again, as long as somebody listens.
 */
export class StoredNews implements StoreNews {
  readonly #pollMs: number | undefined;
  readonly #listeners = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;

  /** @param pollMs absent: only this process writes to the store */
  constructor(pollMs?: number) {
    this.#pollMs = pollMs;
  }

  onStored(listener: () => void): () => void {
    this.#listeners.add(listener);
    if (this.#pollMs !== undefined) {
      this.#timer ??= setInterval(() => this.announce(), this.#pollMs).unref();
    }
    return () => this.#forget(listener);
  }

  announce(): void {
    for (const listener of this.#listeners) listener();
  }

  #forget(listener: () => void): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
