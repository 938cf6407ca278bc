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
/** Of an AnyValue that is a whole number or a boolean. */
const INT_TAG = 0x18;
const BOOL_TAG = 0x10;
/** Numbers from here on have more than four bytes as a varint. */
const SHORT_INTEGER_END = 0x1000_0000;
const SHORT_KEY_CHARACTERS_MAX = 100;
const FIXED64_FIELD_BYTES = 9;
const ZERO = 48;
const INT32_MAX = 0x7fff_ffff;
const HEX_DIGITS = hexDigits();

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
    this.ensure(FIXED64_FIELD_BYTES);
    const { buffer, position } = this;
    const high = Math.floor(micros / TWO_32);
    const low = (micros - high * TWO_32) * 1000;
    const carry = Math.floor(low / TWO_32);
    buffer[position] = (field << 3) | FIXED64;
    putUint32(buffer, position + 1, low - carry * TWO_32);
    putUint32(buffer, position + 5, high * 1000 + carry);
    this.position = position + FIXED64_FIELD_BYTES;
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

  /** A whole number in that many decimal digits, without a field of its own. */
  decimal(value: number, digits: number): void {
    this.ensure(digits);
    let at = this.position + digits;
    this.position = at;
    let rest = value;
    for (; rest > INT32_MAX; rest = (rest - (rest % 10)) / 10)
      this.buffer[--at] = ZERO + (rest % 10);
    // From here on with machine integers: as doubles, seven digits took 100 ns more.
    for (let small = rest | 0; at > this.position - digits; small = (small / 10) | 0) {
      this.buffer[--at] = ZERO + (small % 10);
    }
  }

  /** An even number of hex digits, as bytes. */
  hex(field: number, text: string): void {
    const length = text.length >> 1;
    this.tag(field, BYTES);
    this.varint(length);
    this.ensure(length);
    const { buffer } = this;
    const end = this.position + length;
    for (let at = this.position, i = 0; at < end; at++, i += 2) {
      const high = HEX_DIGITS[text.charCodeAt(i)] as number;
      buffer[at] = (high << 4) | (HEX_DIGITS[text.charCodeAt(i + 1)] as number);
    }
    this.position = end;
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

  /**
   * The same for a number that is not negative and below 2^28, or a boolean.
   * Layout: tag, length, 0x0a, key, 0x12, length, 0x18 or 0x10, varint.
   */
  shortScalar(field: number, key: string, value: number | boolean): boolean {
    const isNumber = typeof value === "number";
    let rest = isNumber ? value : Number(value);
    if (key.length > SHORT_KEY_CHARACTERS_MAX || field > 15 || !(rest < SHORT_INTEGER_END)) {
      return false;
    }
    if (rest < 0 || rest !== Math.floor(rest) || Object.is(rest, -0)) return false;
    this.ensure(SHORT_KEY_CHARACTERS_MAX * 2);
    const { buffer, position } = this;
    buffer[position + 2] = STRING_TAG;
    const valueAt = copyAscii(buffer, position + 3, key);
    if (valueAt === -1) return false;
    buffer[valueAt] = VALUE_TAG;
    buffer[valueAt + 2] = isNumber ? INT_TAG : BOOL_TAG;
    let at = valueAt + 3;
    for (; rest > 0x7f; rest >>>= 7) buffer[at++] = (rest & 0x7f) | 0x80;
    buffer[at++] = rest;
    buffer[valueAt + 1] = at - valueAt - 2;
    buffer[position] = (field << 3) | BYTES;
    buffer[position + 1] = at - position - 2;
    this.position = at;
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

/** The value of each lower-case hex digit, by its character code. */
function hexDigits(): Uint8Array {
  const values = new Uint8Array(128);
  for (let value = 0; value < 16; value++) values[value.toString(16).charCodeAt(0)] = value;
  return values;
}

/** Little-endian; a plain store of each byte, because Buffer's method checks its arguments. */
function putUint32(buffer: Buffer, at: number, value: number): void {
  buffer[at] = value;
  buffer[at + 1] = value >>> 8;
  buffer[at + 2] = value >>> 16;
  buffer[at + 3] = value >>> 24;
}
