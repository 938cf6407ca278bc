import type { OutgoingMessage } from "../bus.ts";
import { recordBytesMax } from "./records.ts";

export interface GroupCommitOptions {
  /** How long the first message of a batch waits for others. */
  readonly waitMs: number;
  /** A batch that would be larger goes without its last message. */
  readonly batchBytesMax: () => number;
  /** Resolves to the position of the batch's first message. */
  readonly send: (messages: readonly OutgoingMessage[]) => Promise<BatchPosition>;
}

export interface BatchPosition {
  readonly partition: number;
  readonly firstOffset: number;
}

interface Batch {
  readonly messages: OutgoingMessage[];
  readonly result: PromiseWithResolvers<BatchPosition>;
  readonly timer: NodeJS.Timeout;
  bytes: number;
}

/**
 * Gathers messages of one topic into batches, so that what a request to the broker costs is paid
 * once for many. Batches do not wait for each other.
 */
export class GroupCommit {
  readonly #options: GroupCommitOptions;
  #batch: Batch | undefined;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  /** Where the message lies once it is durable; rejects as `send` does. */
  async add(message: OutgoingMessage): Promise<{ partition: number; offset: number }> {
    const bytes = recordBytesMax(message);
    const bytesMax = this.#options.batchBytesMax();
    if (this.#batch !== undefined && this.#batch.bytes + bytes > bytesMax) this.flush();
    const batch = this.#batch ?? this.#begin();
    const index = batch.messages.push(message) - 1;
    batch.bytes += bytes;
    if (batch.bytes >= bytesMax) this.flush();
    const { partition, firstOffset } = await batch.result.promise;
    return { partition, offset: firstOffset + index };
  }

  /** What has been gathered goes now. */
  flush(): void {
    const batch = this.#batch;
    if (batch === undefined) return;
    this.#batch = undefined;
    clearTimeout(batch.timer);
    batch.result.resolve(this.#options.send(batch.messages));
  }

  #begin(): Batch {
    const timer = setTimeout(() => this.flush(), this.#options.waitMs);
    this.#batch = { messages: [], bytes: 0, timer, result: Promise.withResolvers() };
    return this.#batch;
  }
}
