/** What a bench found, as a table for people and as one object for machines (DESIGN: "Budgets"). */

export interface Row {
  readonly name: string;
  readonly subject: string;
  /** The middle one of the runs. */
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly unit: string;
  readonly runs: number;
}

export interface Ratio {
  readonly name: string;
  readonly ours: number;
  /** Another subject's figure, or the budget itself where it is absolute. */
  readonly peer: number;
  readonly value: number;
  readonly budget: string;
  readonly met: boolean;
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly os: string;
}

export interface BenchReport {
  /** How to read the rows, where their names do not say it all; one paragraph. */
  readonly note?: string;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly rows: readonly Row[];
  readonly ratios: readonly Ratio[];
}

export interface Measured {
  readonly name: string;
  readonly subject: string;
  readonly unit: string;
  readonly values: readonly number[];
}

/** A row out of one or more runs. @throws Error where there is no value. */
export function rowOf({ name, subject, unit, values }: Measured): Row {
  const sorted = values.toSorted((a, b) => a - b);
  return {
    name,
    subject,
    value: quantile(sorted, 0.5),
    min: quantile(sorted, 0),
    max: quantile(sorted, 1),
    unit,
    runs: sorted.length,
  };
}

/** The value of `sorted` below which a share of `q` lies. @throws Error where there is none. */
export function quantile(sorted: readonly number[], q: number): number {
  const at = Math.min(sorted.length - 1, Math.floor(q * sorted.length));
  const value = sorted[at];
  if (value === undefined) throw new Error("cannot take a quantile: nothing was measured");
  return value;
}

export interface Limit {
  readonly name: string;
  readonly ours: number;
  readonly budget: number;
  readonly unit: string;
  readonly isMinimum?: boolean;
}

/** A budget that is a figure of its own: its ratio is ours to it. */
export function againstBudget({ name, ours, budget, unit, isMinimum = false }: Limit): Ratio {
  return {
    name,
    ours,
    peer: budget,
    value: ours / budget,
    budget: `${isMinimum ? "≥" : "≤"} ${formatNumber(budget)} ${unit}`,
    met: isMinimum ? ours >= budget : ours <= budget,
  };
}

/** Cells of the table of rows, head first. */
export function rowCells(rows: readonly Row[]): readonly (readonly string[])[] {
  return [
    ["what", "subject", "value", "min", "max", "unit", "runs"],
    ...rows.map(({ name, subject, value, min, max, unit, runs }) => [
      name,
      subject,
      ...[value, min, max].map(formatNumber),
      unit,
      String(runs),
    ]),
  ];
}

/** Cells of the table of ratios, head first. */
export function ratioCells(ratios: readonly Ratio[]): readonly (readonly string[])[] {
  return [
    ["budget", "allowed", "ours", "ratio", "met"],
    ...ratios.map(({ name, ours, value, budget, met }) => [
      name,
      budget,
      formatNumber(ours),
      formatNumber(value),
      met ? "yes" : "no",
    ]),
  ];
}

/** Columns as wide as their widest cell, two spaces between. */
export function formatTable(cells: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of cells) {
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length);
  }
  return cells
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** Three significant digits below 1000, whole numbers above. */
export function formatNumber(value: number): string {
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(3)));
}
