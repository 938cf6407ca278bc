/** What was found of each subject, round by round: rows, and ratios of ours to the peer's. */
import { type Ratio, type Row, rowOf } from "./bench-report.ts";

interface Figure {
  readonly what: string;
  readonly subject: string;
  readonly unit: string;
  readonly values: number[];
}

export interface Finding {
  readonly what: string;
  readonly subject: string;
  readonly unit: string;
  readonly value: number;
}

export class RoundFindings {
  readonly #figures = new Map<string, Figure>();
  readonly #ours: string;
  readonly #peer: string;

  /** The subjects that ratios are made of. */
  constructor({ ours, peer }: { readonly ours: string; readonly peer: string }) {
    this.#ours = ours;
    this.#peer = peer;
  }

  /** A value that is not there (no answer was accepted, say) is left out. */
  add({ what, subject, unit, value }: Finding): void {
    if (Number.isNaN(value)) return;
    const key = keyOf(what, subject);
    const figure = this.#figures.get(key) ?? { what, subject, unit, values: [] };
    this.#figures.set(key, figure);
    figure.values.push(value);
  }

  /** One value a round, in their order. */
  valuesOf(what: string, subject: string): readonly number[] {
    return this.#figures.get(keyOf(what, subject))?.values ?? [];
  }

  /** Rows by what they are, in the order in which each was found first. */
  rows(): readonly Row[] {
    const byWhat = Map.groupBy(this.#figures.values(), ({ what }) => what);
    return [...byWhat.values()]
      .flat()
      .map(({ what, unit, subject, values }) => rowOf({ name: what, unit, subject, values }));
  }

  /**
   * Ours to the peer's: the middle one of the rounds' ratios, because the two of a round had the
   * same neighbours on the machine.
   */
  againstPeer({ what, budget }: { readonly what: string; readonly budget: number }): Ratio {
    const ours = this.valuesOf(what, this.#ours);
    const peer = this.valuesOf(what, this.#peer);
    const ratios = ours.flatMap((value, round) => {
      const other = peer[round];
      return other === undefined ? [] : [value / other];
    });
    const value = middle(ratios);
    return {
      name: `${what}, of ${this.#peer}`,
      ours: middle(ours),
      peer: middle(peer),
      value,
      budget: `≤ ${budget} of the peer's`,
      met: value <= budget,
    };
  }

  /** The largest of all rounds against a figure of its own. */
  worstAgainst(limit: { readonly what: string; readonly budget: number }): Ratio {
    const { what, budget } = limit;
    const values = this.valuesOf(what, this.#ours);
    const ours = values.length === 0 ? Number.NaN : Math.max(...values);
    const unit = this.#figures.get(keyOf(what, this.#ours))?.unit ?? "";
    return {
      name: `${what}, the worst round`,
      ours,
      peer: budget,
      value: ours / budget,
      budget: `≤ ${budget} ${unit}`,
      met: ours <= budget,
    };
  }
}

function middle(values: readonly number[]): number {
  return rowOf({ name: "", subject: "", unit: "", values }).value;
}

function keyOf(what: string, subject: string): string {
  return `${what}\n${subject}`;
}
