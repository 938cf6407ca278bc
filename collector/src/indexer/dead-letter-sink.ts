import { createHash } from "node:crypto";
import type { OutgoingMessage } from "../bus/bus.ts";
import type { DeadLetter } from "../store/dead-letter.ts";
import { DEAD_LETTER_MESSAGE_BYTES_MAX, encodeDeadLetter } from "./dead-letter-message.ts";

/**
 * Where the indexer's dead letters go, where the store cannot hold them in one act with the
 * positions: they are durable there before any offset moves.
 */
export interface DeadLetterSink {
  /** Resolves once all are durable; rejects otherwise, and may then be called again with all. */
  publish(letters: readonly DeadLetter[]): Promise<void>;
}

/** What of a bus the topic `dead-letters` is written through. */
export interface DeadLetterBus {
  readonly maxMessageBytes: number;
  publish(message: OutgoingMessage): Promise<unknown>;
}

/**
 * Letters as messages of the topic `dead-letters`, one after another: they are rare, and what comes
 * back from the bus then lies in the order in which it was refused.
 */
export class BusDeadLetterSink implements DeadLetterSink {
  readonly #bus: DeadLetterBus;

  constructor(bus: DeadLetterBus) {
    this.#bus = bus;
  }

  async publish(letters: readonly DeadLetter[]): Promise<void> {
    for (const letter of letters) {
      const requestId = `letter-${shortId(letter.id)}`;
      const bytesMax = Math.min(DEAD_LETTER_MESSAGE_BYTES_MAX, this.#bus.maxMessageBytes);
      for (const [part, value] of encodeDeadLetter(letter, bytesMax).entries()) {
        const records = part === 0 ? 1 : 0;
        const { refusedNs: receivedNs } = letter;
        const headers = { requestId, part, records, receivedNs, repeat: false };
        await this.#bus.publish({ topic: "dead-letters", headers, value });
      }
    }
  }
}

/** An id may be longer than a message's may be, where somebody else made it. */
function shortId(id: string): string {
  return createHash("sha256").update(id).digest("hex").slice(0, 32);
}
