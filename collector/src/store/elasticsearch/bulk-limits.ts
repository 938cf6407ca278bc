import type { WriteFigures } from "../store.ts";

/** How much Elasticsearch is sent at once; it finds out what the cluster takes. */
export interface BulkLimitsOptions {
  readonly requestBytes?: { readonly start: number; readonly min: number; readonly max: number };
  readonly inFlight?: { readonly start: number; readonly max: number };
}

const REQUEST_BYTES = { start: 1024 * 1024, min: 64 * 1024, max: 4 * 1024 * 1024 };
const IN_FLIGHT = { start: 2, max: 8 };
/** A request that takes longer than this is not made larger, and one of thrice this smaller. */
const LATENCY_WANTED_MS = 1_000;
const SLOW = 3;
const GROWTH = 1.25;
const SHRINKING = 0.5;
/** Only what was filled so far says whether more would be taken. */
const FULL_SHARE = 0.75;

/**
 * Grows bit by bit while answers come fast, and shrinks by half where the cluster says that it has
 * too much to do (additive increase, multiplicative decrease, as TCP does): several collectors
 * that write to one cluster come to share it. What is too large once is never sent again.
 */
export class BulkLimits {
  readonly #bytes: { readonly start: number; readonly min: number; readonly max: number };
  readonly #inFlightMax: number;
  readonly #waiting: (() => void)[] = [];
  #requestBytes: number;
  #ceilingBytes: number;
  #permits: number;
  #inFlight = 0;
  #successes = 0;
  readonly #totals = { requests: 0, bytes: 0, repeats: 0 };

  constructor({ requestBytes = REQUEST_BYTES, inFlight = IN_FLIGHT }: BulkLimitsOptions = {}) {
    this.#bytes = requestBytes;
    this.#requestBytes = requestBytes.start;
    this.#ceilingBytes = requestBytes.max;
    this.#permits = inFlight.start;
    this.#inFlightMax = inFlight.max;
  }

  /** How large the next request should be. */
  get requestBytes(): number {
    return this.#requestBytes;
  }

  /** What came of it so far. */
  figures(): WriteFigures {
    return { ...this.#totals, inFlight: this.#inFlight, wantedBytes: this.#requestBytes };
  }

  /** How many requests may be in flight. */
  get permits(): number {
    return this.#permits;
  }

  /** Resolves once one more request may be sent; each must be released once it was answered. */
  async acquire(): Promise<void> {
    while (this.#inFlight >= this.#permits) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#inFlight++;
    this.#totals.requests++;
  }

  release(): void {
    this.#inFlight--;
    this.#wake();
  }

  succeeded({ bytes, tookMs }: { readonly bytes: number; readonly tookMs: number }): void {
    this.#totals.bytes += bytes;
    if (tookMs > LATENCY_WANTED_MS * SLOW) this.#resize(this.#requestBytes * SHRINKING);
    if (tookMs > LATENCY_WANTED_MS) return;
    if (bytes >= this.#requestBytes * FULL_SHARE) this.#resize(this.#requestBytes * GROWTH);
    // One more in flight after as many successes as are in flight.
    if (this.#inFlight < this.#permits || ++this.#successes < this.#permits) return;
    this.#successes = 0;
    this.#permits = Math.min(this.#inFlightMax, this.#permits + 1);
    this.#wake();
  }

  /** Some documents had to wait: there are too many requests. */
  rejected(): void {
    this.#totals.repeats++;
    this.#successes = 0;
    this.#permits = Math.max(1, Math.floor(this.#permits * SHRINKING));
  }

  /** A whole request had to wait: there are too many bytes. */
  overloaded(): void {
    this.rejected();
    this.#resize(this.#requestBytes * SHRINKING);
  }

  /** No answer came, or none that says anything: one at a time until it is better. */
  failed(): void {
    this.#totals.repeats++;
    this.#successes = 0;
    this.#permits = 1;
    this.#resize(this.#requestBytes * SHRINKING);
  }

  /** A request of so many bytes is more than the server, or a proxy before it, ever takes. */
  tooLarge(bytes: number): void {
    const half = Math.max(1, Math.floor(bytes / 2));
    if (half < this.#ceilingBytes) this.#ceilingBytes = half;
    this.#resize(this.#requestBytes);
  }

  #resize(bytes: number): void {
    const least = Math.min(this.#bytes.min, this.#ceilingBytes);
    this.#requestBytes = Math.floor(Math.min(this.#ceilingBytes, Math.max(least, bytes)));
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
