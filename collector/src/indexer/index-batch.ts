import type { Position } from "../bus/bus.ts";
import type { IncomingRecord } from "../record.ts";
import type { DeadLetter, DeadLetterAct } from "../store/dead-letter.ts";
import type { WriteBatch } from "../store/store.ts";

/** A message or a part of it, as far as it could be decoded. */
export interface Decoded {
  readonly records?: readonly IncomingRecord[];
  /** The message as a whole, where it could not be. */
  readonly undecodable?: DeadLetter;
  /** Brought from the bus, where they are safe already. */
  readonly deadLetters?: readonly DeadLetter[];
  readonly deadLetterActs?: readonly DeadLetterAct[];
}

export const EMPTY_BATCH: WriteBatch = {
  records: [],
  deadLetters: [],
  deadLetterActs: [],
  nextPositions: [],
};

/** What the indexer gathers between two writes. */
export class IndexBatch {
  readonly startedMs: number;
  readonly undecodable: DeadLetter[] = [];
  readonly #records: IncomingRecord[] = [];
  readonly #deadLetters: DeadLetter[] = [];
  readonly #acts: DeadLetterAct[] = [];
  readonly #nextOffsets = new Map<string, number>();

  constructor(startedMs: number) {
    this.startedMs = startedMs;
  }

  get records(): number {
    return this.#records.length;
  }

  add({ records = [], undecodable, deadLetters = [], deadLetterActs = [] }: Decoded): void {
    for (const record of records) this.#records.push(record);
    for (const letter of deadLetters) this.#deadLetters.push(letter);
    for (const act of deadLetterActs) this.#acts.push(act);
    if (undecodable !== undefined) this.undecodable.push(undecodable);
  }

  /** A message moves its partition on once its last record is in the batch. */
  move({ partition, offset }: Position): void {
    this.#nextOffsets.set(partition, offset + 1);
  }

  /** @param letters of the undecodable messages, those that the store itself has to hold. */
  toWrite(letters: readonly DeadLetter[]): WriteBatch {
    return {
      records: this.#records,
      deadLetters: [...this.#deadLetters, ...letters],
      deadLetterActs: this.#acts,
      nextPositions: [...this.#nextOffsets].map(([partition, offset]) => ({ partition, offset })),
    };
  }
}
