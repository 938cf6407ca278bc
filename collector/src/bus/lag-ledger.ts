import type { BusLag } from "./bus.ts";

interface Mark {
  /** Offset after the last message of this mark. */
  end: number;
  messages: number;
  records: number;
  /** Receipt of its first message. */
  readonly receivedNs: bigint;
}

/** Up to so many messages the figures are exact; beyond, neighbours are counted as one. */
const MARKS_MAX = 16_384;

/** Counts what was published and not yet committed, in bounded memory. */
export class LagLedger {
  #marks: Mark[] = [];
  #messages = 0;
  #records = 0;
  #messagesPerMark = 1;

  /** How many figures are held. */
  get marks(): number {
    return this.#marks.length;
  }

  add(mark: { end: number; messages: number; records: number; receivedNs: bigint }): void {
    this.#messages += mark.messages;
    this.#records += mark.records;
    const last = this.#marks.at(-1);
    if (last !== undefined && last.messages < this.#messagesPerMark) {
      last.end = mark.end;
      last.messages += mark.messages;
      last.records += mark.records;
      return;
    }
    this.#marks.push({ ...mark });
    if (this.#marks.length > MARKS_MAX) this.#halve();
  }

  /** Takes out every mark that ends at or before `offset`; a mark is never counted in part. */
  commit(offset: number): void {
    let count = 0;
    for (const mark of this.#marks) {
      if (mark.end > offset) break;
      this.#messages -= mark.messages;
      this.#records -= mark.records;
      count++;
    }
    if (count > 0) this.#marks.splice(0, count);
    if (this.#marks.length === 0) this.#messagesPerMark = 1;
  }

  lag(nowNs: bigint): BusLag {
    const oldest = this.#marks[0];
    const ageNs = oldest === undefined ? 0n : nowNs - oldest.receivedNs;
    return {
      messages: this.#messages,
      records: this.#records,
      seconds: Math.max(0, Number(ageNs) / 1e9),
    };
  }

  #halve(): void {
    const halved: Mark[] = [];
    for (let i = 0; i < this.#marks.length; i += 2) {
      const mark = this.#marks[i] as Mark;
      const next = this.#marks[i + 1];
      if (next !== undefined) {
        mark.end = next.end;
        mark.messages += next.messages;
        mark.records += next.records;
      }
      halved.push(mark);
    }
    this.#marks = halved;
    this.#messagesPerMark *= 2;
  }
}
