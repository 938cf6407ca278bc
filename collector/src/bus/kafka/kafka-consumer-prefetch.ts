import type { DeliveredMessage } from "../bus.ts";

/** What a message takes beside its value, so that a queue of empty ones is bounded too. */
const MESSAGE_OVERHEAD_BYTES = 512;

type HandOut = (message: DeliveredMessage) => DeliveredMessage | undefined;

interface Waiting {
  readonly message: DeliveredMessage;
  readonly bytes: number;
}

/** Messages that were fetched and not yet read, in the order they came, within a bound of bytes. */
export class KafkaConsumerPrefetch {
  readonly #bytesMax: number;
  readonly #bytesOf = new Map<string, number>();
  #waiting: Waiting[] = [];
  /** Of `#waiting`, how many at its front were read. */
  #readCount = 0;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @returns false where there is no room; one message is taken however large it is. */
  add(message: DeliveredMessage): boolean {
    const bytes = message.value.length + MESSAGE_OVERHEAD_BYTES;
    if (this.#bytes > 0 && this.#bytes + bytes > this.#bytesMax) return false;
    this.#waiting.push({ message, bytes });
    this.#count(message.partition, bytes);
    return true;
  }

  /**
   * The next messages, at least one where there is one, of about `maxBytes` of values.
   * @param handOut makes of a message what the reader gets; undefined ends it before that one
   */
  take(maxBytes: number, handOut: HandOut = (message) => message): DeliveredMessage[] {
    const messages: DeliveredMessage[] = [];
    let valueBytes = 0;
    for (;;) {
      const next = this.#waiting[this.#readCount];
      if (next === undefined) break;
      valueBytes += next.message.value.length;
      if (messages.length > 0 && valueBytes > maxBytes) break;
      const message = handOut(next.message);
      if (message === undefined) break;
      messages.push(message);
      this.#count(next.message.partition, -next.bytes);
      this.#readCount++;
    }
    // Not at each message: that would move all that wait behind it.
    if (2 * this.#readCount >= this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#readCount);
      this.#readCount = 0;
    }
    return messages;
  }

  /**
   * Whether more of this partition may be fetched. Below half of the bound, of every one; above,
   * only of those of which nothing waits, so that one with much to read does not keep the others
   * from their turn; at the bound, of none.
   */
  wants(partition: string): boolean {
    if (this.#bytes >= this.#bytesMax) return false;
    return 2 * this.#bytes < this.#bytesMax || !this.#bytesOf.has(partition);
  }

  clear(): void {
    this.#waiting = [];
    this.#readCount = 0;
    this.#bytes = 0;
    this.#bytesOf.clear();
  }

  #count(partition: string, bytes: number): void {
    this.#bytes += bytes;
    const left = (this.#bytesOf.get(partition) ?? 0) + bytes;
    if (left === 0) this.#bytesOf.delete(partition);
    else this.#bytesOf.set(partition, left);
  }
}
