import { ClewError } from "../errors.ts";

/** What a request costs beside its bytes: socket, headers, promises. It bounds their number too. */
export const REQUEST_OVERHEAD_BYTES = 16 * 1024;

/**
 * Counts the bytes that requests hold, so that memory stays bounded however many come. A request
 * that is alone is always let through: its own size has its own limit, and refusing it as overload
 * would refuse it for ever.
 */
export class InFlightBytes {
  private readonly maxBytes: number;
  private total = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.total;
  }

  /** @throws ClewError BUS_OVERLOADED */
  open(): Reservation {
    let held = 0;
    const grow = (bytes: number): void => {
      const isAlone = this.total === held;
      if (this.total + bytes > this.maxBytes && !isAlone) throw this.overloaded();
      this.total += bytes;
      held += bytes;
    };
    const shrink = (bytes: number): void => {
      const given = Math.min(bytes, held);
      this.total -= given;
      held -= given;
    };
    grow(REQUEST_OVERHEAD_BYTES);
    const detach = (): (() => void) => {
      const bytes = held;
      held = 0;
      return () => {
        this.total -= bytes;
      };
    };
    return { grow, shrink, detach, release: () => shrink(held) };
  }

  private overloaded(): ClewError {
    const why = `${this.total} bytes are in flight, of ${this.maxBytes}`;
    return new ClewError("BUS_OVERLOADED", `cannot take the request now: ${why}`);
  }
}

/** The share of one request. `release` may be called twice. */
export interface Reservation {
  /** @throws ClewError BUS_OVERLOADED */
  grow(bytes: number): void;
  shrink(bytes: number): void;
  /** Hands the bytes over to who calls the answer, once; `release` then has nothing to release. */
  detach(): () => void;
  release(): void;
}
