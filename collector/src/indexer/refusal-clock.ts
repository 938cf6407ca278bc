/** A replay whose time lies further ahead is not believed: somebody's clock is wrong, or a lie. */
const AHEAD_NS_MAX = 3_600_000_000_000n;

/**
 * When a record was refused. What is sent again and refused again must be refused after it was sent
 * again, or the dead letter would pass for dealt with: so this clock is never behind the replays it
 * has heard of, though they were timed by another machine's.
 */
export class RefusalClock {
  readonly #nowNs: () => bigint;
  #heardNs = 0n;

  /** @param nowNs Unix time */
  constructor(nowNs: () => bigint) {
    this.#nowNs = nowNs;
  }

  hear(replayedNs: bigint | undefined): void {
    if (replayedNs === undefined || replayedNs > this.#nowNs() + AHEAD_NS_MAX) return;
    if (replayedNs > this.#heardNs) this.#heardNs = replayedNs;
  }

  now(): bigint {
    const nowNs = this.#nowNs();
    return nowNs > this.#heardNs ? nowNs : this.#heardNs + 1n;
  }
}
