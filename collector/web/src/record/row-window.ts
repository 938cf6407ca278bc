/** Rows of a long list that are drawn: those in view; the rest is empty height. */
export interface RowWindow {
  readonly first: number;
  /** One beyond the last. */
  readonly end: number;
  /** Empty height above `first`. */
  readonly topPx: number;
  readonly totalPx: number;
}

export interface RowLayout {
  readonly count: number;
  readonly rowPx: number;
  /** How much taller opened rows are, by row. */
  readonly extrasPx: ReadonlyMap<number, number>;
}

/** The rows between two heights of the list. */
export function rowWindow(
  layout: RowLayout,
  view: { readonly fromPx: number; readonly toPx: number },
): RowWindow {
  const first = rowAt(layout, view.fromPx);
  const end = Math.min(rowAt(layout, view.toPx) + 1, layout.count);
  const topPx = rowTopPx(layout, first);
  return { first, end: Math.max(first, end), topPx, totalPx: rowTopPx(layout, layout.count) };
}

/** Where a row begins. */
export function rowTopPx(layout: RowLayout, row: number): number {
  let px = row * layout.rowPx;
  for (const [index, extraPx] of layout.extrasPx) if (index < row) px += extraPx;
  return px;
}

/** The row at a height; the nearest one outside of the list. */
function rowAt({ count, rowPx, extrasPx }: RowLayout, px: number): number {
  let row = 0;
  let topPx = 0;
  for (const [opened, extraPx] of [...extrasPx].sort(([a], [b]) => a - b)) {
    const openedTopPx = topPx + (opened - row) * rowPx;
    if (px < openedTopPx) break;
    row = opened;
    topPx = openedTopPx;
    if (px < openedTopPx + rowPx + extraPx) return clampRow(row, count);
    row = opened + 1;
    topPx = openedTopPx + rowPx + extraPx;
  }
  return clampRow(row + Math.floor((px - topPx) / rowPx), count);
}

function clampRow(row: number, count: number): number {
  return Math.max(0, Math.min(row, count - 1));
}
