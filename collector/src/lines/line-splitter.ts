/** A longer line is sent as several records, so that one without an end cannot fill the memory. */
export const LINE_BYTES_MAX = 1024 * 1024;

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Cuts a stream of bytes into lines without their ends (LF or CR LF). */
export class LineSplitter {
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  /** Lines that were longer than `LINE_BYTES_MAX`, and so became several. */
  splitLines = 0;
  #isSplitting = false;

  *push(chunk: Buffer): Generator<Buffer> {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      yield* this.#hold(chunk.subarray(start, end));
      yield this.#take();
      this.#isSplitting = false;
      start = end + 1;
    }
    yield* this.#hold(chunk.subarray(start));
  }

  /** What came after the last line end. */
  *end(): Generator<Buffer> {
    if (this.#pendingBytes > 0) yield this.#take();
  }

  *#hold(bytes: Buffer): Generator<Buffer> {
    this.#keep(bytes);
    while (this.#pendingBytes > LINE_BYTES_MAX) {
      const whole = Buffer.concat(this.#pending);
      const end = characterBound(whole, LINE_BYTES_MAX);
      this.#pending = [whole.subarray(end)];
      this.#pendingBytes = whole.length - end;
      if (!this.#isSplitting) this.splitLines++;
      this.#isSplitting = true;
      yield whole.subarray(0, end);
    }
  }

  #keep(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
  }

  #take(): Buffer {
    const line = this.#pending.length === 1 ? this.#pending[0] : Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    if (!line) return Buffer.alloc(0);
    return line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line;
  }
}

/** The last place at or before `end` where a UTF-8 character begins (RFC 3629 §3). */
export function characterBound(bytes: Buffer, end: number): number {
  let at = end;
  while (at > end - 4 && at > 0 && ((bytes[at] ?? 0) & 0xc0) === 0x80) at--;
  return at > 0 && at > end - 4 ? at : end;
}
