/** Adds up what is known of the numbers of one run and signal; what every store's ledger is of. */
import type { RunReport } from "../record.ts";
import { GAPS_MAX, SEQUENCE_MAX, type SequenceGap, type SignalLedger } from "./ledger.ts";

/** Numbers in a row, each of which is stored, or is a dead letter's. */
export interface NumberRange {
  readonly first: number;
  readonly last: number;
  /** When the first and the last one of them were given out. */
  readonly firstNs: bigint;
  readonly lastNs: bigint;
}

export interface SignalFacts {
  /** By `first`; they may touch and overlap. */
  readonly stored: Iterable<NumberRange>;
  /** Likewise; their times are those of receipt. */
  readonly deadLettered: Iterable<NumberRange>;
  /** The highest number reported, and the highest that a record or dead letter has; or 0. */
  readonly reported: number;
  readonly seen: number;
  readonly dropped: number;
  /** Numbers up to this one expired where they are not stored; 0 where none did. */
  readonly expiredTo: number;
  /** Likewise those behind a number that was given out before this time. */
  readonly expiredBeforeNs: bigint;
  /** Of the latest report, or of the run's latest record where that is later. */
  readonly lastSeenNs: bigint;
  readonly window: { readonly fromNs?: bigint; readonly toNs?: bigint };
}

export function toSignalLedger(facts: SignalFacts): SignalLedger {
  const sum = new LedgerSum(facts);
  for (const range of joined(facts.stored)) sum.addStored(range);
  return sum.end();
}

/** What can be said from sums alone, as if all that is expired came first. */
export function withoutGaps(
  facts: SignalFacts,
  sums: { readonly stored: number; readonly dead: number },
): SignalLedger {
  const emitted = Math.max(facts.reported, facts.seen);
  const stored = Math.min(emitted, sums.stored);
  const deadLettered = Math.min(emitted - stored, sums.dead);
  const left = emitted - stored - deadLettered;
  const expired = Math.min(left, facts.expiredTo);
  const expiredToNs = expired === 0 ? 0n : facts.lastSeenNs;
  const { dropped } = facts;
  const missing = left - expired;
  return {
    ...{ emitted, stored, deadLettered, missing, expired, expiredToNs, dropped },
    gaps: [],
    isCut: true,
  };
}

/** A figure of a report that counts numbers; 0 where it is none that a run can have given out. */
export function figureOf(report: RunReport | null, name: string): number {
  const figure = report?.figures[name];
  const isNumber = typeof figure === "number" && figure >= 0 && figure <= SEQUENCE_MAX;
  return isNumber ? Math.floor(figure) : 0;
}

const NOWHERE: NumberRange = { first: 0, last: 0, firstNs: 0n, lastNs: 0n };

class LedgerSum {
  readonly #facts: SignalFacts;
  readonly #dead: DeadNumbers;
  readonly #gaps: SequenceGap[] = [];
  #before = NOWHERE;
  #stored = 0;
  #deadLettered = 0;
  #missing = 0;
  #expired = 0;
  #expiredToNs = 0n;
  #isCut = false;

  constructor(facts: SignalFacts) {
    this.#facts = facts;
    this.#dead = new DeadNumbers(facts.deadLettered);
  }

  addStored(range: NumberRange): void {
    this.#stored += range.last - range.first + 1;
    this.#addHole(range.first - 1, range.firstNs);
    this.#before = range;
  }

  end(): SignalLedger {
    const { reported, seen, dropped, lastSeenNs } = this.#facts;
    const emitted = Math.max(reported, seen, this.#before.last);
    this.#addHole(emitted, lastSeenNs);
    return {
      emitted,
      stored: this.#stored,
      deadLettered: this.#deadLettered,
      missing: this.#missing,
      expired: this.#expired,
      expiredToNs: this.#expiredToNs,
      dropped,
      gaps: this.#gaps,
      isCut: this.#isCut,
    };
  }

  /** The numbers behind the range before, up to `last`: first those expired, then the gap. */
  #addHole(last: number, nextNs: bigint): void {
    const first = this.#before.last + 1;
    if (first > last) return;
    const { expiredTo, expiredBeforeNs } = this.#facts;
    const isOld = this.#before.lastNs < expiredBeforeNs;
    const expiredLast = isOld ? last : Math.min(last, expiredTo);
    if (expiredLast >= first) {
      const deadLettered = this.#dead.countIn(first, expiredLast);
      this.#deadLettered += deadLettered;
      this.#expired += expiredLast - first + 1 - deadLettered;
      this.#expiredToNs = later(this.#before.lastNs, nextNs);
    }
    const gapFirst = Math.max(first, expiredLast + 1);
    if (gapFirst <= last) this.#addGap({ first: gapFirst, last }, nextNs);
  }

  /** Times off by a service's own doing, or a clock set back, must not turn the bounds around. */
  #addGap({ first, last }: { first: number; last: number }, nextNs: bigint): void {
    const beforeNs = this.#before.lastNs;
    const deadLettered = this.#dead.countIn(first, last);
    this.#deadLettered += deadLettered;
    this.#missing += last - first + 1 - deadLettered;
    const fromNs = beforeNs < nextNs ? beforeNs : nextNs;
    const toNs = later(beforeNs, nextNs);
    const { window } = this.#facts;
    if (window.fromNs !== undefined && toNs < window.fromNs) return;
    if (window.toNs !== undefined && fromNs >= window.toNs) return;
    if (this.#gaps.length < GAPS_MAX) this.#gaps.push({ first, last, fromNs, toNs, deadLettered });
    else this.#isCut = true;
  }
}

/** Counts how many numbers of stretches, asked for from low to high, are dead letters'. */
class DeadNumbers {
  readonly #ranges: Iterator<NumberRange>;
  #range: NumberRange | undefined;

  constructor(ranges: Iterable<NumberRange>) {
    this.#ranges = joined(ranges);
    this.#next();
  }

  countIn(first: number, last: number): number {
    let count = 0;
    for (let range = this.#range; range !== undefined; range = this.#range) {
      if (range.first > last) break;
      const from = Math.max(first, range.first);
      const to = Math.min(last, range.last);
      if (from <= to) count += to - from + 1;
      if (range.last > last) break;
      this.#next();
    }
    return count;
  }

  #next(): void {
    const step = this.#ranges.next();
    this.#range = step.done === true ? undefined : step.value;
  }
}

/** Ranges that touch or overlap as one: its ends have the times of the numbers that stand there. */
export function* joined(ranges: Iterable<NumberRange>): Generator<NumberRange> {
  let open: NumberRange | undefined;
  for (const range of ranges) {
    if (open === undefined || range.first > open.last + 1) {
      if (open !== undefined) yield open;
      open = range;
    } else if (range.last > open.last) {
      open = { ...open, last: range.last, lastNs: range.lastNs };
    }
  }
  if (open !== undefined) yield open;
}

function later(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
