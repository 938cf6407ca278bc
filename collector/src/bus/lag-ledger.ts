import type { BusLag } from "./bus.ts";
import { type LagMark, mergeNeighbours } from "./lag-marks.ts";

/** Up to so many messages the figures are exact; beyond, neighbours are counted as one. */
const MARKS_MAX = 16_384;

/** Counts what was published and not yet committed, in bounded memory. */
export class LagLedger {
  #marks: LagMark[] = [];
  #messages = 0;
  #records = 0;
  #messagesPerMark = 1;

  /** How many figures are held. */
  get marks(): number {
    return this.#marks.length;
  }

  add(mark: LagMark): void {
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
    this.#marks = mergeNeighbours(this.#marks);
    this.#messagesPerMark *= 2;
  }
}
