import type { Cuts } from "./record-joiner.ts";

/** What of a lane is kept over restarts. */
export interface LanePlace {
  /** Every line of the lane before this offset was acknowledged. */
  readonly position: number;
  /** Places over which no record goes on, all behind `position`. */
  readonly cuts: readonly number[];
}

/** The lines of one lane in one batch. */
export interface Stretch {
  readonly lane: Lane;
  end: number;
  isAcknowledged: boolean;
}

/**
 * The lines of a file that follow each other: all of them, or, of a container's output, those of
 * stdout or of stderr. Batches may be acknowledged in any order; `position` moves over what is
 * acknowledged without a gap.
 */
export class Lane implements Cuts {
  readonly #unacknowledged: Stretch[] = [];
  #position: number;
  #cuts: number[];
  /** Lines before this offset became records already; not kept over restarts. */
  taken: number;

  constructor({ position, cuts }: LanePlace) {
    this.#position = position;
    this.taken = position;
    this.#cuts = [...cuts];
  }

  get position(): number {
    return this.#position;
  }

  get isAcknowledged(): boolean {
    return this.#unacknowledged.length === 0;
  }

  get place(): LanePlace {
    return { position: this.#position, cuts: this.#cuts };
  }

  /** A batch takes lines of the lane up to `end`; batches are opened in the order of the lines. */
  open(end: number): Stretch {
    const stretch = { lane: this, end, isAcknowledged: false };
    this.#unacknowledged.push(stretch);
    return stretch;
  }

  acknowledge(stretch: Stretch): void {
    stretch.isAcknowledged = true;
    let first = this.#unacknowledged[0];
    while (first?.isAcknowledged) {
      this.moveTo(first.end);
      this.#unacknowledged.shift();
      first = this.#unacknowledged[0];
    }
  }

  /** Nothing before `offset` is wanted any more: it is acknowledged, or is no text. */
  moveTo(offset: number): void {
    this.#position = Math.max(this.#position, offset);
    while ((this.#cuts[0] ?? Number.POSITIVE_INFINITY) <= this.#position) this.#cuts.shift();
  }

  add(offset: number): void {
    if (offset > this.#position) this.#cuts.push(offset);
  }

  hasBetween(from: number, to: number): boolean {
    return this.#cuts.some((cut) => cut >= from && cut <= to);
  }
}
