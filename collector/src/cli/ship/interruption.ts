const EXIT_INTERRUPTED = 130;
/** After Ctrl-C what was read is still sent, for so long at most. */
const DRAIN_MS_MAX = 10_000;

/** Ctrl-C: the first stops reading and gives the rest a bounded time, the second ends at once. */
export class Interruption {
  readonly #stops = new AbortController();
  readonly #givesUp = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor() {
    process.on("SIGINT", this.#interrupt);
    process.on("SIGTERM", this.#interrupt);
  }

  /** Aborts when no more is to be read. */
  get stops(): AbortSignal {
    return this.#stops.signal;
  }

  /** Aborts when no more is to be sent. */
  get givesUp(): AbortSignal {
    return this.#givesUp.signal;
  }

  end(): void {
    clearTimeout(this.#timer);
    process.removeListener("SIGINT", this.#interrupt);
    process.removeListener("SIGTERM", this.#interrupt);
  }

  readonly #interrupt = () => {
    if (this.#stops.signal.aborted) process.exit(EXIT_INTERRUPTED);
    this.#stops.abort();
    this.#timer = setTimeout(() => {
      this.#givesUp.abort(
        new Error("cannot ship the rest: interrupted while the collector is away"),
      );
    }, DRAIN_MS_MAX);
  };
}
