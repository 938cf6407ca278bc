import type { DeliveredMessage } from "./bus.ts";

export interface RepeatBounds {
  readonly messagesMax: number;
  /** Of values; one message may be larger. */
  readonly bytesMax: number;
}

/**
 * Large enough that the store need not wait for the group's answer to a commit, which comes in
 * milliseconds, and small enough that what is looked up after each start is nothing beside a day.
 */
export const REPEAT_BOUNDS: RepeatBounds = { messagesMax: 4096, bytesMax: 16 * 1024 * 1024 };

export interface RepeatWindowOptions {
  readonly bounds: RepeatBounds;
  /** Offset of the first message that is read: what the group committed. */
  readonly start: number;
  /** Where the committed offset says nothing of how far somebody wrote. */
  readonly doubtfulBefore?: number;
}

interface HandedOut {
  readonly offset: number;
  readonly bytes: number;
}

/**
 * For a store that keeps no positions: what was written of one partition and is not committed yet,
 * from one assignment of the partition to the next.
 *
 * Whoever reads it writes no further than the bounds beyond the last commit that the broker has
 * acknowledged. So whoever reads it next, from that commit or a later one, knows which messages the
 * one before may have written, however it ended: none beyond the first ones within the same bounds.
 * They are marked as repeats, and their records looked up before they are created. Both count the
 * same messages from the same place, or the later one from further on, so that its marks reach at
 * least as far.
 */
export class RepeatWindow {
  readonly #bounds: RepeatBounds;
  /** Whatever lies before it may be a repeat, without counting. */
  readonly doubtfulBefore: number;
  /** Not acknowledged yet; oldest first, the first one at `#first`. */
  #open: HandedOut[] = [];
  #first = 0;
  #openBytes = 0;
  /** Handed out since the start, or since what is doubtful was. */
  #messages = 0;
  #bytes = 0;
  #committed: number;

  constructor({ bounds, start, doubtfulBefore = start }: RepeatWindowOptions) {
    this.#bounds = bounds;
    this.#committed = start;
    this.doubtfulBefore = Math.max(start, doubtfulBefore);
  }

  /** Whether the next message may be written before a further commit is acknowledged. */
  admits({ value }: DeliveredMessage): boolean {
    const waiting = this.#open.length - this.#first;
    if (waiting === 0) return true;
    const { messagesMax, bytesMax } = this.#bounds;
    return waiting < messagesMax && this.#openBytes + value.length <= bytesMax;
  }

  /** The message as the reader gets it; called for each in the order of offsets. */
  handOut(message: DeliveredMessage): DeliveredMessage {
    const { offset, value, headers } = message;
    this.#open.push({ offset, bytes: value.length });
    this.#openBytes += value.length;
    if (headers.repeat || !this.#mayBeRepeat(message)) return message;
    return { ...message, headers: { ...headers, repeat: true } };
  }

  /** The broker has it that everything before `offset` is safe. */
  acknowledged(offset: number): void {
    this.#committed = Math.max(this.#committed, offset);
    for (;;) {
      const oldest = this.#open[this.#first];
      if (oldest === undefined || oldest.offset >= this.#committed) break;
      this.#openBytes -= oldest.bytes;
      this.#first++;
    }
    // Not at each message: that would move all that are behind it.
    if (2 * this.#first < this.#open.length) return;
    this.#open = this.#open.slice(this.#first);
    this.#first = 0;
  }

  #mayBeRepeat({ offset, value }: DeliveredMessage): boolean {
    if (offset < this.doubtfulBefore) return true;
    const { messagesMax, bytesMax } = this.#bounds;
    const isFirst = this.#messages === 0;
    this.#messages = Math.min(this.#messages + 1, messagesMax + 1);
    this.#bytes = Math.min(this.#bytes + value.length, bytesMax + 1);
    return isFirst || (this.#messages <= messagesMax && this.#bytes <= bytesMax);
  }
}
