import { characterBound } from "../../lines/line-splitter.ts";

/** One message of a stream, or a piece of one that is longer than `FRAME_BYTES_MAX`. */
export interface SyslogFrame {
  readonly bytes: Buffer;
  /** 0 where the message begins; its later pieces count up. */
  readonly part: number;
  /** The stream ended before the bytes that were announced had come. */
  readonly isCut: boolean;
}

/** A longer message becomes several records, so that one without an end cannot fill the memory. */
export const FRAME_BYTES_MAX = 64 * 1024;
/** Nobody means a longer message than that; what looks like its length is text. */
const COUNT_MAX = 1024 * 1024;
const COUNT_DIGITS_MAX = String(COUNT_MAX).length;

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const NUL = 0x00;
const SPACE = 0x20;
const LESS_THAN = 0x3c;
const DIGIT_ZERO = 0x30;
const DIGIT_NINE = 0x39;

/** How the frame under way ends: after so many bytes, or at a line feed. */
type Framing = { readonly kind: "counted"; remaining: number } | { readonly kind: "line" };

/**
 * Cuts a stream into messages (RFC 6587 §3.4), each framed by its own length or by a line feed:
 *
 *     counted = NONZERO-DIGIT *DIGIT SP "<" …     that many octets from "<" on
 *     line    = anything else, up to LF
 *
 * A frame says itself which it is, since senders were seen to change between both on one
 * connection. What is held back is never longer than one piece and what `push` was given.
 */
export class SyslogFrames {
  #pending: Buffer = Buffer.alloc(0);
  #framing: Framing | undefined;
  #part = 0;

  *push(chunk: Buffer): Generator<SyslogFrame> {
    const bytes = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    let at = 0;
    while (at < bytes.length) {
      if (this.#framing === undefined) {
        if (isFiller(bytes[at])) {
          at++;
          continue;
        }
        const decided = decideFraming(bytes, at);
        if (decided === undefined) break;
        this.#framing = decided.framing;
        at = decided.start;
      }
      const end = this.#findEnd(bytes, at);
      if (end === undefined) break;
      yield this.#take(bytes, at, end);
      at = end;
    }
    this.#pending = bytes.subarray(at);
  }

  /** What came without an end before the stream ended. */
  *end(): Generator<SyslogFrame> {
    const bytes = this.#pending;
    this.#pending = Buffer.alloc(0);
    if (bytes.length === 0) return;
    yield { bytes, part: this.#part, isCut: this.#framing?.kind === "counted" };
  }

  /** Where the frame, or a whole piece of it, ends; undefined where more has to come. */
  #findEnd(bytes: Buffer, start: number): number | undefined {
    const limit = start + FRAME_BYTES_MAX;
    const end =
      this.#framing?.kind === "counted"
        ? start + this.#framing.remaining
        : bytes.subarray(0, limit + 1).indexOf(LINE_FEED, start);
    if (end >= start && end <= Math.min(limit, bytes.length)) return end;
    if (bytes.length <= limit) return undefined;
    return start + characterBound(bytes.subarray(start), FRAME_BYTES_MAX);
  }

  #take(bytes: Buffer, start: number, end: number): SyslogFrame {
    const framing = this.#framing;
    if (framing?.kind === "counted") framing.remaining -= end - start;
    const isWhole =
      framing?.kind === "counted" ? framing.remaining === 0 : bytes[end] === LINE_FEED;
    const frame = { bytes: bytes.subarray(start, end), part: this.#part, isCut: false };
    this.#part = isWhole ? 0 : this.#part + 1;
    if (isWhole) this.#framing = undefined;
    return frame;
  }
}

/** Undefined where the next bytes have to be seen first. */
function decideFraming(
  bytes: Buffer,
  start: number,
): { framing: Framing; start: number } | undefined {
  const line = { framing: { kind: "line" }, start } as const;
  let at = start;
  while (isDigit(bytes[at]) && at - start < COUNT_DIGITS_MAX) at++;
  if (at === start || bytes[start] === DIGIT_ZERO) return line;
  if (at === bytes.length) return undefined;
  if (bytes[at] !== SPACE) return line;
  if (at + 1 === bytes.length) return undefined;
  const count = Number(bytes.toString("latin1", start, at));
  if (bytes[at + 1] !== LESS_THAN || count > COUNT_MAX) return line;
  return { framing: { kind: "counted", remaining: count }, start: at + 1 };
}

/** Line ends that senders add between frames, also behind ones that were counted. */
function isFiller(byte: number | undefined): boolean {
  return byte === LINE_FEED || byte === CARRIAGE_RETURN || byte === NUL;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= DIGIT_ZERO && byte <= DIGIT_NINE;
}
