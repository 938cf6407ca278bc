import { findTransactionIds } from "../otlp/transaction-scan.ts";
import { counts, type Signal } from "../stats.ts";
import { countLost } from "./count-lost.ts";
import type { Leftover } from "./outbox.ts";
import type { Segment } from "./segment.ts";
import { SegmentWriter } from "./segment-writer.ts";
import { SpoolBatch } from "./spool-batch.ts";
import type { SpoolDirectory } from "./spool-directory.ts";
import { readStretch, type Stretch, stretchInMemory } from "./stretch.ts";
import { WaitingLine } from "./waiting-line.ts";

const SEGMENT_BYTES_MAX = 4 * 1024 * 1024;
const REQUEST_BYTES_MAX = 1024 * 1024;
/** Room for segments to be given up one by one, whatever the limit. */
const SEGMENTS_MIN = 8;
/** Of what is on disk, so much is kept in memory as well, to be sent without being read. */
const CACHE_BYTES_MAX = 8 * 1024 * 1024;
/** Of what the disk has not taken: it is slow, full or missing. Beyond it the oldest go. */
const MEMORY_BYTES_MAX = 64 * 1024 * 1024;
/** A disk that took longer for one write is not waited for again. */
const BLOCKING_MS_MAX = 500;
/** What a frame in memory costs beside its bytes. */
const FRAME_OVERHEAD_BYTES = 512;

export interface StretchStoreOptions {
  readonly directory: SpoolDirectory;
  readonly resource: Uint8Array;
  readonly limitBytes: number;
  readonly memoryBytesMax?: number;
  readonly report: (message: string) => void;
}

interface Lane {
  readonly own: WaitingLine;
  readonly adopted: WaitingLine;
  isAdoptedNext: boolean;
}

/**
 * All that waits, in memory or on disk, within its bounds. What is on disk is dropped from memory
 * beyond 8 MiB, and read back when its turn comes. Over the limit on disk the oldest segment goes,
 * over the one in memory the oldest frame, but nothing that is being sent or was sent in vain.
 */
export class StretchStore {
  /** Own segments are as large as this at most, and so is a request. */
  readonly #segmentBytesMax: number;
  readonly #requestBytesMax: number;
  readonly #memoryBytesMax: number;
  readonly #options: StretchStoreOptions;
  readonly #writer: SegmentWriter;
  readonly #lanes: Record<Signal, Lane> = { logs: newLane(), traces: newLane() };
  readonly #told = new Set<string>();
  #order = 0;
  /** Bytes of frames in memory, written or not. */
  #memoryBytes = 0;
  #isDiskSlow = false;

  constructor(options: StretchStoreOptions) {
    const { directory, resource, limitBytes } = options;
    this.#options = options;
    this.#memoryBytesMax = options.memoryBytesMax ?? MEMORY_BYTES_MAX;
    this.#segmentBytesMax = Math.min(SEGMENT_BYTES_MAX, Math.floor(limitBytes / SEGMENTS_MIN));
    this.#requestBytesMax = Math.min(REQUEST_BYTES_MAX, this.#segmentBytesMax);
    this.#writer = new SegmentWriter({
      ...{ directory, resource, segmentBytesMax: this.#segmentBytesMax },
      makeRoom: (bytes) => this.#makeRoom(bytes),
      onWritten: (stretch) => this.#onWritten(stretch),
      onFailure: (error) => this.#onFailure(error),
      now: () => performance.now(),
    });
  }

  /** Bytes that may still be adopted. */
  get roomBytes(): number {
    return this.#options.limitBytes - this.#writer.diskBytes;
  }

  put(of: { signal: Signal; frame: Buffer; records: number }): void {
    const stretch = stretchInMemory({ ...of, order: this.#order++ });
    this.#lanes[of.signal].own.push(stretch);
    counts.waitingBytes += stretch.payloadBytes;
    this.#memoryBytes += costOf(of.frame);
    this.#writer.write(stretch);
    this.#boundMemory();
  }

  /** Takes in a segment of a dead run, and the rows of frames in it. */
  adopt(segment: Segment, rows: readonly Stretch[]): void {
    this.#writer.add(segment);
    segment.live = rows.length;
    for (const row of rows) {
      counts.waitingBytes += row.payloadBytes;
      counts.spool.adopted += row.records;
      this.#lanes[segment.signal].adopted.push({ ...row, order: this.#order++ });
    }
    if (rows.length === 0) this.#writer.delete(segment);
  }

  get requestBytesMax(): number {
    return this.#requestBytesMax;
  }

  get isEmpty(): boolean {
    return Object.values(this.#lanes).every(({ own, adopted }) => own.isEmpty && adopted.isEmpty);
  }

  hasOwnWaiting(signal: Signal): boolean {
    return this.#lanes[signal].own.hasWaiting;
  }

  hasWaiting(signal: Signal): boolean {
    const { own, adopted } = this.#lanes[signal];
    return own.hasWaiting || adopted.hasWaiting;
  }

  /** This run's records and those of dead ones by turns: neither waits for all of the other. */
  take(signal: Signal): SpoolBatch | undefined {
    const lane = this.#lanes[signal];
    const lines = lane.isAdoptedNext ? [lane.adopted, lane.own] : [lane.own, lane.adopted];
    const line = lines.find((one) => one.hasWaiting);
    if (line === undefined) return undefined;
    lane.isAdoptedNext = line === lane.own;
    return this.#takeFrom(line);
  }

  remove(batch: SpoolBatch): void {
    if (!this.#lineOf(batch).taken.delete(batch)) return;
    for (const stretch of batch.stretches) this.#settle(stretch);
  }

  giveBack(batch: SpoolBatch): void {
    const line = this.#lineOf(batch);
    if (line.taken.delete(batch)) line.returned.unshift(batch);
  }

  takeRest(): SpoolBatch[] {
    return Object.values(this.#lanes).flatMap(({ own }) => {
      while (own.hasWaiting) this.#takeFrom(own);
      return [...own.taken];
    });
  }

  /** See `SpoolDirectory`. Where nothing waits there is nothing to take, and nothing is written. */
  async renewLease(): Promise<void> {
    if (counts.waitingBytes === 0) return;
    await this.#writer.renew().catch((error: unknown) => this.#onFailure(error));
  }

  /** Only in memory is nothing any more, as far as the disk takes it. */
  preserve(): void {
    this.#writer.writeNow(true);
  }

  /** What the disk did not take is lost, the rest is there for whoever comes next. */
  close(): Leftover {
    let lost = 0;
    let kept = 0;
    for (const stretch of this.takeRest().flatMap((batch) => batch.stretches)) {
      if (stretch.isSettled) continue;
      if (stretch.segment !== undefined) kept += stretch.records;
      else lost += this.#drop(stretch, stretch.frame === undefined ? [] : [stretch.frame]);
    }
    this.#writer.closeNow();
    return { lost, kept };
  }

  #takeFrom(line: WaitingLine): SpoolBatch | undefined {
    const batch = line.returned.shift() ?? this.#newBatch(line);
    if (batch !== undefined) line.taken.add(batch);
    return batch;
  }

  #newBatch(line: WaitingLine): SpoolBatch | undefined {
    const stretches = line.takeGroup(this.#requestBytesMax);
    const [first] = stretches;
    if (first === undefined) return undefined;
    const isAdopted = first.segment?.isAdopted === true;
    const resource = isAdopted ? first.segment?.resource : undefined;
    return new SpoolBatch({
      ...{ stretches, isAdopted, resource: resource ?? this.#options.resource },
      onDamage: (batch, lost) => {
        counts.spool.damagedBytes += lost.bytes;
        countLost(batch, lost.records, []);
        this.tellOnce("damaged", `${lost.records} records in the spool cannot be read any more`);
      },
    });
  }

  #lineOf(batch: SpoolBatch): WaitingLine {
    const { own, adopted } = this.#lanes[batch.signal];
    return batch.isAdopted ? adopted : own;
  }

  #settle(stretch: Stretch): void {
    if (stretch.isSettled) return;
    stretch.isSettled = true;
    counts.waitingBytes -= stretch.payloadBytes;
    this.#forgetFrame(stretch);
    if (stretch.segment !== undefined) this.#writer.release(stretch.segment);
  }

  /** @returns how many records that were */
  #drop(stretch: Stretch, payloads: readonly Uint8Array[]): number {
    const isAdopted = stretch.segment?.isAdopted === true;
    const ids = findTransactionIds(payloads);
    countLost({ signal: stretch.signal, isAdopted }, stretch.records, ids);
    this.#settle(stretch);
    return stretch.records;
  }

  #forgetFrame(stretch: Stretch): void {
    if (stretch.frame === undefined) return;
    this.#memoryBytes -= costOf(stretch.frame);
    stretch.frame = undefined;
  }

  #onWritten(stretch: Stretch): void {
    if (this.#memoryBytes <= CACHE_BYTES_MAX) return;
    this.#forgetFrame(stretch);
    const { own } = this.#lanes[stretch.signal];
    if (!own.joinBefore(stretch, this.#requestBytesMax)) return;
    stretch.isSettled = true;
    if (stretch.segment !== undefined) stretch.segment.live--;
  }

  /**
   * A loop that logs without a pause lets no write end. Half-way to the bound it waits for the disk
   * itself, rather than lose lines; where the disk is the reason, the oldest frames go.
   */
  #boundMemory(): void {
    if (this.#memoryBytes < this.#memoryBytesMax / 2) return;
    if (!this.#isDiskSlow && !this.#writer.isResting && this.roomBytes > this.#memoryBytes) {
      const startedAt = performance.now();
      this.#writer.writeNow(false);
      this.#isDiskSlow = performance.now() - startedAt > BLOCKING_MS_MAX;
    }
    while (this.#memoryBytes > this.#memoryBytesMax) {
      const stretch = this.#writer.oldestUnwritten;
      if (stretch?.frame === undefined) return;
      this.#lanes[stretch.signal].own.remove(stretch);
      this.#drop(stretch, [stretch.frame]);
    }
  }

  async #makeRoom(bytes: number): Promise<void> {
    for (const segment of this.#writer.closedSegments) {
      if (this.roomBytes >= bytes) return;
      await this.#evict(segment);
    }
  }

  /** Everything in it that nobody sends; with the last of it the file goes. */
  async #evict(segment: Segment): Promise<void> {
    const { own, adopted } = this.#lanes[segment.signal];
    const line = segment.isAdopted ? adopted : own;
    const isTakenAway = line.takeWhere((stretch) => stretch.segment === segment);
    for (const stretch of isTakenAway) {
      // Only for the IDs of its transactions: it goes in any case.
      const content = await readStretch(stretch).catch(() => ({ payloads: [] }));
      this.#drop(stretch, content.payloads);
    }
  }

  #onFailure(error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    this.tellOnce("disk", `cannot keep records on disk: ${why}; they wait in memory`);
  }

  /** Kinds of trouble are a small fixed set, so this set stays small. */
  tellOnce(kind: string, message: string): void {
    if (this.#told.has(kind)) return;
    this.#told.add(kind);
    this.#options.report(message);
  }
}

function newLane(): Lane {
  return { own: new WaitingLine(), adopted: new WaitingLine(), isAdoptedNext: false };
}

function costOf(frame: Buffer): number {
  return frame.length + FRAME_OVERHEAD_BYTES;
}
