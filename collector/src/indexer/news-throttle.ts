const NEWS_INTERVAL_MS = 100;

/** Passes on the newest of what it is offered, the first at once, at most ten times a second. */
export class NewsThrottle<T> {
  readonly #tell: (news: T) => void;
  #newest: { readonly news: T } | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(tell: (news: T) => void) {
    this.#tell = tell;
  }

  offer(news: T): void {
    this.#newest = { news };
    if (this.#timer === undefined) this.#tellAndWait();
  }

  /** Passes on what was held back, and holds nothing back any more. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#newest !== undefined) this.#tell(this.#newest.news);
    this.#newest = undefined;
  }

  #tellAndWait(): void {
    this.#timer = undefined;
    if (this.#newest === undefined) return;
    this.#tell(this.#newest.news);
    this.#newest = undefined;
    this.#timer = setTimeout(() => this.#tellAndWait(), NEWS_INTERVAL_MS);
  }
}
