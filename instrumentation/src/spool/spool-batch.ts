import { writeHead } from "../otlp/otlp-request.ts";
import type { Signal } from "../stats.ts";
import { isMissing } from "./is-missing.ts";
import type { Batch } from "./outbox.ts";
import { readStretch, readStretchNow, type Stretch, type StretchContent } from "./stretch.ts";

/** A file that cannot be read so often (too many open files, a disk error) is given up. */
const READ_FAILURES_MAX = 5;

export interface SpoolBatchOptions {
  readonly stretches: readonly Stretch[];
  readonly resource: Uint8Array;
  readonly isAdopted: boolean;
  /** Told once of records and bytes that cannot be read any more. */
  readonly onDamage: (batch: SpoolBatch, lost: { records: number; bytes: number }) => void;
}

/** Stretches of one run that are sent in one request. */
export class SpoolBatch implements Batch {
  readonly signal: Signal;
  readonly order: number;
  readonly bytes: number;
  readonly isAdopted: boolean;
  readonly stretches: readonly Stretch[];
  attempts: number;
  records: number;
  readonly #options: SpoolBatchOptions;
  #readFailures = 0;

  constructor(options: SpoolBatchOptions) {
    const { stretches, resource, isAdopted } = options;
    const payloadBytes = stretches.reduce((sum, stretch) => sum + stretch.payloadBytes, 0);
    this.#options = options;
    this.stretches = stretches;
    this.isAdopted = isAdopted;
    this.signal = stretches[0]?.signal ?? "logs";
    this.order = stretches[0]?.order ?? 0;
    this.bytes = writeHead(resource, payloadBytes).length + payloadBytes;
    this.records = stretches.reduce((sum, stretch) => sum + stretch.records, 0);
    // Whether the dead process had sent it is not known, so that its receiver has to look.
    this.attempts = isAdopted ? 1 : 0;
  }

  async load(): Promise<readonly Uint8Array[]> {
    const payloads: Uint8Array[] = [];
    for (const stretch of this.stretches) {
      try {
        payloads.push(...this.#take(stretch, await readStretch(stretch)));
      } catch (error) {
        this.#fail(stretch, error);
      }
    }
    return this.#asRequest(payloads);
  }

  loadNow(): readonly Uint8Array[] {
    return this.#asRequest(
      this.stretches.flatMap((stretch) => [...this.#take(stretch, readStretchNow(stretch))]),
    );
  }

  #take(stretch: Stretch, content: StretchContent): readonly Uint8Array[] {
    if (content.damagedBytes > 0 && content.records < stretch.records) {
      this.#lose(stretch, { records: content.records, bytes: content.damagedBytes });
    }
    return content.payloads;
  }

  /** What is gone is gone; anything else may pass, so the whole batch is tried again. */
  #fail(stretch: Stretch, error: unknown): void {
    if (!isMissing(error) && ++this.#readFailures < READ_FAILURES_MAX) throw error;
    this.#lose(stretch, { records: 0, bytes: stretch.diskBytes });
  }

  #lose(stretch: Stretch, left: { records: number; bytes: number }): void {
    const records = stretch.records - left.records;
    if (records <= 0) return;
    stretch.records = left.records;
    this.records -= records;
    this.#options.onDamage(this, { records, bytes: left.bytes });
  }

  #asRequest(payloads: readonly Uint8Array[]): readonly Uint8Array[] {
    if (payloads.length === 0) return [];
    const bytes = payloads.reduce((sum, payload) => sum + payload.length, 0);
    return [writeHead(this.#options.resource, bytes), ...payloads];
  }
}
