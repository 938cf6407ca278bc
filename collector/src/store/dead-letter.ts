/**
 * What the store refused, and what people did with it since.
 *
 * A letter is known by its id, on whichever days it was told of:
 * - Each time it is refused is a refusal, told apart by `refusedNs`: told twice it counts once.
 * - What the first refusal told stays: receipt, transaction, service, run, number, topic and the
 *   original bytes, so that an edited record that is refused again does not take their place.
 *   Reason, status, detail and `refusedNs` are those of the latest refusal.
 * - It is open where its latest refusal is as late as its latest act, or later; else its state is
 *   that act. An act is never lost because its letter is told of later.
 */

/** A record, or a whole message, the store refused for good. */
export interface DeadLetter {
  /** The record's id; of a message that could not be decoded its request id, "-" and its part. */
  readonly id: string;
  /** When the collector received it. */
  readonly receivedNs: bigint;
  /** When it was refused: of a letter and the acts upon it the latest counts. */
  readonly refusedNs: bigint;
  /** Where known. */
  readonly transactionId: string;
  readonly service: string;
  /** The run that made the record, and its number there; empty and 0 where it has none. */
  readonly runId: string;
  readonly sequence: number;
  /** Bounded set: `undecodable`, `refused`, `too_large`. */
  readonly reason: string;
  /** HTTP status of the refusal; null where there was none. */
  readonly status: number | null;
  readonly detail: string;
  readonly topic: string;
  /** The original bytes: an OTLP export request with this one record, or the message as it was. */
  readonly original: Uint8Array;
  /** Which piece of the original these bytes are; null where they are all of it. */
  readonly piece: LetterPiece | null;
}

/**
 * A letter larger than a message of the bus comes in several, in any order. Each tells everything
 * else of it as well, under the same `refusedNs`: together they are one refusal.
 */
export interface LetterPiece {
  /** From 0. */
  readonly index: number;
  readonly count: number;
}

export const DEAD_LETTER_ACTS = ["replayed", "edited", "discarded"] as const;

/** What somebody did with a dead letter. */
export interface DeadLetterAct {
  readonly letterId: string;
  /** `replayed`: sent again as it was; `edited`: changed and sent again. */
  readonly act: (typeof DEAD_LETTER_ACTS)[number];
  readonly atNs: bigint;
  /** Name of the token that was presented. */
  readonly actor: string;
  /** As the person gave it; may be empty for a replay. */
  readonly reason: string;
  /** What was sent in its place, an OTLP export request; only of `edited`. */
  readonly edited: Uint8Array | null;
}

/** `open`: refused, and nothing was done since; else what was done last. */
export type DeadLetterState = "open" | (typeof DEAD_LETTER_ACTS)[number];

/** A dead letter as read back; the pieces of its original are joined. */
export interface StoredDeadLetter extends Omit<DeadLetter, "piece"> {
  readonly state: DeadLetterState;
  /** False while pieces of the original are missing: `original` is then those from the first on. */
  readonly isWhole: boolean;
  /** How often it was refused. */
  readonly refusals: number;
  /** Oldest first. */
  readonly acts: readonly DeadLetterAct[];
}

export interface DeadLetterFilter {
  readonly state?: DeadLetterState;
  readonly reason?: string;
  readonly service?: string;
  readonly transactionId?: string;
  /** By `refusedNs`. */
  readonly fromNs?: bigint;
  readonly toNs?: bigint;
  readonly cursor?: string;
  readonly limit: number;
}

/** Dead letters that were refused for the same thing. */
export interface DeadLetterGroup {
  readonly reason: string;
  readonly service: string;
  /** Their detail without what differs from one to the next: numbers, ids, quoted values. */
  readonly pattern: string;
  readonly count: number;
  readonly firstRefusedNs: bigint;
  readonly lastRefusedNs: bigint;
  /** Of one of them. */
  readonly exampleId: string;
}
