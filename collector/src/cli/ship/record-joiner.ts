import { LINE_BYTES_MAX } from "../../lines/line-splitter.ts";
import {
  findContinuation,
  growTrace,
  isJsonLine,
  type OpenTrace,
  openTrace,
} from "./stack-trace.ts";

/** One line as text, and where in its file it stands. */
export interface TextLine {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** RFC 3339, where a container runtime said it. */
  readonly time?: string | undefined;
  /** A record of its own: a piece of a line that is longer than may be. */
  readonly isPiece?: boolean;
}

/** `auto`: stack traces; a pattern: the first line of each record. */
export type Multiline = "off" | "auto" | RegExp;

export const RECORD_LINES_MAX = 1000;
const RECORD_CHARS_MAX = LINE_BYTES_MAX;

/** Tells that no record goes on over this place: one was sent, because nothing followed in time. */
export interface Cuts {
  add(offset: number): void;
  hasBetween(from: number, to: number): boolean;
}

interface Open {
  readonly lines: string[];
  chars: number;
  readonly start: number;
  end: number;
  readonly time: string | undefined;
  readonly trace: OpenTrace;
  /** Blank lines since `end`. */
  blanks: number;
}

/**
 * Joins the lines of a stack trace to one record. What it makes of the lines behind a record
 * depends on nothing before them, so that reading may begin again at the end of any record; only a
 * record that was ended by time leaves its cut behind.
 */
export class RecordJoiner {
  readonly #multiline: Multiline;
  readonly #cuts: Cuts;
  #open: Open | undefined;

  constructor(multiline: Multiline, cuts: Cuts) {
    this.#multiline = multiline;
    this.#cuts = cuts;
  }

  /** Where the record begins that may still go on; undefined where there is none. */
  get openStart(): number | undefined {
    return this.#open?.start;
  }

  get openChars(): number {
    return this.#open?.chars ?? 0;
  }

  /** Adds to `records` those that this line ends, or is. */
  push(line: TextLine, records: TextLine[]): void {
    const isAlone = this.#isAlone(line);
    if (!isAlone && this.#open !== undefined && this.#takes(this.#open, line)) return;
    this.#finish(records);
    if (line.text.trim() === "") return;
    if (isAlone) records.push(line);
    else this.#open = openRecord(line);
  }

  /** Nothing followed in time: the record is over, also where more comes later. */
  cut(records: TextLine[]): void {
    const end = this.#open?.end;
    if (end === undefined) return;
    this.#cuts.add(end);
    this.#finish(records);
  }

  /** The file has ended. */
  end(records: TextLine[]): void {
    this.#finish(records);
  }

  #isAlone({ text, isPiece }: TextLine): boolean {
    if (isPiece === true || this.#multiline === "off") return true;
    return this.#multiline === "auto" && isJsonLine(text);
  }

  #takes(open: Open, line: TextLine): boolean {
    const { text } = line;
    if (this.#cuts.hasBetween(open.end, line.start)) return false;
    const isFull =
      open.lines.length + open.blanks >= RECORD_LINES_MAX ||
      open.chars + text.length > RECORD_CHARS_MAX;
    if (isFull) return false;
    const goesOn = this.#findContinuation(open, text);
    if (goesOn === "no") return false;
    if (goesOn === "perhaps") {
      open.blanks++;
      return true;
    }
    for (; open.blanks > 0; open.blanks--) open.lines.push("");
    open.lines.push(text);
    open.chars += text.length + 1;
    open.end = line.end;
    growTrace(open.trace, text);
    return true;
  }

  #findContinuation(open: Open, text: string) {
    if (this.#multiline instanceof RegExp) {
      if (text.trim() === "") return "perhaps";
      return this.#multiline.test(text) ? "no" : "yes";
    }
    return findContinuation(open.trace, text, open.blanks > 0);
  }

  #finish(records: TextLine[]): void {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    const { start, end, time } = open;
    const text = open.lines.length === 1 ? (open.lines[0] ?? "") : open.lines.join("\n");
    records.push({ text, start, end, time });
  }
}

function openRecord({ text, start, end, time }: TextLine): Open {
  const chars = text.length;
  return { lines: [text], chars, start, end, time, trace: openTrace(text), blanks: 0 };
}
