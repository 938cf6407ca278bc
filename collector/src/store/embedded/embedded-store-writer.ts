/** Writes the embedded store: one SQLite file per UTC day of receipt, see day-schema.ts. */
import type { Position } from "../../bus/bus.ts";
import { ClewError } from "../../errors.ts";
import type { IncomingRecord } from "../../record.ts";
import type { DeadLetter, StoreWriter, WriteBatch, WriteResult } from "../store.ts";
import {
  type DayRange,
  dayPath,
  deleteDaysBefore,
  findDay,
  isDay,
  listDays,
  makeStoreFolder,
  setDayAside,
} from "./day-files.ts";
import { type DayPart, DayWriter } from "./day-writer.ts";
import { isCorruption, toStoreError } from "./sqlite-errors.ts";

/** Open at once; a record that may repeat is looked for in all days, so they take turns. */
const DAYS_OPEN_MAX = 16;
/** SQLite takes 10^9 bytes a row, with everything beside the payload; far beyond any request. */
const RECORD_BYTES_MAX = 256 * 1024 * 1024;
/** Of one UTF-16 code unit. */
const UTF8_BYTES_MAX = 3;

export interface EmbeddedStoreWriterOptions {
  readonly dir: string;
  /** Larger records are refused. */
  readonly recordBytesMax?: number;
  /** Is told, in a sentence, when a damaged day was set aside. */
  readonly warn?: (sentence: string) => void;
  readonly nowMs?: () => number;
}

/**
 * Opens the store in `dir`, which it makes. Damaged day files are set aside and kept; every call
 * works synchronously, so it belongs in a thread of its own. One writer per folder.
 *
 * @throws ClewError STORE_VERSION_UNKNOWN where a newer collector wrote there; STORE_FULL;
 * STORE_UNAVAILABLE.
 */
export function openEmbeddedStoreWriter(options: EmbeddedStoreWriterOptions): StoreWriter {
  return new EmbeddedStoreWriter(options);
}

interface PartOfDay {
  readonly records: IncomingRecord[];
  readonly deadLetters: DeadLetter[];
}

interface Refusal {
  readonly index: number;
  readonly reason: string;
}

class EmbeddedStoreWriter implements StoreWriter {
  private readonly dir: string;
  private readonly recordBytesMax: number;
  private readonly warn: (sentence: string) => void;
  private readonly nowMs: () => number;
  /** Least recently used first. */
  private readonly open = new Map<string, DayWriter>();
  private readonly offsets = new Map<string, number>();
  /** The one written to last: it keeps its memory, the others give theirs back. */
  private busyDay = "";
  private isStopped = false;

  constructor(options: EmbeddedStoreWriterOptions) {
    this.dir = options.dir;
    this.recordBytesMax = options.recordBytesMax ?? RECORD_BYTES_MAX;
    this.warn = options.warn ?? ((sentence) => process.stderr.write(`${sentence}\n`));
    this.nowMs = options.nowMs ?? Date.now;
    this.guard("open the store", () => {
      makeStoreFolder(this.dir);
      for (const day of listDays(this.dir)) this.raise(this.dayWriter(day).positions);
    });
  }

  async positions(): Promise<ReadonlyMap<string, number>> {
    this.refuseWhenStopped("read the positions");
    return new Map(this.offsets);
  }

  async write(batch: WriteBatch): Promise<WriteResult> {
    this.refuseWhenStopped("write");
    return this.guard("write to the store", () => this.writeByDay(batch));
  }

  async expire(firstKeptDay: string): Promise<readonly string[]> {
    this.refuseWhenStopped("expire days");
    if (!isDay(firstKeptDay)) {
      const why = `${JSON.stringify(firstKeptDay)} is not YYYY-MM-DD`;
      throw new ClewError("PARAMETER_INVALID", `cannot expire days: ${why}`);
    }
    return this.guard("expire days", () => this.deleteBefore(firstKeptDay));
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.closeAll();
  }

  /**
   * Day by day, each in one database transaction; the positions go with the last. A crash between
   * two leaves them behind, and what is then delivered again is there already. Where a record was
   * refused they stay too: they are for the write that brings its dead letter.
   */
  private writeByDay(batch: WriteBatch): WriteResult {
    const refused: Refusal[] = [];
    const parts = [...this.splitByDay(batch, refused)].toSorted(([a], [b]) => (a < b ? -1 : 1));
    if (parts.length === 0 && batch.nextPositions.length > 0) {
      parts.push([this.newestDay(), emptyPart()]);
    }
    const next = refused.length > 0 ? [] : batch.nextPositions.filter((at) => this.isAhead(at));
    let created = 0;
    for (const [index, [day, part]] of parts.entries()) {
      const isLast = index === parts.length - 1;
      const positions = isLast ? next : [];
      const records = this.withoutRepeated(day, part.records);
      created += this.writePart(day, { records, deadLetters: part.deadLetters, positions });
      this.raise(positions);
    }
    const existing = batch.records.length - refused.length - created;
    return { created, existing, refused };
  }

  private writePart(day: string, part: DayPart): number {
    if (day !== this.busyDay) {
      this.open.get(this.busyDay)?.setIdle(true);
      this.busyDay = day;
    }
    return this.inDay(day, (writer) => {
      writer.setIdle(false);
      return writer.write(part);
    });
  }

  /** After a failure what the writer holds in memory is void, so the day is opened anew. */
  private inDay<T>(day: string, act: (writer: DayWriter) => T): T {
    try {
      return act(this.dayWriter(day));
    } catch (thrown) {
      this.forget(day);
      if (isCorruption(thrown)) this.setAside(day, thrown);
      throw thrown;
    }
  }

  private splitByDay(batch: WriteBatch, refused: Refusal[]): Map<string, PartOfDay> {
    const parts = new Map<string, PartOfDay>();
    let range: DayRange | undefined;
    const partOf = (receivedNs: bigint): PartOfDay | undefined => {
      if (range === undefined || receivedNs < range.startNs || receivedNs >= range.endNs) {
        range = findDay(receivedNs);
      }
      if (range === undefined) return undefined;
      let part = parts.get(range.day);
      if (part === undefined) {
        part = emptyPart();
        parts.set(range.day, part);
      }
      return part;
    };
    for (const [index, record] of batch.records.entries()) {
      const part = partOf(record.receivedNs);
      const reason = this.reasonToRefuse(record, part);
      if (reason !== undefined) refused.push({ index, reason });
      else part?.records.push(record);
    }
    for (const letter of batch.deadLetters) {
      const part = partOf(letter.receivedNs) ?? partOf(BigInt(this.nowMs()) * 1_000_000n);
      part?.deadLetters.push(letter);
    }
    return parts;
  }

  private reasonToRefuse(record: IncomingRecord, part: PartOfDay | undefined): string | undefined {
    if (part === undefined) return `received at ${record.receivedNs} ns: no time from 1970 to 2261`;
    const { payload, text, resource, scope } = record;
    const others = payload.length + resource.length + scope.length;
    if (others + text.length * UTF8_BYTES_MAX <= this.recordBytesMax) return undefined;
    const bytes = others + Buffer.byteLength(text);
    if (bytes <= this.recordBytesMax) return undefined;
    return `${bytes} bytes: the store takes records up to ${this.recordBytesMax}`;
  }

  /** Within the day the unique id decides; the other days are asked here. */
  private withoutRepeated(day: string, records: readonly IncomingRecord[]): IncomingRecord[] {
    const mayRepeat = records.some((record) => record.mayRepeat);
    if (!mayRepeat) return [...records];
    const others = listDays(this.dir).filter((other) => other !== day);
    return records.filter(
      ({ id, mayRepeat }) =>
        !mayRepeat || !others.some((day) => this.inDay(day, (writer) => writer.has(id))),
    );
  }

  /** Positions move to a day that stays, then the files go: a crash between loses neither. */
  private deleteBefore(firstKeptDay: string): readonly string[] {
    const days = listDays(this.dir);
    if (days.some((day) => day < firstKeptDay) && this.offsets.size > 0) {
      const kept = days.findLast((day) => day >= firstKeptDay) ?? firstKeptDay;
      const positions = [...this.offsets].map(([partition, offset]) => ({ partition, offset }));
      this.writePart(kept, { records: [], deadLetters: [], positions });
    }
    for (const day of [...this.open.keys()]) if (day < firstKeptDay) this.forget(day);
    return deleteDaysBefore(this.dir, firstKeptDay);
  }

  private newestDay(): string {
    const today = new Date(this.nowMs()).toISOString().slice(0, 10);
    return listDays(this.dir).at(-1) ?? today;
  }

  private isAhead({ partition, offset }: Position): boolean {
    return offset > (this.offsets.get(partition) ?? -1);
  }

  private raise(positions: readonly Position[]): void {
    for (const next of positions) {
      if (this.isAhead(next)) this.offsets.set(next.partition, next.offset);
    }
  }

  private dayWriter(day: string): DayWriter {
    const writer = this.open.get(day) ?? this.openDay(day);
    this.open.delete(day);
    this.open.set(day, writer);
    for (const [oldest] of this.open) {
      if (this.open.size <= DAYS_OPEN_MAX) break;
      this.forget(oldest);
    }
    return writer;
  }

  private openDay(day: string): DayWriter {
    try {
      return new DayWriter(dayPath(this.dir, day));
    } catch (thrown) {
      if (!isCorruption(thrown)) throw thrown;
      this.setAside(day, thrown);
      return new DayWriter(dayPath(this.dir, day));
    }
  }

  private setAside(day: string, thrown: unknown): void {
    const target = setDayAside(this.dir, day);
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    this.warn(
      `The store's file of ${day} is damaged (${why}). It was kept as ${target}; its records ` +
        "cannot be found until it is repaired. A new file takes what comes.",
    );
  }

  private forget(day: string): void {
    const writer = this.open.get(day);
    this.open.delete(day);
    writer?.close();
  }

  private closeAll(): void {
    for (const day of [...this.open.keys()]) this.forget(day);
  }

  private refuseWhenStopped(doing: string): void {
    if (this.isStopped) throw new ClewError("STORE_STOPPED", `cannot ${doing}: the store stopped`);
  }

  private guard<T>(doing: string, act: () => T): T {
    try {
      return act();
    } catch (thrown) {
      throw toStoreError(thrown, { doing, dir: this.dir });
    }
  }
}

function emptyPart(): PartOfDay {
  return { records: [], deadLetters: [] };
}
