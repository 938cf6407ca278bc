import { bytesOf, writeRequest } from "../otlp/otlp-request.ts";
import type { ProtobufWriter } from "../otlp/protobuf-writer.ts";
import { findTransactionIds } from "../otlp/transaction-scan.ts";
import { counts, type Signal } from "../stats.ts";
import type { Scope } from "../tracing/recorded-span.ts";
import { countLost } from "./count-lost.ts";
import type { Batch, Leftover, Outbox } from "./outbox.ts";
import { RecordBuffer } from "./record-buffer.ts";

/** What is held until the collector takes it; beyond it the oldest batches go, counted. */
export const OUTBOX_BYTES_MAX = 64 * 1024 * 1024;
const BATCH_BYTES_MAX = 1024 * 1024;
const BATCH_RECORDS_MAX = 4096;
const BATCH_AGE_MS_MAX = 200;
/** What a batch costs beside its bytes: its object, its buffers' headers. */
const BATCH_OVERHEAD_BYTES = 1024;

interface Lane {
  readonly signal: Signal;
  readonly buffer: RecordBuffer;
  /** Sealed batches, oldest first. */
  readonly waiting: MemoryBatch[];
  readonly taken: Set<Batch>;
}

export interface MemoryOutboxOptions {
  /** The encoded `Resource` message that every request carries. */
  readonly resource: Uint8Array;
  readonly bytesMax?: number;
  readonly now?: () => number;
}

/** Bounded memory, for `CLEW_SPOOL_DIR=off`. See `Outbox` for what it promises. */
export class MemoryOutbox implements Outbox {
  readonly #resource: Uint8Array;
  readonly #bytesMax: number;
  readonly #now: () => number;
  readonly #lanes: Record<Signal, Lane> = { logs: newLane("logs"), traces: newLane("traces") };
  #sealedBytes = 0;
  #order = 0;

  constructor(options: MemoryOutboxOptions) {
    this.#resource = options.resource;
    this.#bytesMax = options.bytesMax ?? OUTBOX_BYTES_MAX;
    this.#now = options.now ?? (() => performance.now());
  }

  open(signal: Signal, scope: Scope): ProtobufWriter {
    return this.#lanes[signal].buffer.open(scope);
  }

  commit(signal: Signal, urgent: boolean): void {
    const lane = this.#lanes[signal];
    const { buffer } = lane;
    if (buffer.records === 0) buffer.openedAtMs = this.#now();
    buffer.records++;
    if (urgent) buffer.isUrgent = true;
    const isFull = buffer.records >= BATCH_RECORDS_MAX || buffer.bytes >= BATCH_BYTES_MAX;
    if (isFull) this.#seal(lane);
  }

  rollback(signal: Signal): void {
    this.#lanes[signal].buffer.rollback();
  }

  dueInMs(signal: Signal): number | undefined {
    const { waiting, buffer } = this.#lanes[signal];
    if (waiting.length > 0) return 0;
    if (buffer.records === 0) return undefined;
    if (buffer.isUrgent) return 0;
    return Math.max(0, buffer.openedAtMs + BATCH_AGE_MS_MAX - this.#now());
  }

  take(signal: Signal): Batch | undefined {
    const lane = this.#lanes[signal];
    if (lane.waiting.length === 0) this.#seal(lane);
    const batch = lane.waiting.shift();
    if (batch !== undefined) lane.taken.add(batch);
    return batch;
  }

  remove(batch: Batch): void {
    if (this.#lanes[batch.signal].taken.delete(batch)) this.#account(-costOf(batch));
  }

  giveBack(batch: Batch): void {
    const lane = this.#lanes[batch.signal];
    if (lane.taken.delete(batch) && batch instanceof MemoryBatch) lane.waiting.unshift(batch);
  }

  get isEmpty(): boolean {
    return Object.values(this.#lanes).every(
      (lane) => lane.buffer.records === 0 && lane.waiting.length === 0 && lane.taken.size === 0,
    );
  }

  /** Memory outlives nothing. */
  preserve(): void {
    for (const lane of Object.values(this.#lanes)) this.#seal(lane);
  }

  takeRest(): Batch[] {
    this.preserve();
    return Object.values(this.#lanes).flatMap((lane) => {
      for (const batch of lane.waiting.splice(0)) lane.taken.add(batch);
      return [...lane.taken];
    });
  }

  close(): Leftover {
    let lost = 0;
    for (const batch of this.takeRest()) {
      lost += batch.records;
      countLost(batch, batch.records, findTransactionIds(batch.loadNow()));
      this.remove(batch);
    }
    return { lost, kept: 0 };
  }

  #seal(lane: Lane): void {
    const { buffer } = lane;
    if (buffer.records === 0) return;
    const content = Buffer.from(buffer.content);
    const parts = writeRequest({ resource: this.#resource, content, scopes: buffer.scopes });
    const order = this.#order++;
    const batch = new MemoryBatch({ signal: lane.signal, parts, records: buffer.records, order });
    lane.waiting.push(batch);
    buffer.clear();
    this.#account(costOf(batch));
    this.#evict();
  }

  #account(bytes: number): void {
    this.#sealedBytes += bytes;
    counts.waitingBytes = this.#sealedBytes;
  }

  #evict(): void {
    while (this.#sealedBytes > this.#bytesMax) {
      const batch = this.#oldestLane().waiting.shift();
      if (batch === undefined) return;
      this.#account(-costOf(batch));
      countLost(batch, batch.records, findTransactionIds(batch.loadNow()));
    }
  }

  /** Whose first waiting batch is the oldest of all; what is being sent is not touched. */
  #oldestLane(): Lane {
    const { logs, traces } = this.#lanes;
    const logsOrder = logs.waiting[0]?.order ?? Number.POSITIVE_INFINITY;
    const tracesOrder = traces.waiting[0]?.order ?? Number.POSITIVE_INFINITY;
    return logsOrder < tracesOrder ? logs : traces;
  }
}

class MemoryBatch implements Batch {
  readonly signal: Signal;
  readonly records: number;
  readonly order: number;
  readonly bytes: number;
  readonly isAdopted = false;
  attempts = 0;
  readonly #parts: readonly Uint8Array[];

  constructor(of: {
    signal: Signal;
    records: number;
    order: number;
    parts: readonly Uint8Array[];
  }) {
    this.signal = of.signal;
    this.records = of.records;
    this.order = of.order;
    this.bytes = bytesOf(of.parts);
    this.#parts = of.parts;
  }

  async load(): Promise<readonly Uint8Array[]> {
    return this.#parts;
  }

  loadNow(): readonly Uint8Array[] {
    return this.#parts;
  }
}

function newLane(signal: Signal): Lane {
  return { signal, buffer: new RecordBuffer(), waiting: [], taken: new Set() };
}

function costOf(batch: Batch): number {
  return batch.bytes + BATCH_OVERHEAD_BYTES;
}
