/** Writers of single protobuf fields: a varint `number << 3 | wire type`, then the value. */

const FIXED64 = 1;
const LENGTH_DELIMITED = 2;

export const fields = {
  varint(number: number, value: number): Buffer {
    return Buffer.concat([varint(number << 3), varint(value)]);
  },
  fixed64(number: number, value: bigint): Buffer {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(value);
    return Buffer.concat([varint((number << 3) | FIXED64), bytes]);
  },
  bytes(number: number, value: Uint8Array): Buffer {
    const tag = varint((number << 3) | LENGTH_DELIMITED);
    return Buffer.concat([tag, varint(value.length), value]);
  },
  text(number: number, value: string): Buffer {
    return fields.bytes(number, Buffer.from(value));
  },
};

/** A whole number from 0 to 2^53, seven bits a byte, least first. */
export function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}
