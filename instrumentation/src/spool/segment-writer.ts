import type { FileHandle } from "node:fs/promises";
import type { Signal } from "../stats.ts";
import { countUnlessMissing, FileRemover } from "./file-remover.ts";
import { isMissing } from "./is-missing.ts";
import { openSegment, writeSegmentNow } from "./new-segment.ts";
import type { Segment } from "./segment.ts";
import { markFrame } from "./segment-format.ts";
import type { SpoolDirectory } from "./spool-directory.ts";
import type { Stretch } from "./stretch.ts";

/** One write takes so much; beyond it, what waits for the disk stays in memory. */
const WRITE_BYTES_MAX = 1024 * 1024;
/** After a failed write the disk is left alone so long. */
const REST_MS = 10_000;
/** The owner file is renewed this often while something is written or waits. */
const RENEW_MS = 60_000;
const SIGNALS: readonly Signal[] = ["logs", "traces"];

export interface SegmentWriterOptions {
  readonly directory: SpoolDirectory;
  readonly resource: Uint8Array;
  readonly segmentBytesMax: number;
  /** Resolves once there is room on disk for that many bytes more. */
  readonly makeRoom: (bytes: number) => Promise<void>;
  /** A frame is on disk now, and need not be in memory. */
  readonly onWritten: (stretch: Stretch) => void;
  readonly onFailure: (error: unknown) => void;
  readonly now: () => number;
}

/** The segment that is appended to. */
interface Active {
  readonly segment: Segment;
  readonly handle: FileHandle;
}

/**
 * Appends frames to the segments of this run, one write at a time, in libuv's threads, so that a
 * slow disk holds up nobody. What is not written yet is in memory. There is no fsync: what was
 * written survives the end of the process in whatever way, though not a power failure.
 *
 * After a failure frames stay in the queue, and the disk is tried again with a later one.
 */
export class SegmentWriter {
  /** Bytes of all segments that are there, also adopted ones. */
  diskBytes = 0;
  readonly #options: SegmentWriterOptions;
  readonly #active: Partial<Record<Signal, Active>> = {};
  /** Every segment that is there, oldest first, the adopted ones among them. */
  readonly #segments = new Set<Segment>();
  readonly #remover = new FileRemover();
  #queue: Stretch[] = [];
  #inFlight: readonly Stretch[] = [];
  #isRunning = false;
  #isEnding = false;
  #restUntilMs = Number.NEGATIVE_INFINITY;
  #renewedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: SegmentWriterOptions) {
    this.#options = options;
  }

  /** Those that may be given up for room: what is appended to is not among them. */
  get closedSegments(): Segment[] {
    const active = Object.values(this.#active).map(({ segment }) => segment);
    const closed = [...this.#segments].filter((segment) => !active.includes(segment));
    return closed.sort((a, b) => Number(b.isAdopted) - Number(a.isAdopted));
  }

  /** The first frame that is only in memory and is not being written. */
  get oldestUnwritten(): Stretch | undefined {
    while (this.#queue[0]?.isSettled === true) this.#queue.shift();
    return this.#queue[0];
  }

  get isResting(): boolean {
    return this.#options.now() < this.#restUntilMs;
  }

  write(stretch: Stretch): void {
    this.#queue.push(stretch);
    this.#run();
  }

  /** Takes in a segment that is there, of this run or another. */
  add(segment: Segment): void {
    this.#segments.add(segment);
    this.diskBytes += segment.bytes;
  }

  /** A stretch needs its place no more; with its last one a segment's bytes go. */
  release(segment: Segment): void {
    segment.live--;
    if (segment.live > 0) return;
    if (this.#active[segment.signal]?.segment === segment && !this.#isEnding) this.#run();
    else this.delete(segment);
  }

  delete(segment: Segment): void {
    if (segment.isDeleted) return;
    segment.isDeleted = true;
    this.diskBytes -= segment.bytes;
    this.#segments.delete(segment);
    this.#remover.remove(segment.path);
  }

  /**
   * Writes everything that is only in memory, before it returns, into segments of their own.
   * @param isEnd also what is being written this moment: nobody will see how that ends. Should it
   * end well, those records are there twice, and are stored once by their uid.
   */
  writeNow(isEnd: boolean): void {
    if (isEnd) {
      this.#isEnding = true;
      this.#queue = [...this.#inFlight, ...this.#queue];
    }
    const waiting = this.#queue.filter((one) => !one.isSettled && one.segment === undefined);
    try {
      for (const signal of SIGNALS) {
        this.#writeSignalNow(waiting.filter((stretch) => stretch.signal === signal));
      }
      this.#queue = [];
    } catch (error) {
      this.#queue = waiting.filter((stretch) => stretch.segment === undefined);
      this.#fail(error);
    }
  }

  /** The end: deletes what nobody needs, and the directory where that was all. */
  closeNow(): void {
    for (const segment of [...this.#segments]) if (segment.live <= 0) this.delete(segment);
    this.#retireAll();
    this.#remover.end();
    this.#options.directory.removeNow();
  }

  /** Renews the lease of what waits on disk; see `SpoolDirectory`. */
  async renew(): Promise<void> {
    const now = this.#options.now();
    const { directory } = this.#options;
    if (!directory.isMade || now - this.#renewedAtMs < RENEW_MS) return;
    this.#renewedAtMs = now;
    try {
      await directory.renew();
    } catch (error) {
      if (!isMissing(error)) throw error;
      // Somebody tidied up: what was in it is gone, what comes goes into a new one.
      directory.forget();
      for (const signal of SIGNALS) await this.#retire(signal);
    }
  }

  #run(): void {
    if (this.#isRunning || this.#isEnding || this.isResting) return;
    this.#isRunning = true;
    this.#writeQueue()
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#isRunning = false;
        if (this.#isEnding) this.#retireAll();
        else if (this.oldestUnwritten !== undefined) this.#run();
      });
  }

  async #writeQueue(): Promise<void> {
    try {
      for (;;) {
        if (this.#isEnding) return;
        this.#inFlight = this.#nextGroup();
        if (this.#inFlight.length > 0) await this.#append(this.#inFlight);
        else if (!(await this.#empty())) return;
      }
    } finally {
      const rest = this.#inFlight.filter((stretch) => stretch.segment === undefined);
      this.#inFlight = [];
      if (rest.length > 0) this.#queue = [...rest, ...this.#queue];
    }
  }

  /** The next frames of one signal, taken from the queue. */
  #nextGroup(): Stretch[] {
    const group: Stretch[] = [];
    let bytes = 0;
    for (;;) {
      const next = this.oldestUnwritten;
      if (next?.frame === undefined) return group;
      const [first = next] = group;
      const isFull = next !== first && bytes + next.frame.length > WRITE_BYTES_MAX;
      if (isFull || next.signal !== first.signal) return group;
      bytes += next.frame.length;
      group.push(next);
      this.#queue.shift();
    }
  }

  async #append(group: readonly Stretch[]): Promise<void> {
    const frames = group.flatMap(({ frame }) => (frame === undefined ? [] : [frame]));
    const bytes = frames.reduce((sum, frame) => sum + frame.length, 0);
    await this.#options.makeRoom(bytes);
    await this.renew();
    if (this.#isEnding) return; // `writeNow` has written them.
    const { segment, handle } = await this.#activeFor(group[0]?.signal ?? "logs", bytes);
    for (const frame of frames) markFrame(frame, segment.marker);
    const { bytesWritten } = await handle.writev(frames);
    if (this.#isEnding) return;
    if (bytesWritten < bytes) throw new Error("the disk took only a part of a write");
    this.#place(group, { segment, frames });
  }

  #place(
    group: readonly Stretch[],
    { segment, frames }: { segment: Segment; frames: readonly Buffer[] },
  ): void {
    group.forEach((stretch, index) => {
      const bytes = frames[index]?.length ?? 0;
      stretch.segment = segment;
      stretch.at = segment.bytes;
      stretch.diskBytes = bytes;
      segment.bytes += bytes;
      this.diskBytes += bytes;
      if (stretch.isSettled) return;
      segment.live++;
      this.#options.onWritten(stretch);
    });
  }

  async #activeFor(signal: Signal, bytes: number): Promise<Active> {
    const active = this.#active[signal];
    const { segmentBytesMax, directory, resource } = this.#options;
    if (active !== undefined) {
      const { segment } = active;
      const isEmpty = segment.bytes === segment.headerBytes;
      if (isEmpty || segment.bytes + bytes <= segmentBytesMax) return active;
      await this.#retire(signal);
    }
    if (!directory.isMade) this.#renewedAtMs = this.#options.now();
    directory.ensure();
    const opened = await openSegment({ path: directory.nextPath(signal), signal, resource });
    this.#active[signal] = opened;
    this.add(opened.segment);
    return opened;
  }

  async #retire(signal: Signal): Promise<void> {
    const active = this.#active[signal];
    if (active === undefined) return;
    delete this.#active[signal];
    await active.handle.close();
    if (active.segment.live <= 0) this.delete(active.segment);
  }

  #retireAll(): void {
    for (const signal of SIGNALS) this.#retire(signal).catch(countUnlessMissing);
  }

  /** Takes from a segment that is appended to what is delivered: a restart must not repeat it. */
  async #empty(): Promise<boolean> {
    let hasEmptied = false;
    for (const { segment, handle } of Object.values(this.#active)) {
      if (segment.live > 0 || segment.bytes === segment.headerBytes) continue;
      hasEmptied = true;
      this.diskBytes -= segment.bytes - segment.headerBytes;
      segment.bytes = segment.headerBytes;
      await handle.truncate(segment.headerBytes);
    }
    return hasEmptied;
  }

  #writeSignalNow(group: readonly Stretch[]): void {
    const [first] = group;
    if (first === undefined) return;
    const { directory, resource } = this.#options;
    directory.ensure();
    const frames = group.flatMap(({ frame }) => (frame === undefined ? [] : [frame]));
    const path = directory.nextPath(first.signal);
    const segment = writeSegmentNow({ path, signal: first.signal, resource, frames });
    this.add(segment);
    this.#place(group, { segment, frames });
  }

  #fail(error: unknown): void {
    const { directory, onFailure, now } = this.#options;
    const isTidiedAway = isMissing(error) && directory.isMade;
    if (isTidiedAway) directory.forget();
    else this.#restUntilMs = now() + REST_MS;
    // Their ends are torn. What was written before is read as ever, and a reader skips the rest.
    this.#retireAll();
    if (!isTidiedAway) onFailure(error);
  }
}
