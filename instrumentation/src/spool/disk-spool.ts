import { clearTimeout, setTimeout } from "node:timers";
import { writeScoped } from "../otlp/otlp-request.ts";
import type { ProtobufWriter } from "../otlp/protobuf-writer.ts";
import { counts, type Signal } from "../stats.ts";
import type { Scope } from "../tracing/recorded-span.ts";
import { Adoption } from "./adoption.ts";
import type { Batch, Leftover, Outbox } from "./outbox.ts";
import { RecordBuffer } from "./record-buffer.ts";
import { encodeFrame } from "./segment-format.ts";
import { SpoolBatch } from "./spool-batch.ts";
import { SpoolDirectory } from "./spool-directory.ts";
import { StretchStore } from "./stretch-store.ts";

const FRAME_BYTES_MAX = 64 * 1024;
const FRAME_AGE_MS_MAX = 200;

interface Lane {
  readonly signal: Signal;
  readonly buffer: RecordBuffer;
  timer: NodeJS.Timeout | undefined;
}

export interface DiskSpoolOptions {
  /** The encoded `Resource` message that every request carries. */
  readonly resource: Uint8Array;
  /** Folder of all spools. */
  readonly root: string;
  /** On disk, by this process. */
  readonly limitBytes: number;
  readonly service: string;
  readonly runId: string;
  /** One sentence for the operator; each kind of trouble is told once. */
  readonly report: (message: string) => void;
  /** There is something to send though no record was made. */
  readonly onFound?: (signal: Signal) => void;
  /** Whether this process knows where a signal goes; what it does not send it does not adopt. */
  readonly isSent?: (signal: Signal) => boolean;
  readonly now?: () => number;
  /** Held while the disk does not take them. */
  readonly memoryBytesMax?: number;
}

/**
 * Keeps records on disk until the collector has them. Records are encoded into one buffer per
 * signal; every 200 ms, at 64 KiB and at once after an urgent one it becomes a frame, which is
 * written to a segment and waits to be sent. See `Outbox` for what it promises, `StretchStore` for
 * what is kept where, `SegmentWriter` for the disk.
 */
export class DiskSpool implements Outbox {
  readonly #now: () => number;
  readonly #lanes: Record<Signal, Lane> = { logs: newLane("logs"), traces: newLane("traces") };
  readonly #store: StretchStore;
  readonly #adoption: Adoption;
  #isClosed = false;

  constructor(options: DiskSpoolOptions) {
    const directory = new SpoolDirectory(options);
    this.#now = options.now ?? (() => performance.now());
    this.#store = new StretchStore({ ...options, directory });
    this.#adoption = new Adoption({ ...options, directory, store: this.#store });
  }

  /** Looks for what dead processes left, now and every minute. */
  start(): void {
    this.#adoption.start();
  }

  open(signal: Signal, scope: Scope): ProtobufWriter {
    return this.#lanes[signal].buffer.open(scope);
  }

  commit(signal: Signal, urgent: boolean): void {
    const lane = this.#lanes[signal];
    const { buffer } = lane;
    if (buffer.records === 0) this.#begin(lane);
    buffer.records++;
    if (this.#isClosed) {
      // A line of the service's own `exit` listener, after ours: it goes with the next start.
      this.preserve();
    } else if (buffer.bytes >= FRAME_BYTES_MAX) {
      this.#seal(lane);
    } else if (urgent && !buffer.isUrgent) {
      buffer.isUrgent = true;
      // After the user code that runs: ten errors in a row are one write, not ten.
      queueMicrotask(() => this.#seal(lane));
    }
  }

  rollback(signal: Signal): void {
    this.#lanes[signal].buffer.rollback();
  }

  dueInMs(signal: Signal): number | undefined {
    const { buffer } = this.#lanes[signal];
    if (this.#store.hasWaiting(signal)) return 0;
    if (buffer.records === 0) return undefined;
    if (buffer.isUrgent) return 0;
    return Math.max(0, buffer.openedAtMs + FRAME_AGE_MS_MAX - this.#now());
  }

  take(signal: Signal): Batch | undefined {
    if (!this.#store.hasOwnWaiting(signal)) this.#seal(this.#lanes[signal]);
    return this.#store.take(signal);
  }

  remove(batch: Batch): void {
    if (batch instanceof SpoolBatch) this.#store.remove(batch);
  }

  giveBack(batch: Batch): void {
    if (batch instanceof SpoolBatch) this.#store.giveBack(batch);
  }

  get isEmpty(): boolean {
    return (
      this.#store.isEmpty && Object.values(this.#lanes).every(({ buffer }) => buffer.records === 0)
    );
  }

  preserve(): void {
    this.#adoption.stop();
    for (const lane of Object.values(this.#lanes)) this.#seal(lane);
    this.#store.preserve();
  }

  takeRest(): Batch[] {
    for (const lane of Object.values(this.#lanes)) this.#seal(lane);
    return this.#store.takeRest();
  }

  close(): Leftover {
    this.preserve();
    this.#isClosed = true;
    return this.#store.close();
  }

  #begin(lane: Lane): void {
    lane.buffer.openedAtMs = this.#now();
    lane.timer ??= setTimeout(() => {
      lane.timer = undefined;
      this.#seal(lane);
    }, FRAME_AGE_MS_MAX).unref();
  }

  #seal(lane: Lane): void {
    const { signal, buffer } = lane;
    const { records } = buffer;
    if (records === 0) return;
    clearTimeout(lane.timer);
    lane.timer = undefined;
    const parts = writeScoped(buffer);
    const frame = encodeFrame({ parts, records, sequence: counts[signal].made });
    buffer.clear();
    this.#store.put({ signal, frame, records });
  }
}

function newLane(signal: Signal): Lane {
  return { signal, buffer: new RecordBuffer(), timer: undefined };
}
