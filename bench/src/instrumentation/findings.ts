import { type Row, rowOf } from "../bench-report.ts";
import { BARE, type Subject } from "./subjects.ts";

interface Figure {
  readonly what: string;
  readonly unit: string;
  readonly subject: string;
  readonly values: number[];
}

/** Everything that was measured, by what and whom; the n-th value of each is of the n-th round. */
export class Findings {
  readonly #figures = new Map<string, Figure>();

  add(found: { what: string; unit: string; subject: Subject; value: number }): void {
    const { what, unit, subject, value } = found;
    const key = keyOf(what, subject);
    const figure = this.#figures.get(key) ?? { what, unit, subject: subject.name, values: [] };
    this.#figures.set(key, figure);
    figure.values.push(value);
  }

  /**
   * A row for each subject but bare that sets its values against those of bare in the same round:
   * both had the same neighbours on the machine then.
   */
  addAgainstBare(of: {
    readonly what: string;
    readonly as: string;
    readonly unit: string;
    readonly compare: (value: number, bare: number) => number;
  }): void {
    const bare = this.valuesOf(of.what, BARE);
    for (const figure of [...this.#figures.values()]) {
      if (figure.what !== of.what || figure.subject === BARE.name) continue;
      const subject = { ...BARE, name: figure.subject };
      for (const [round, value] of figure.values.entries()) {
        const bareValue = bare[round];
        if (bareValue === undefined) continue;
        const compared = of.compare(value, bareValue);
        this.add({ what: of.as, unit: of.unit, subject, value: compared });
      }
    }
  }

  valuesOf(what: string, subject: Subject): readonly number[] {
    return this.#figures.get(keyOf(what, subject))?.values ?? [];
  }

  /** The middle one of the values. @throws Error where there is none. */
  middleOf(what: string, subject: Subject): number {
    return rowOf({ name: what, subject: "", unit: "", values: this.valuesOf(what, subject) }).value;
  }

  /** Rows by what they are, in the order in which each was found first. */
  rows(): readonly Row[] {
    const byWhat = Map.groupBy(this.#figures.values(), ({ what }) => what);
    return [...byWhat.values()]
      .flat()
      .map(({ what, unit, subject, values }) => rowOf({ name: what, unit, subject, values }));
  }
}

function keyOf(what: string, subject: Subject): string {
  return `${what}\n${subject.name}`;
}
