import { isUtf8 } from "node:buffer";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const DIGIT_0 = 0x30;
const NOT_ASCII = 0x80;
/** The longest that a byte becomes: `\u0000`. */
const ESCAPED_BYTES_MAX = 6;
/** Long strings are copied in parts, so that room is not made for six times their length. */
const PART_BYTES = 8 * 1024;
const SHORT_BYTES_MAX = 512;
const NUMBER_BYTES_MAX = 25;
const BILLION = 1_000_000_000;

/** ASCII that JSON has as it is. */
const PLAIN = /^[ !#-[\]-~]*$/;
const HEX_DIGITS = Buffer.from("0123456789abcdef");
/** By byte: 1 where JSON has it only escaped. */
const NEEDS_ESCAPE = new Uint8Array(256);
const ESCAPES: Buffer[] = [];
for (let byte = 0; byte < 256; byte++) {
  const isPlain = byte >= SPACE && byte !== QUOTE && byte !== BACKSLASH;
  NEEDS_ESCAPE[byte] = isPlain ? 0 : 1;
  ESCAPES.push(Buffer.from(JSON.stringify(String.fromCharCode(byte)).slice(1, -1)));
}

/** By byte: 0 where it is ASCII that JSON has as it is. */
const IS_UNUSUAL = NEEDS_ESCAPE.map((needed, byte) => (byte >= NOT_ASCII ? 1 : needed));

/**
 * JSON, written straight into one buffer that grows. Nothing checks that it is well-formed; who
 * writes does. Strings come mostly from protobuf messages: their bytes are copied as they are where
 * they are valid UTF-8.
 */
export class JsonBuffer {
  /** Valid up to `length`; another one after anything was written. */
  bytes: Buffer;
  length = 0;

  constructor(capacity: number) {
    this.bytes = Buffer.allocUnsafeSlow(capacity);
  }

  view(): Buffer {
    return this.bytes.subarray(0, this.length);
  }

  /** Makes room for so many bytes more. */
  reserve(bytes: number): void {
    const wanted = this.length + bytes;
    if (wanted <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(wanted, this.bytes.length * 2));
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }

  /** Bytes as they are. */
  raw(source: Uint8Array): void {
    this.reserve(source.length);
    // Half the time of a loop even for twelve bytes.
    this.bytes.set(source, this.length);
    this.length += source.length;
  }

  /** Once more what was written from `start` to `end`. */
  again(start: number, end: number): void {
    this.reserve(end - start);
    this.bytes.copyWithin(this.length, start, end);
    this.length += end - start;
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  /** A string as JSON, with its quotes. */
  text(text: string): void {
    if (PLAIN.test(text)) this.plain(text);
    else this.utf8(JSON.stringify(text.isWellFormed() ? text : text.toWellFormed()));
  }

  /** What stands before a value, and the text as the value; nothing where it is empty. */
  field(start: Uint8Array, text: string): void {
    if (text === "") return;
    this.raw(start);
    this.text(text);
  }

  /** As `text`, of a string that is known to be ASCII without anything to escape. */
  plain(text: string): void {
    this.reserve(text.length + 2);
    const { bytes } = this;
    bytes[this.length++] = QUOTE;
    this.length += bytes.write(text, this.length, "latin1");
    bytes[this.length++] = QUOTE;
  }

  /** UTF-8 bytes of a message as a JSON string, with its quotes. */
  string(source: Buffer, start: number, end: number): void {
    if (end - start <= SHORT_BYTES_MAX && this.shortAscii(source, start, end)) return;
    this.byte(QUOTE);
    this.characters(source, start, end);
    this.byte(QUOTE);
  }

  /** JSON text. */
  utf8(json: string): void {
    this.reserve(json.length * 3);
    this.length += this.bytes.write(json, this.length, "utf8");
  }

  /** A safe integer from 0 on. */
  unsigned(value: number): void {
    this.reserve(NUMBER_BYTES_MAX);
    if (value >= BILLION) {
      this.smallUnsigned(Math.floor(value / BILLION));
      this.digits(value % BILLION, 9);
    } else {
      this.smallUnsigned(value);
    }
  }

  /** So many decimal digits, with zeros in front; there must be room. */
  digits(value: number, count: number): void {
    const { bytes } = this;
    let rest = value;
    for (let at = this.length + count - 1; at >= this.length; at--) {
      const next = (rest / 10) | 0;
      bytes[at] = DIGIT_0 + rest - next * 10;
      rest = next;
    }
    this.length += count;
  }

  /** 32 bits as eight hex digits. */
  hexWord(word: number): void {
    this.reserve(8);
    const target = this.bytes;
    for (let shift = 28; shift >= 0; shift -= 4) {
      target[this.length++] = HEX_DIGITS[(word >>> shift) & 0xf] as number;
    }
  }

  /** Answers false, with nothing written, where a byte cannot stay as it is. */
  private shortAscii(source: Buffer, start: number, end: number): boolean {
    this.reserve(end - start + 2);
    const target = this.bytes;
    let to = this.length;
    let unusual = 0;
    target[to++] = QUOTE;
    for (let at = start; at < end; at++) {
      const byte = source[at] as number;
      unusual |= IS_UNUSUAL[byte] as number;
      target[to++] = byte;
    }
    if (unusual !== 0) return false;
    target[to++] = QUOTE;
    this.length = to;
    return true;
  }

  private characters(source: Buffer, start: number, end: number): void {
    let at = start;
    let isChecked = false;
    while (at < end) {
      const partEnd = Math.min(end, at + PART_BYTES);
      this.reserve((partEnd - at) * ESCAPED_BYTES_MAX);
      const target = this.bytes;
      let to = this.length;
      for (; at < partEnd; at++) {
        const byte = source[at] as number;
        if (byte >= NOT_ASCII && !isChecked) break;
        if (NEEDS_ESCAPE[byte] === 0) {
          target[to++] = byte;
        } else {
          const escaped = ESCAPES[byte] as Buffer;
          for (let i = 0; i < escaped.length; i++) target[to++] = escaped[i] as number;
        }
      }
      this.length = to;
      if (at === partEnd) continue;
      isChecked = true;
      // What stands before is ASCII, so no character is parted here.
      if (isUtf8(source.subarray(at, end))) continue;
      this.utf8(JSON.stringify(source.toString("utf8", at, end)).slice(1, -1));
      return;
    }
  }

  private smallUnsigned(value: number): void {
    let count = 1;
    for (let power = 10; power <= value; power *= 10) count++;
    this.digits(value, count);
  }
}
