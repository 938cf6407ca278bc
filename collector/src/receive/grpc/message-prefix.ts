/** Flag and length, before each message ("gRPC over HTTP/2": Length-Prefixed-Message). */
export const PREFIX_BYTES = 5;

/**
 * Watches the bytes of a call that is to have one message:
 *   0  u8: 1 where the message is compressed as `grpc-encoding` says
 *   1  u32, big endian: bytes of the message
 *      then the message
 */
export class MessagePrefix {
  private readonly prefix = Buffer.alloc(PREFIX_BYTES);
  private seenBytes = 0;

  /** @returns the length of the message, once: when it is known. */
  add(chunk: Uint8Array): number | undefined {
    const from = this.seenBytes;
    this.seenBytes += chunk.length;
    if (from >= PREFIX_BYTES) return undefined;
    this.prefix.set(chunk.subarray(0, PREFIX_BYTES - from), from);
    return this.seenBytes < PREFIX_BYTES ? undefined : this.messageBytes;
  }

  get isCompressed(): boolean {
    return this.prefix[0] === 1;
  }

  get isComplete(): boolean {
    return this.seenBytes >= PREFIX_BYTES && this.seenBytes >= PREFIX_BYTES + this.messageBytes;
  }

  /** More came than the one message. */
  get isExceeded(): boolean {
    return this.seenBytes > PREFIX_BYTES + this.messageBytes && this.seenBytes >= PREFIX_BYTES;
  }

  private get messageBytes(): number {
    return this.prefix.readUInt32BE(1);
  }
}
