import { safeLine } from "../safe-text.ts";
import type { Terminal } from "../terminal.ts";

export interface Column<T> {
  readonly title: string;
  readonly text: (row: T) => string;
  /** Numbers stand to the right. */
  readonly isNumber?: boolean;
}

const GAP = "  ";
const LAST_WIDTH_MIN = 20;

/**
 * Rows under titles, each column as wide as its widest text; on a terminal the last one is cut to
 * what the line has left. What is in the cells was written by anybody, and is made harmless.
 */
export function formatTable<T>(
  rows: readonly T[],
  columns: readonly Column<T>[],
  { columns: width, isInteractive, colour }: Terminal,
): string {
  const cells = rows.map((row) => columns.map(({ text }) => safeLine(text(row))));
  const widths = columns.map(({ title }, at) =>
    Math.max(title.length, ...cells.map((row) => lengthOf(row[at] ?? ""))),
  );
  const before = widths.slice(0, -1).reduce((sum, each) => sum + each + GAP.length, 0);
  const lastMax = isInteractive
    ? Math.max(LAST_WIDTH_MIN, width - before)
    : Number.POSITIVE_INFINITY;
  const line = (texts: readonly string[]) =>
    texts
      .map((text, at) => {
        if (at === columns.length - 1) return cut(text, lastMax);
        const space = " ".repeat((widths[at] ?? 0) - lengthOf(text));
        return columns[at]?.isNumber ? space + text : text + space;
      })
      .join(GAP)
      .trimEnd();
  const head = colour("dim", line(columns.map(({ title }) => title)));
  return [head, ...cells.map(line)].join("\n");
}

/** In code points, as the terminal counts most. */
function lengthOf(text: string): number {
  return [...text].length;
}

function cut(text: string, max: number): string {
  if (lengthOf(text) <= max) return text;
  return `${[...text].slice(0, max - 1).join("")}…`;
}
