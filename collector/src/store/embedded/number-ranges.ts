/** The numbers of one run that came in one batch, as ranges. */
import { joined, type NumberRange } from "../signal-ledger.ts";

interface OpenRange {
  readonly first: number;
  readonly firstNs: bigint;
  last: number;
  lastNs: bigint;
}

/** Records mostly come in the order of their numbers, and then adding one is an increment. */
export class NumberRanges {
  private ranges: OpenRange[] = [];
  private open: OpenRange | undefined;

  add(number: number, numberedNs: bigint): void {
    const { open } = this;
    if (open !== undefined && number === open.last + 1) {
      open.last = number;
      open.lastNs = numberedNs;
      return;
    }
    this.open = { first: number, last: number, firstNs: numberedNs, lastNs: numberedNs };
    this.ranges.push(this.open);
  }

  /** What was added since the last time, in order and without any that touch. */
  take(): Iterable<NumberRange> {
    const { ranges } = this;
    this.ranges = [];
    this.open = undefined;
    if (ranges.length <= 1) return ranges;
    return joined(ranges.toSorted((a, b) => a.first - b.first));
  }
}
