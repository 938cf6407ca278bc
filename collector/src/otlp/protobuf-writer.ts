import { ClewError } from "../errors.ts";

const VARINT_BYTES_MAX = 10;
const CAPACITY_BYTES_MIN = 256;
/** Up to here a loop is cheaper than the two calls that a native copy takes. */
const LOOP_COPY_BYTES_MAX = 64;
/** As above, for text: keys and short values. Below 128, so that the length is one byte. */
const LOOP_STRING_CHARS_MAX = 40;

/** From here on a native copy is cheaper than a loop over words. */
const WORD_COPY_BYTES_MAX = 1024;
const WORD_BYTES = 4;

/** By the byte of a hex digit; 255 for any other. */
const HEX_VALUE = Uint8Array.from({ length: 256 }, (_, byte) => {
  const digit = "0123456789abcdef".indexOf(String.fromCharCode(byte).toLowerCase());
  return digit < 0 ? 0xff : digit;
});

/** Bytes that can be read four at a time too, the first of them the lowest. */
export interface Words {
  readonly bytes: Uint8Array;
  word(at: number): number;
}

/**
 * Writes protobuf front to back into a growing buffer. A message's length stands before it and is
 * known after it: `open` leaves room for it, and `close` moves the message where that is not right.
 *
 * @throws ClewError REQUEST_TOO_LARGE beyond `maxBytes`.
 */
export class ProtobufWriter {
  private buffer: Buffer;
  private view: DataView;
  private position = 0;
  private readonly maxBytes: number;

  /** Memory comes from `buffer`, where one is given, until it is full. */
  constructor(options: { expectedBytes: number; maxBytes: number; buffer?: Buffer }) {
    const { expectedBytes, maxBytes } = options;
    this.buffer = options.buffer ?? Buffer.allocUnsafe(Math.max(CAPACITY_BYTES_MIN, expectedBytes));
    this.view = viewOf(this.buffer);
    this.maxBytes = maxBytes;
  }

  tag(fieldNumber: number, wireType: number): void {
    this.varint((fieldNumber << 3) | wireType);
  }

  /** Not negative, below 2^32. */
  varint(value: number): void {
    this.reserve(VARINT_BYTES_MAX);
    let rest = value;
    while (rest >= 0x80) {
      this.buffer[this.position++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.buffer[this.position++] = rest;
  }

  /** A negative number takes ten bytes, as protobuf has it. */
  varint64(value: bigint): void {
    this.reserve(VARINT_BYTES_MAX);
    let rest = BigInt.asUintN(64, value);
    while (rest >= 0x80n) {
      this.buffer[this.position++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.buffer[this.position++] = Number(rest);
  }

  /** As above, of a number in two's complement given as its halves of 32 bits. */
  varintBits(lowBits: number, highBits: number): void {
    this.reserve(VARINT_BYTES_MAX);
    let low = lowBits;
    let high = highBits;
    while (high !== 0 || low >>> 7 !== 0) {
      this.buffer[this.position++] = (low & 0x7f) | 0x80;
      low = (low >>> 7) | (high << 25);
      high >>>= 7;
    }
    this.buffer[this.position++] = low;
  }

  fixed32(value: number): void {
    this.reserve(4);
    this.position = this.buffer.writeUInt32LE(value, this.position);
  }

  fixed64Bits(lowBits: number, highBits: number): void {
    this.reserve(8);
    this.view.setInt32(this.position, lowBits, true);
    this.view.setInt32(this.position + 4, highBits, true);
    this.position += 8;
  }

  fixed64(value: bigint): void {
    this.reserve(8);
    this.position = this.buffer.writeBigUInt64LE(BigInt.asUintN(64, value), this.position);
  }

  double(value: number): void {
    this.reserve(8);
    this.position = this.buffer.writeDoubleLE(value, this.position);
  }

  /** Length and bytes, of a whole buffer or a range of it. */
  bytes(source: Uint8Array, start = 0, end: number = source.length): void {
    const length = end - start;
    this.varint(length);
    this.reserve(length);
    const { buffer, position } = this;
    if (length > LOOP_COPY_BYTES_MAX) buffer.set(source.subarray(start, end), position);
    else for (let i = 0; i < length; i++) buffer[position + i] = source[start + i] as number;
    this.position = position + length;
  }

  /** Length and bytes of a range, copied by words: for text, which is mostly short. */
  range(source: Words, start: number, end: number): void {
    const length = end - start;
    this.varint(length);
    this.reserve(length);
    const { view, position } = this;
    this.position = position + length;
    if (length > WORD_COPY_BYTES_MAX) {
      this.buffer.set(source.bytes.subarray(start, end), position);
    } else if (length < WORD_BYTES) {
      const { bytes } = source;
      for (let i = 0; i < length; i++) view.setUint8(position + i, bytes[start + i] as number);
    } else {
      const last = length - WORD_BYTES;
      for (let i = 0; i < last; i += WORD_BYTES) {
        view.setInt32(position + i, source.word(start + i), true);
      }
      view.setInt32(position + last, source.word(end - WORD_BYTES), true);
    }
  }

  /** Length and bytes of hex digits; false, with part of it written, where they are not that. */
  hex(digits: Uint8Array, start: number, end: number): boolean {
    if ((end - start) % 2 !== 0) return false;
    const length = (end - start) / 2;
    this.varint(length);
    this.reserve(length);
    let faults = 0;
    for (let at = start; at < end; at += 2) {
      const high = HEX_VALUE[digits[at] as number] as number;
      const low = HEX_VALUE[digits[at + 1] as number] as number;
      faults |= high | low;
      this.buffer[this.position++] = (high << 4) | low;
    }
    return faults <= 0x0f;
  }

  /** Length and bytes of a text as UTF-8; half of a surrogate pair becomes U+FFFD. */
  string(text: string): void {
    const { length } = text;
    if (length > LOOP_STRING_CHARS_MAX || !this.asciiString(text, length)) {
      const bytes = Buffer.byteLength(text);
      this.varint(bytes);
      this.reserve(bytes);
      this.position += this.buffer.write(text, this.position, bytes, "utf8");
    }
  }

  /** False, with nothing written, where a character is not ASCII. */
  private asciiString(text: string, length: number): boolean {
    this.reserve(length + 1);
    const { buffer, position } = this;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80) return false;
      buffer[position + 1 + i] = code;
    }
    buffer[position] = length;
    this.position = position + 1 + length;
    return true;
  }

  /** Begins a message whose tag was written; the answer is for `close`, as is `lengthBytes`. */
  open(lengthBytes = 1): number {
    this.reserve(lengthBytes);
    const opened = this.position;
    this.position += lengthBytes;
    return opened;
  }

  /** Answers how many bytes the length took: the guess for the next message of its kind. */
  close(opened: number, lengthBytes = 1): number {
    const start = opened + lengthBytes;
    const length = this.position - start;
    const needed = varintBytes(length);
    if (needed !== lengthBytes) {
      this.reserve(Math.max(0, needed - lengthBytes));
      this.buffer.copyWithin(opened + needed, start, this.position);
    }
    this.position = opened;
    this.varint(length);
    this.position += length;
    return needed;
  }

  /** What was written, as a view: nothing may be written after. */
  finish(): Buffer {
    if (this.position > this.maxBytes) throw this.tooLarge();
    return this.buffer.subarray(0, this.position);
  }

  private reserve(bytes: number): void {
    const needed = this.position + bytes;
    if (needed <= this.buffer.length) return;
    if (needed > this.maxBytes + VARINT_BYTES_MAX) throw this.tooLarge();
    const grown = Buffer.allocUnsafe(Math.max(needed, this.buffer.length * 2));
    this.buffer.copy(grown, 0, 0, this.position);
    this.buffer = grown;
    this.view = viewOf(grown);
  }

  private tooLarge(): ClewError {
    const why = `it is larger than ${this.maxBytes} bytes as protobuf`;
    return new ClewError("REQUEST_TOO_LARGE", `cannot take the request: ${why}`);
  }
}

function viewOf({ buffer, byteOffset, byteLength }: Buffer): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

function varintBytes(value: number): number {
  if (value < 0x80) return 1;
  let bytes = 1;
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) bytes++;
  return bytes;
}
