import { ClewError } from "../errors.ts";

const VARINT_BYTES_MAX = 10;
const CAPACITY_BYTES_MIN = 256;
/** Up to here a loop is cheaper than the two calls that a native copy takes. */
const LOOP_COPY_BYTES_MAX = 64;
/** As above, for text: keys and short values. Below 128, so that the length is one byte. */
const LOOP_STRING_CHARS_MAX = 40;

/**
 * Writes protobuf front to back into a growing buffer. A message's length stands before it and is
 * known after it: `open` leaves one byte, and `close` moves the message where that is too few.
 *
 * @throws ClewError REQUEST_TOO_LARGE beyond `maxBytes`.
 */
export class ProtobufWriter {
  private buffer: Buffer;
  private position = 0;
  private readonly maxBytes: number;

  constructor({ expectedBytes, maxBytes }: { expectedBytes: number; maxBytes: number }) {
    this.buffer = Buffer.allocUnsafe(Math.max(CAPACITY_BYTES_MIN, expectedBytes));
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

  fixed32(value: number): void {
    this.reserve(4);
    this.position = this.buffer.writeUInt32LE(value, this.position);
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

  /** Begins a message whose tag was written; the answer is for `close`. */
  open(): number {
    this.reserve(1);
    return this.position++;
  }

  close(opened: number): void {
    const length = this.position - opened - 1;
    const extra = varintBytes(length) - 1;
    if (extra > 0) {
      this.reserve(extra);
      this.buffer.copyWithin(opened + 1 + extra, opened + 1, this.position);
    }
    this.position = opened;
    this.varint(length);
    this.position += length;
  }

  /** What was written, as a view: nothing may be written after. */
  finish(): Buffer {
    return this.buffer.subarray(0, this.position);
  }

  private reserve(bytes: number): void {
    const needed = this.position + bytes;
    if (needed <= this.buffer.length) return;
    if (needed > this.maxBytes + VARINT_BYTES_MAX) {
      const why = `it is larger than ${this.maxBytes} bytes as protobuf`;
      throw new ClewError("REQUEST_TOO_LARGE", `cannot take the request: ${why}`);
    }
    const grown = Buffer.allocUnsafe(Math.max(needed, this.buffer.length * 2));
    this.buffer.copy(grown, 0, 0, this.position);
    this.buffer = grown;
  }
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) bytes++;
  return bytes;
}
