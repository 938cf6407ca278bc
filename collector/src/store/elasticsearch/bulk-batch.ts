import type { BulkBody } from "./bulk-body.ts";
import type { BulkLimits } from "./bulk-limits.ts";
import type { BulkSender, BulkTally } from "./bulk-sender.ts";
import type { JsonBuffer } from "./json-buffer.ts";

export interface BulkBatchOptions {
  readonly sender: BulkSender;
  readonly limits: BulkLimits;
  /** Is given the buffers of requests that are settled. */
  readonly recycle: (json: JsonBuffer) => void;
}

/** The requests of one batch: some are in flight while the next is made. */
export class BulkBatch {
  readonly tally: BulkTally = { created: 0, existing: 0, refused: [] };
  readonly #options: BulkBatchOptions;
  readonly #inFlight = new Set<Promise<void>>();
  readonly #failures: unknown[] = [];

  constructor(options: BulkBatchOptions) {
    this.#options = options;
  }

  /** Resolves once there is room for another; rejects as `done` does. */
  async add(body: BulkBody): Promise<void> {
    const sent = this.#send(body).finally(() => this.#inFlight.delete(sent));
    this.#inFlight.add(sent);
    while (this.#inFlight.size > this.#options.limits.permits) await Promise.race(this.#inFlight);
    if (this.#failures.length > 0) await this.done();
  }

  /**
   * Resolves once all of them are settled.
   * @throws what the first that failed did, once none is in flight.
   */
  async done(): Promise<void> {
    await Promise.all(this.#inFlight);
    if (this.#failures.length > 0) throw this.#failures[0];
  }

  async #send(body: BulkBody): Promise<void> {
    try {
      if (body.documents > 0) await this.#options.sender.send(body, this.tally);
      this.#options.recycle(body.json);
    } catch (thrown) {
      this.#failures.push(thrown);
    }
  }
}
