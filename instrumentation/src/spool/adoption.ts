import { basename } from "node:path";
import { clearInterval, setInterval } from "node:timers";
import { countFault, counts, type Signal } from "../stats.ts";
import { adoptOrphans, type FoundSegment } from "./orphans.ts";
import { Segment } from "./segment.ts";
import { type Frame, scanFrames } from "./segment-format.ts";
import type { SpoolDirectory } from "./spool-directory.ts";
import { stretchOnDisk } from "./stretch.ts";
import type { StretchStore } from "./stretch-store.ts";

const SEARCH_EVERY_MS = 60_000;

export interface AdoptionOptions {
  readonly root: string;
  readonly directory: SpoolDirectory;
  readonly store: StretchStore;
  readonly onFound?: (signal: Signal) => void;
  readonly isSent?: (signal: Signal) => boolean;
}

/** Brings in what dead processes left on disk, at start and every minute, as far as it fits. */
export class Adoption {
  readonly #options: AdoptionOptions;
  #timer: NodeJS.Timeout | undefined;
  #isSearching = false;
  #isStopped = false;

  constructor(options: AdoptionOptions) {
    this.#options = options;
  }

  start(): void {
    void this.#search();
    this.#timer = setInterval(() => void this.#search(), SEARCH_EVERY_MS).unref();
  }

  stop(): void {
    this.#isStopped = true;
    clearInterval(this.#timer);
  }

  async #search(): Promise<void> {
    if (this.#isSearching) return;
    this.#isSearching = true;
    const { root, directory, store } = this.#options;
    try {
      await store.renewLease();
      await adoptOrphans({
        ...{ root, ownName: basename(directory.path) },
        placeFor: (signal, bytes) => this.#placeFor(signal, bytes),
        onFound: (found) => this.#take(found),
      });
    } catch (error) {
      countFault("spool", error);
    } finally {
      this.#isSearching = false;
    }
  }

  #placeFor(signal: Signal, bytes: number): string | undefined {
    const { directory, store, isSent } = this.#options;
    if (this.#isStopped || bytes > store.roomBytes || isSent?.(signal) === false) return undefined;
    directory.ensure();
    return directory.nextPath(signal);
  }

  #take({ path, bytes, size, header }: FoundSegment): void {
    const { store, onFound } = this.#options;
    const damagedBytes = header === undefined ? size : 0;
    const marker = header?.marker ?? 0;
    const segment = new Segment({
      ...{ path, bytes: size, isAdopted: true, headerBytes: header?.bytes ?? 0 },
      header: header ?? { marker, signal: "logs", resource: Buffer.alloc(0) },
    });
    const scan =
      header === undefined
        ? { frames: [], damagedBytes }
        : scanFrames(bytes, { marker, start: header.bytes });
    const rows = rowsOf(scan.frames, store.requestBytesMax);
    store.adopt(
      segment,
      rows.map((frames) => stretchOnDisk(segment, frames)),
    );
    counts.spool.damagedBytes += scan.damagedBytes;
    if (scan.damagedBytes > 0) {
      store.tellOnce("torn", `${scan.damagedBytes} bytes in the spool of a dead process are torn`);
    }
    if (rows.length > 0) onFound?.(segment.signal);
  }
}

/** Frames side by side, as many as make a request; where bytes are damaged between, two rows. */
function rowsOf(frames: readonly Frame[], bytesMax: number): Frame[][] {
  const rows: Frame[][] = [];
  let row: Frame[] = [];
  let bytes = 0;
  let end = -1;
  for (const frame of frames) {
    if (frame.at !== end || bytes + frame.bytes > bytesMax) {
      row = [];
      rows.push(row);
      bytes = 0;
    }
    row.push(frame);
    bytes += frame.bytes;
    end = frame.at + frame.bytes;
  }
  return rows;
}
