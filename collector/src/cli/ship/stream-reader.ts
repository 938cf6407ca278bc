import { randomBytes } from "node:crypto";
import type { Readable } from "node:stream";
import type { LineSource, RecordOrigin } from "./line-source.ts";
import { toReadError } from "./read-error.ts";
import { RecordAssembler } from "./record-assembler.ts";
import type { Multiline } from "./record-joiner.ts";
import { findEncoding } from "./text-encoding.ts";

export interface StreamReaderParts {
  readonly lines: Pick<LineSource, "hand">;
  readonly multiline: Multiline;
  /** Ends the reading; what was read by then is handed over. */
  readonly signal: AbortSignal;
}

/** A record that nothing follows for so long is over. */
const OPEN_RECORD_MS = 1000;
const RUN_ID_BYTES = 16;

/** Reads streams to their end: files that are shipped once, and stdin. */
export class StreamReader {
  readonly #parts: StreamReaderParts;
  splitLines = 0;

  constructor(parts: StreamReaderParts) {
    this.#parts = parts;
  }

  /** @throws ClewError: the stream cannot be read, or nothing can be sent. */
  async read(stream: Readable, origin: RecordOrigin): Promise<void> {
    const { signal } = this.#parts;
    const stop = () => stream.destroy();
    signal.addEventListener("abort", stop, { once: true });
    const reading = new Reading(this.#parts, origin);
    try {
      if (signal.aborted) return;
      reading.endQuietRecords((fault) => stream.destroy(fault));
      for await (const chunk of stream) await reading.take(chunk as Buffer);
    } catch (error) {
      if (!signal.aborted) throw toReadError(error, origin.file);
    } finally {
      signal.removeEventListener("abort", stop);
      await reading.end();
      this.splitLines += reading.splitLines;
    }
  }
}

/** What was read from stdin cannot be read again: its ids are of this run. */
export function stdinOrigin(): RecordOrigin {
  const runId = randomBytes(RUN_ID_BYTES).toString("hex");
  let sequence = 0;
  return {
    file: undefined,
    uidOf: () => `${runId}-${++sequence}`,
    repeatsBefore: 0,
    isTracked: false,
  };
}

class Reading {
  readonly #parts: StreamReaderParts;
  readonly #origin: RecordOrigin;
  #assembler: RecordAssembler | undefined;
  #isQuiet = false;
  #timer: NodeJS.Timeout | undefined;
  #handing: Promise<void> = Promise.resolve();

  constructor(parts: StreamReaderParts, origin: RecordOrigin) {
    this.#parts = parts;
    this.#origin = origin;
  }

  get splitLines(): number {
    return this.#assembler?.splitLines ?? 0;
  }

  async take(chunk: Buffer): Promise<void> {
    this.#isQuiet = false;
    let text = chunk;
    if (this.#assembler === undefined) {
      const { encoding, markBytes } = findEncoding(chunk);
      const { multiline } = this.#parts;
      const lanes = new Map();
      this.#assembler = new RecordAssembler({ encoding, multiline, offset: markBytes, lanes });
      text = chunk.subarray(markBytes);
    }
    await this.#handing;
    const records = this.#assembler.push(text);
    this.#handing = this.#parts.lines.hand(records, this.#origin);
    await this.#handing;
    this.#assembler.settle();
  }

  /** Who follows a stream sees its last record soon, also where more lines might belong to it. */
  endQuietRecords(onFault: (fault: Error) => void): void {
    this.#timer = setInterval(() => {
      if (this.#isQuiet && this.#assembler?.hasOpenRecord === true) {
        const records = this.#assembler.cut();
        this.#handing = this.#handing.then(() => this.#parts.lines.hand(records, this.#origin));
        this.#handing.then(() => this.#assembler?.settle(), onFault);
      }
      this.#isQuiet = true;
    }, OPEN_RECORD_MS);
  }

  async end(): Promise<void> {
    clearInterval(this.#timer);
    await this.#handing;
    await this.#parts.lines.hand(this.#assembler?.end() ?? [], this.#origin);
  }
}
