import { LINE_BYTES_MAX } from "../../lines/line-splitter.ts";
import { ownCopy } from "./file-tail.ts";
import type { TextEncoding } from "./text-encoding.ts";

/** One line of a file, without its end (LF or CR LF), and where in the file it stands. */
export interface CutLine {
  readonly bytes: Buffer;
  readonly start: number;
  /** Behind the line's end. */
  readonly end: number;
  /** A piece of a line that is longer than may be: a record of its own. */
  readonly isPiece: boolean;
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const NUL = 0;

/**
 * Cuts the bytes of a file into lines that know their place. What it makes of the bytes behind the
 * end of a line depends on nothing before, so that reading may begin again at any line.
 */
export class LineCutter {
  readonly #encoding: TextEncoding;
  readonly #unitBytes: number;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #start: number;
  /** Lines longer than `LINE_BYTES_MAX`. */
  splitLines = 0;
  #isSplitting = false;

  /** @param offset of the first byte that will be pushed. */
  constructor({ encoding, offset }: { encoding: TextEncoding; offset: number }) {
    this.#encoding = encoding;
    this.#unitBytes = encoding === "utf8" ? 1 : 2;
    this.#start = offset;
  }

  /** Where the line begins whose end is still to come. */
  get start(): number {
    return this.#start;
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** The lines that `chunk` completes. The chunk must not be written to later. */
  push(chunk: Buffer): CutLine[] {
    const lines: CutLine[] = [];
    const bytes = this.#withOddByte(chunk);
    let from = 0;
    for (let end = this.#findEnd(bytes, 0); end >= 0; end = this.#findEnd(bytes, from)) {
      this.#hold(bytes.subarray(from, end), lines);
      lines.push(this.#take(this.#unitBytes));
      this.#isSplitting = false;
      from = end + this.#unitBytes;
    }
    // What waits for its end must not keep all the rest in memory.
    const rest = bytes.subarray(from);
    this.#hold(rest.length < bytes.length ? ownCopy(rest) : rest, lines);
    return lines;
  }

  /** What came after the last line end; undefined where nothing did. */
  end(): CutLine | undefined {
    return this.#pendingBytes > 0 ? this.#take(0) : undefined;
  }

  /** Of UTF-16 only whole units are looked at: half a one waits for the other. */
  #withOddByte(chunk: Buffer): Buffer {
    if (this.#unitBytes === 1 || this.#pendingBytes % 2 === 0) return chunk;
    const whole = Buffer.concat([...this.#pending, chunk]);
    this.#pending = [];
    this.#pendingBytes = 0;
    return whole;
  }

  #findEnd(bytes: Buffer, from: number): number {
    if (this.#encoding === "utf8") return bytes.indexOf(LINE_FEED, from);
    const place = this.#encoding === "utf16le" ? 0 : 1;
    let at = bytes.indexOf(LINE_FEED, from);
    for (; at >= 0; at = bytes.indexOf(LINE_FEED, at + 1)) {
      const unit = at - place;
      if (unit < from || (unit - from) % 2 !== 0) continue;
      const other = bytes[unit + 1 - place];
      if (other === 0) return unit;
    }
    return -1;
  }

  #hold(bytes: Buffer, lines: CutLine[]): void {
    if (bytes.length === 0) return;
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    while (this.#pendingBytes > LINE_BYTES_MAX) {
      const whole = Buffer.concat(this.#pending);
      const end = this.#encoding === "utf8" ? characterBound(whole) : LINE_BYTES_MAX;
      const start = this.#start;
      this.#pending = [whole.subarray(end)];
      this.#pendingBytes = whole.length - end;
      this.#start += end;
      if (!this.#isSplitting) this.splitLines++;
      this.#isSplitting = true;
      const piece = this.#withoutHole(whole.subarray(0, end));
      lines.push({ bytes: piece, start, end: start + end, isPiece: true });
    }
  }

  #take(endBytes: number): CutLine {
    const [first = Buffer.alloc(0)] = this.#pending;
    const bytes = this.#pending.length > 1 ? Buffer.concat(this.#pending) : first;
    const start = this.#start;
    const end = start + bytes.length + endBytes;
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#start = end;
    const line = this.#withoutReturn(this.#withoutHole(bytes));
    return { bytes: line, start, end, isPiece: false };
  }

  /** Zeros at the start of a line are a hole that its writer left when the file was truncated. */
  #withoutHole(bytes: Buffer): Buffer {
    // In UTF-16 an ASCII letter may begin with one zero, never with four.
    if (bytes.length < 4 || bytes.readUInt32LE(0) !== NUL) return bytes;
    const text = bytes.findIndex((byte) => byte !== NUL);
    return bytes.subarray(text < 0 ? bytes.length : text - (text % this.#unitBytes));
  }

  #withoutReturn(bytes: Buffer): Buffer {
    if (this.#encoding === "utf8") {
      return bytes.at(-1) === CARRIAGE_RETURN ? bytes.subarray(0, -1) : bytes;
    }
    const [low, high] = this.#encoding === "utf16le" ? [-2, -1] : [-1, -2];
    const isReturn = bytes.at(low) === CARRIAGE_RETURN && bytes.at(high) === 0;
    return isReturn ? bytes.subarray(0, -2) : bytes;
  }
}

/** The last place within the bound where a UTF-8 character begins (RFC 3629 §3). */
function characterBound(bytes: Buffer): number {
  const end = LINE_BYTES_MAX;
  let at = end;
  while (at > end - 4 && ((bytes[at] ?? 0) & 0xc0) === 0x80) at--;
  return at > end - 4 ? at : end;
}
