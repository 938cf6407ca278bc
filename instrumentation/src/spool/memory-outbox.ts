import { type ScopeRun, writeRequest } from "../otlp/otlp-request.ts";
import { ProtobufWriter } from "../otlp/protobuf-writer.ts";
import { findTransactionIds } from "../otlp/transaction-scan.ts";
import { countDropped, counts, type Signal } from "../stats.ts";
import type { Scope } from "../tracing/recorded-span.ts";
import type { Batch, Outbox } from "./outbox.ts";

/** What is held until the collector takes it; beyond it the oldest batches go, counted. */
export const OUTBOX_BYTES_MAX = 64 * 1024 * 1024;
const BATCH_BYTES_MAX = 1024 * 1024;
const BATCH_RECORDS_MAX = 512;
const BATCH_AGE_MS_MAX = 200;
const WRITER_BYTES_START = 16 * 1024;
const WRITER_BYTES_KEPT = 2 * BATCH_BYTES_MAX;
/** What a batch costs beside its bytes: its object, its buffers' headers. */
const BATCH_OVERHEAD_BYTES = 1024;

interface Lane {
  readonly signal: Signal;
  writer: ProtobufWriter;
  /** Where the record being written began. */
  mark: number;
  scopes: ScopeRun[];
  records: number;
  openedAtMs: number;
  isUrgent: boolean;
  /** Sealed batches, oldest first. */
  readonly waiting: Batch[];
  readonly taken: Set<Batch>;
}

export interface MemoryOutboxOptions {
  /** The encoded `Resource` message that every request carries. */
  readonly resource: Uint8Array;
  readonly bytesMax?: number;
  readonly now?: () => number;
}

/** Bounded memory, until a spool on disk takes its place. See `Outbox` for what it promises. */
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
    const lane = this.#lanes[signal];
    lane.mark = lane.writer.position;
    const last = lane.scopes[lane.scopes.length - 1];
    if (last?.scope !== scope) lane.scopes.push({ scope, start: lane.mark });
    return lane.writer;
  }

  commit(signal: Signal, urgent: boolean): void {
    const lane = this.#lanes[signal];
    if (lane.records === 0) lane.openedAtMs = this.#now();
    lane.records++;
    if (urgent) lane.isUrgent = true;
    const isFull = lane.records >= BATCH_RECORDS_MAX || lane.writer.position >= BATCH_BYTES_MAX;
    if (isFull) this.#seal(lane);
  }

  rollback(signal: Signal): void {
    const lane = this.#lanes[signal];
    lane.writer.position = lane.mark;
    const last = lane.scopes[lane.scopes.length - 1];
    if (last?.start === lane.mark) lane.scopes.pop();
  }

  dueInMs(signal: Signal): number | undefined {
    const lane = this.#lanes[signal];
    if (lane.waiting.length > 0) return 0;
    if (lane.records === 0) return undefined;
    if (lane.isUrgent) return 0;
    return Math.max(0, lane.openedAtMs + BATCH_AGE_MS_MAX - this.#now());
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
    if (lane.taken.delete(batch)) lane.waiting.unshift(batch);
  }

  get isEmpty(): boolean {
    return Object.values(this.#lanes).every(
      (lane) => lane.records === 0 && lane.waiting.length === 0 && lane.taken.size === 0,
    );
  }

  remains(): Batch[] {
    const all: Batch[] = [];
    for (const lane of Object.values(this.#lanes)) {
      this.#seal(lane);
      all.push(...lane.taken, ...lane.waiting);
    }
    return all;
  }

  #seal(lane: Lane): void {
    if (lane.records === 0) return;
    const { writer, scopes, records } = lane;
    const content = Buffer.from(writer.buffer.subarray(0, writer.position));
    const parts = writeRequest({ resource: this.#resource, content, scopes });
    const bytes = parts.reduce((sum, part) => sum + part.length, 0);
    const order = this.#order++;
    const batch: Batch = { signal: lane.signal, parts, bytes, records, order, attempts: 0 };
    lane.waiting.push(batch);
    lane.scopes = [];
    lane.records = 0;
    lane.isUrgent = false;
    // One enormous record must not keep its memory for the rest of the process.
    if (writer.buffer.length > WRITER_BYTES_KEPT) lane.writer = newWriter();
    else writer.position = 0;
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
      countDropped(batch.signal, batch.records, findTransactionIds(batch.parts));
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

function newLane(signal: Signal): Lane {
  return {
    signal,
    writer: newWriter(),
    mark: 0,
    scopes: [],
    records: 0,
    openedAtMs: 0,
    isUrgent: false,
    waiting: [],
    taken: new Set(),
  };
}

function newWriter(): ProtobufWriter {
  return new ProtobufWriter(WRITER_BYTES_START);
}

function costOf(batch: Batch): number {
  return batch.bytes + BATCH_OVERHEAD_BYTES;
}
