/** Unix nanoseconds at `start`; 0 where there are none, or more than signed 64 bits hold. */
export function findTime(buffer: Buffer, start: number): bigint {
  if (start < 0 || (buffer[start + 7] as number) >= 0x80) return 0n;
  return buffer.readBigUInt64LE(start);
}
