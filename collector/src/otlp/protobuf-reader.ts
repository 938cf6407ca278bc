import { ClewError } from "../errors.ts";

/** Wire types of the protobuf encoding ("Encoding" in the Protocol Buffers documentation). */
export const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/**
 * A cursor over one protobuf message. A tag is `field << 3 | wire type`; `bytes` fields are a
 * varint length and that many bytes. Nothing is copied: sub-messages are ranges of the same buffer.
 *
 * @throws ClewError REQUEST_MALFORMED where the bytes end early or a varint is too long.
 */
export class ProtobufReader {
  readonly buffer: Buffer;
  position: number;
  end: number;

  constructor(buffer: Buffer, start = 0, end = buffer.length) {
    this.buffer = buffer;
    this.position = start;
    this.end = end;
  }

  isAtEnd(): boolean {
    return this.position >= this.end;
  }

  /** The next `field << 3 | wire type`. */
  tag(): number {
    return this.varint32();
  }

  /** A varint's low 32 bits, as an unsigned number. */
  varint32(): number {
    const { buffer, end } = this;
    // Nearly every tag and length is one byte.
    const first = buffer[this.position];
    if (first !== undefined && first < 0x80 && this.position < end) {
      this.position++;
      return first;
    }
    let result = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.position >= end) throw malformed("a varint is cut off");
      const byte = buffer[this.position++] as number;
      if (shift < 32) result |= (byte & 0x7f) << shift;
      if (byte < 0x80) return result >>> 0;
    }
    throw malformed("a varint is longer than 10 bytes");
  }

  /** A varint as a signed 64-bit integer. */
  varint64(): bigint {
    const { buffer, end } = this;
    let result = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (this.position >= end) throw malformed("a varint is cut off");
      const byte = buffer[this.position++] as number;
      result |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, result);
    }
    throw malformed("a varint is longer than 10 bytes");
  }

  /** Enters a `bytes` field: its end; the cursor stands at its first byte. */
  enter(): number {
    const length = this.varint32();
    const end = this.position + length;
    if (end > this.end) throw malformed("a field is longer than its message");
    return end;
  }

  bytes(): Buffer {
    const end = this.enter();
    const value = this.buffer.subarray(this.position, end);
    this.position = end;
    return value;
  }

  string(): string {
    const end = this.enter();
    const value = this.buffer.toString("utf8", this.position, end);
    this.position = end;
    return value;
  }

  hex(): string {
    const end = this.enter();
    const value = this.buffer.toString("hex", this.position, end);
    this.position = end;
    return value;
  }

  fixed64(): bigint {
    return this.buffer.readBigUInt64LE(this.advance(8));
  }

  sfixed64(): bigint {
    return this.buffer.readBigInt64LE(this.advance(8));
  }

  /** Passes over eight bytes; answers where they begin. */
  skipFixed64(): number {
    return this.advance(8);
  }

  double(): number {
    return this.buffer.readDoubleLE(this.advance(8));
  }

  fixed32(): number {
    return this.buffer.readUInt32LE(this.advance(4));
  }

  /** Passes over a field of any wire type. */
  skip(wireType: number): void {
    if (wireType === WIRE.varint) this.varint32();
    else if (wireType === WIRE.fixed64) this.advance(8);
    else if (wireType === WIRE.bytes) this.position = this.enter();
    else if (wireType === WIRE.fixed32) this.advance(4);
    else throw malformed(`wire type ${wireType} is not in use`);
  }

  private advance(bytes: number): number {
    const at = this.position;
    if (at + bytes > this.end) throw malformed("a number is cut off");
    this.position = at + bytes;
    return at;
  }
}

function malformed(why: string): ClewError {
  return new ClewError("REQUEST_MALFORMED", `cannot read the protobuf: ${why}`);
}
