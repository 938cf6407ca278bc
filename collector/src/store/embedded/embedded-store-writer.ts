/** Writes the embedded store: one SQLite file per UTC day of receipt, see day-schema.ts. */
import type { Position } from "../../bus/bus.ts";
import { ClewError } from "../../errors.ts";
import type { IncomingRecord } from "../../record.ts";
import type { DeadLetter, DeadLetterAct } from "../dead-letter.ts";
import type { RecordRefusal, StoreWriter, WriteBatch, WriteResult } from "../store.ts";
import {
  type DayRange,
  deleteDaysBefore,
  findDay,
  isDay,
  listDays,
  makeStoreFolder,
} from "./day-files.ts";
import { DayWriters } from "./day-writers.ts";
import { type LettersOfDay, splitLettersByDay } from "./dead-letter-days.ts";
import { toStoreError } from "./sqlite-errors.ts";

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
  readonly deadLetterActs: DeadLetterAct[];
}

class EmbeddedStoreWriter implements StoreWriter {
  private readonly dir: string;
  private readonly recordBytesMax: number;
  private readonly nowMs: () => number;
  private readonly days: DayWriters;
  private readonly offsets = new Map<string, number>();
  private isStopped = false;

  constructor(options: EmbeddedStoreWriterOptions) {
    this.dir = options.dir;
    this.recordBytesMax = options.recordBytesMax ?? RECORD_BYTES_MAX;
    const warn = options.warn ?? ((sentence: string) => process.stderr.write(`${sentence}\n`));
    this.days = new DayWriters({ dir: options.dir, warn });
    this.nowMs = options.nowMs ?? Date.now;
    this.guard("open the store", () => {
      makeStoreFolder(this.dir);
      for (const day of listDays(this.dir)) {
        this.raise(this.days.inDay(day, ({ positions }) => positions));
      }
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
    this.days.closeAll();
  }

  /**
   * Day by day, each in one database transaction; the positions go with the last. A crash between
   * two leaves them behind, and what is then delivered again is there already. Where a record was
   * refused they stay too: they are for the write that brings its dead letter.
   */
  private writeByDay(batch: WriteBatch): WriteResult {
    const refused: RecordRefusal[] = [];
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
      created += this.days.write(day, { ...part, records, positions });
      this.raise(positions);
    }
    const existing = batch.records.length - refused.length - created;
    return { created, existing, refused };
  }

  private splitByDay(batch: WriteBatch, refused: RecordRefusal[]): Map<string, PartOfDay> {
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
      if (reason !== undefined) refused.push({ index, reason, status: null });
      else part?.records.push(record);
    }
    for (const [day, { letters, acts }] of this.splitLetters(batch)) {
      const part = parts.get(day) ?? emptyPart();
      part.deadLetters.push(...letters);
      part.deadLetterActs.push(...acts);
      parts.set(day, part);
    }
    return parts;
  }

  private splitLetters(batch: WriteBatch): ReadonlyMap<string, LettersOfDay> {
    return splitLettersByDay(batch, {
      findDays: (ids) => this.findLetterDays(ids),
      dayOf: (timeNs) => findDay(timeNs)?.day ?? this.newestDay(),
      newest: () => this.newestDay(),
    });
  }

  /** Day by day and not letter by letter: a day that is opened for each would take for ever. */
  private findLetterDays(ids: ReadonlySet<string>): ReadonlyMap<string, string> {
    const found = new Map<string, string>();
    for (const day of listDays(this.dir).toReversed()) {
      const sought = [...ids].filter((id) => !found.has(id));
      if (sought.length === 0) break;
      const known = this.days.inDay(day, (writer) =>
        sought.filter((id) => writer.hasDeadLetter(id)),
      );
      for (const id of known) found.set(id, day);
    }
    return found;
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
        !mayRepeat || !others.some((day) => this.days.inDay(day, (writer) => writer.has(id))),
    );
  }

  /** Positions move to a day that stays, then the files go: a crash between loses neither. */
  private deleteBefore(firstKeptDay: string): readonly string[] {
    const days = listDays(this.dir);
    const old = days.filter((day) => day < firstKeptDay);
    const kept = days.slice(old.length);
    if (old.length > 0 && this.offsets.size > 0) {
      const positions = [...this.offsets].map(([partition, offset]) => ({ partition, offset }));
      this.days.write(kept.at(-1) ?? firstKeptDay, { ...emptyPart(), positions });
    }
    for (const day of old) this.bequeathNumbers(day, kept);
    this.days.closeBefore(firstKeptDay);
    return deleteDaysBefore(this.dir, firstKeptDay);
  }

  /** Of runs that go on in a later day: which gaps in their numbers the deleted one leaves. */
  private bequeathNumbers(day: string, kept: readonly string[]): void {
    const heirOfAll = kept.at(-1);
    const unnumberedUntilNs = this.days.inDay(day, ({ expiry }) => expiry.unnumberedUntilNs());
    if (heirOfAll !== undefined && unnumberedUntilNs > 0n) {
      this.days.write(heirOfAll, { ...emptyPart(), positions: [], unnumberedUntilNs });
    }
    let left = this.days.inDay(day, ({ expiry }) => expiry.numbers());
    for (const heir of kept) {
      const known = this.days.inDay(heir, ({ expiry }) => {
        return new Set(left.filter(({ runId }) => expiry.hasRun(runId)));
      });
      if (known.size === 0) continue;
      this.days.write(heir, { ...emptyPart(), positions: [], expired: [...known] });
      left = left.filter((numbers) => !known.has(numbers));
    }
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
  return { records: [], deadLetters: [], deadLetterActs: [] };
}
