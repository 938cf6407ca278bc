/** Numbers among attributes, as they are written to be searched. */
import type { JsonBuffer } from "./json-buffer.ts";

const QUOTE = 0x22;
const PLUS = 0x2b;
const MINUS = 0x2d;
const DOT = 0x2e;
const SLASH = 0x2f;
const COLON = 0x3a;
const UPPER_E = 0x45;
const LOWER_E = 0x65;

const SIGN_BIT = 0x8000_0000;
const DOUBLE = new Float64Array(1);
/** The same bytes; the lower word first, as on every machine that Node.js runs on but s390x. */
const WORDS = new Uint32Array(DOUBLE.buffer);

/** Made of nothing but what numbers are made of; an "e" may be among it. */
export function isNumberText(buffer: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = buffer[at] as number;
    const isDigit = byte > SLASH && byte < COLON;
    const isOther =
      byte === DOT || byte === MINUS || byte === PLUS || byte === LOWER_E || byte === UPPER_E;
    if (!isDigit && !isOther) return false;
  }
  return start < end;
}

/** As `sortableHex`, with its quotes, without making a big integer and a string. */
export function writeSortableNumber(out: JsonBuffer, value: number): void {
  DOUBLE[0] = value === 0 ? 0 : value;
  const low = WORDS[0] as number;
  const high = WORDS[1] as number;
  const isNegative = high >= SIGN_BIT;
  out.byte(QUOTE);
  out.hexWord(isNegative ? ~high >>> 0 : (high | SIGN_BIT) >>> 0);
  out.hexWord(isNegative ? ~low >>> 0 : low);
  out.byte(QUOTE);
}
