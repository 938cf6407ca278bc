/** Wire types of the protobuf encoding ("Encoding" in the Protocol Buffers documentation). */
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

const TWO_32 = 0x1_0000_0000;
const ASCII_LOOP_MAX = 48;
const VARINT_BYTES_MAX = 10;
/** Of one UTF-16 code unit. */
const UTF8_BYTES_MAX = 3;
/** KeyValue's key and AnyValue's string are field 1, KeyValue's value is field 2. */
const STRING_TAG = 0x0a;
const VALUE_TAG = 0x12;
/** Tag and length of the key, of the value and of the text in it. */
const PAIR_OVERHEAD = 6;

/**
 * Writes protobuf messages into one growing buffer. A field is a tag, `number << 3 | wire type`,
 * and its value; a sub-message is a `bytes` field whose length is known only when it is closed, so
 * `open` leaves room for it and `close` moves the content where the guess was wrong.
 */
export class ProtobufWriter {
  buffer: Buffer;
  position = 0;

  constructor(capacityBytes: number) {
    this.buffer = Buffer.allocUnsafeSlow(capacityBytes);
  }

  /** Makes room for that many more bytes. */
  ensure(bytes: number): void {
    const needed = this.position + bytes;
    if (needed <= this.buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.buffer.length * 2));
    this.buffer.copy(grown, 0, 0, this.position);
    this.buffer = grown;
  }

  varint(value: number): void {
    this.ensure(VARINT_BYTES_MAX);
    const { buffer } = this;
    let rest = value;
    while (rest > 0x7f) {
      buffer[this.position++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    buffer[this.position++] = rest;
  }

  tag(field: number, wireType: number): void {
    this.varint((field << 3) | wireType);
  }

  /** A 64-bit signed integer as protobuf's int64: ten bytes where it is negative. */
  int64(field: number, value: bigint): void {
    this.tag(field, VARINT);
    this.ensure(VARINT_BYTES_MAX);
    let rest = BigInt.asUintN(64, value);
    while (rest > 0x7fn) {
      this.buffer[this.position++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.buffer[this.position++] = Number(rest);
  }

  /** A whole number; exact up to 2^53 on both sides of zero. */
  integer(field: number, value: number): void {
    if (value < 0) {
      this.int64(field, BigInt(value));
      return;
    }
    this.tag(field, VARINT);
    this.varint(value);
  }

  double(field: number, value: number): void {
    this.tag(field, FIXED64);
    this.ensure(8);
    this.position = this.buffer.writeDoubleLE(value, this.position);
  }

  fixed32(field: number, value: number): void {
    this.tag(field, FIXED32);
    this.ensure(4);
    this.position = this.buffer.writeUInt32LE(value, this.position);
  }

  /** Microseconds as fixed64 nanoseconds, split so that no step leaves a double's 53 bits. */
  nanoseconds(field: number, micros: number): void {
    this.tag(field, FIXED64);
    this.ensure(8);
    const low = (micros % TWO_32) * 1000;
    const high = Math.floor(micros / TWO_32) * 1000 + Math.floor(low / TWO_32);
    this.position = this.buffer.writeUInt32LE(low % TWO_32, this.position);
    this.position = this.buffer.writeUInt32LE(high % TWO_32, this.position);
  }

  bytes(field: number, value: Uint8Array): void {
    this.tag(field, BYTES);
    this.varint(value.length);
    this.raw(value);
  }

  raw(value: Uint8Array): void {
    this.ensure(value.length);
    this.buffer.set(value, this.position);
    this.position += value.length;
  }

  /** An even number of hex digits, as bytes. */
  hex(field: number, text: string): void {
    const length = text.length >> 1;
    this.tag(field, BYTES);
    this.varint(length);
    this.ensure(length);
    const { buffer } = this;
    for (let i = 0; i < text.length; i += 2) {
      buffer[this.position++] =
        (hexDigit(text.charCodeAt(i)) << 4) | hexDigit(text.charCodeAt(i + 1));
    }
  }

  string(field: number, text: string): void {
    this.tag(field, BYTES);
    this.ensure(text.length * UTF8_BYTES_MAX + VARINT_BYTES_MAX);
    if (text.length <= ASCII_LOOP_MAX) {
      const end = copyAscii(this.buffer, this.position, text);
      if (end !== -1) {
        this.position = end;
        return;
      }
    }
    const length = Buffer.byteLength(text);
    this.varint(length);
    this.position += this.buffer.write(text, this.position, "utf8");
  }

  /**
   * Writes a KeyValue whose value is a string, where all of it is ASCII and so short that every
   * length is one byte: what most attributes are. False, and nothing written, where it is not.
   * Layout: tag, length, 0x0a, key, 0x12, length, 0x0a, text.
   */
  shortPair(field: number, key: string, text: string): boolean {
    const length = key.length + text.length + PAIR_OVERHEAD;
    if (length > 0x7f || field > 15) return false;
    this.ensure(length + 2);
    const { buffer, position } = this;
    buffer[position] = (field << 3) | BYTES;
    buffer[position + 1] = length;
    buffer[position + 2] = STRING_TAG;
    const valueAt = copyAscii(buffer, position + 3, key);
    if (valueAt === -1) return false;
    buffer[valueAt] = VALUE_TAG;
    buffer[valueAt + 1] = text.length + 2;
    buffer[valueAt + 2] = STRING_TAG;
    const end = copyAscii(buffer, valueAt + 3, text);
    if (end === -1) return false;
    this.position = end;
    return true;
  }

  /** Starts a sub-message; `lengthBytes` is the guess how long its length will be. */
  open(field: number, lengthBytes: number): number {
    this.tag(field, BYTES);
    this.ensure(lengthBytes);
    this.position += lengthBytes;
    return this.position;
  }

  /** Ends the sub-message that `open` gave `start` for, with the same `lengthBytes`. */
  close(start: number, lengthBytes: number): void {
    const length = this.position - start;
    const needed = varintBytes(length);
    if (needed !== lengthBytes) {
      this.ensure(needed);
      const moved = start - lengthBytes + needed;
      this.buffer.copyWithin(moved, start, this.position);
      this.position = moved + length;
    }
    const end = this.position;
    this.position = start - lengthBytes;
    this.varint(length);
    this.position = end;
  }
}

/**
 * Writes a text's length in one byte and its characters, where all are ASCII: for short texts a
 * loop is quicker than a call into Node. Returns where it ends, or -1.
 */
function copyAscii(buffer: Buffer, at: number, text: string): number {
  const { length } = text;
  buffer[at] = length;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return -1;
    buffer[at + 1 + i] = code;
  }
  return at + 1 + length;
}

/** How many bytes a length takes as a varint. */
export function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes++;
  return bytes;
}

function hexDigit(code: number): number {
  return code < 58 ? code - 48 : code - 87;
}
