import { dayPath, setDayAside } from "./day-files.ts";
import { type DayPart, DayWriter } from "./day-writer.ts";
import { isCorruption } from "./sqlite-errors.ts";

/** Open at once; a record that may repeat is looked for in all days, so they take turns. */
const DAYS_OPEN_MAX = 16;

/** The day files that are open for writing. Damaged ones are set aside and kept. */
export class DayWriters {
  private readonly dir: string;
  private readonly warn: (sentence: string) => void;
  /** Least recently used first. */
  private readonly open = new Map<string, DayWriter>();
  /** The one written to last: it keeps its memory, the others give theirs back. */
  private busyDay = "";

  /** @param options.warn is told, in a sentence, when a damaged day was set aside. */
  constructor(options: { readonly dir: string; readonly warn: (sentence: string) => void }) {
    this.dir = options.dir;
    this.warn = options.warn;
  }

  /** After a failure what the writer holds in memory is void, so the day is opened anew. */
  inDay<T>(day: string, act: (writer: DayWriter) => T): T {
    try {
      return act(this.writerOf(day));
    } catch (thrown) {
      this.forget(day);
      if (isCorruption(thrown)) this.setAside(day, thrown);
      throw thrown;
    }
  }

  /** Answers how many records were not there before. */
  write(day: string, part: DayPart): number {
    if (day !== this.busyDay) {
      this.open.get(this.busyDay)?.setIdle(true);
      this.busyDay = day;
    }
    return this.inDay(day, (writer) => {
      writer.setIdle(false);
      return writer.write(part);
    });
  }

  closeBefore(firstKeptDay: string): void {
    for (const day of [...this.open.keys()]) if (day < firstKeptDay) this.forget(day);
  }

  closeAll(): void {
    for (const day of [...this.open.keys()]) this.forget(day);
  }

  private writerOf(day: string): DayWriter {
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
}
