import { type LagMark, mergeNeighbours } from "../lag-marks.ts";

/** Offsets between two marks that nobody told of count as unknown. */
interface Mark extends LagMark {
  readonly first: number;
}

export interface LedgerEntry {
  readonly offset: number;
  readonly records: number;
  readonly receivedNs: bigint;
}

export interface Pending {
  /** Of the pending messages, those that are known. */
  readonly messages: number;
  /** In these. */
  readonly records: number;
  /** Receipt of the first pending message; undefined where that one is not known. */
  readonly oldestNs: bigint | undefined;
}

/** Up to so many messages that wait in a partition the figures are exact. */
const MARKS_MAX = 4096;

/** What is known of one partition's messages that the group did not commit, in bounded memory. */
export class KafkaLagLedger {
  #marks: Mark[] = [];
  #messagesPerMark = 1;

  /** How many figures are held. */
  get marks(): number {
    return this.#marks.length;
  }

  /** A message that is known already changes nothing. */
  add({ offset, records, receivedNs }: LedgerEntry): void {
    const last = this.#marks.at(-1);
    if (last !== undefined && offset === last.end && last.messages < this.#messagesPerMark) {
      last.end++;
      last.messages++;
      last.records += records;
      return;
    }
    const at = this.#marks.findLastIndex(({ first }) => first <= offset);
    if (offset < (this.#marks[at]?.end ?? 0)) return;
    const mark = { first: offset, end: offset + 1, messages: 1, records, receivedNs };
    this.#marks.splice(at + 1, 0, mark);
    if (this.#marks.length > MARKS_MAX) this.#halve();
  }

  /** Forgets everything before `begin`, and counts what is from there to `end` (exclusive). */
  pending({ begin, end }: { begin: number; end: number }): Pending {
    const past = this.#marks.findIndex((mark) => mark.end > begin);
    this.#marks.splice(0, past < 0 ? this.#marks.length : past);
    if (this.#marks.length === 0) this.#messagesPerMark = 1;
    let messages = 0;
    let records = 0;
    for (const mark of this.#marks) {
      if (mark.first >= end) break;
      const share = (mark.end - Math.max(begin, mark.first)) / (mark.end - mark.first);
      messages += mark.messages * share;
      records += mark.records * share;
    }
    const oldest = this.#marks[0];
    const isKnown = oldest !== undefined && oldest.first <= begin && begin < end;
    return {
      messages: Math.round(messages),
      records: Math.round(records),
      oldestNs: isKnown ? oldest.receivedNs : undefined,
    };
  }

  #halve(): void {
    this.#marks = mergeNeighbours(this.#marks);
    this.#messagesPerMark *= 2;
  }
}
