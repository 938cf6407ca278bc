import type { StoredRecord } from "../../../src/record.ts";

/** Lines of a live tail that are kept; older ones leave the page, not the store. */
export const TAIL_LINES_MAX = 2000;

export interface TailLines {
  /** Newest first. */
  readonly shown: readonly StoredRecord[];
  /** Came while the tail was held; newest first. */
  readonly waiting: readonly StoredRecord[];
  /** Came while held and were more than could wait. */
  readonly skipped: number;
}

export const NO_LINES: TailLines = { shown: [], waiting: [], skipped: 0 };

/** The lines after some more came: on top, or waiting while somebody reads. */
export function tailed(
  lines: TailLines,
  { fresh, isHeld }: { readonly fresh: readonly StoredRecord[]; readonly isHeld: boolean },
): TailLines {
  const known = new Set([...lines.shown, ...lines.waiting].map(({ id }) => id));
  const added = fresh.filter(({ id }) => !known.has(id)).toReversed();
  if (!isHeld) {
    const { shown } = released(lines);
    return { ...NO_LINES, shown: [...added, ...shown].slice(0, TAIL_LINES_MAX) };
  }
  if (added.length === 0) return lines;
  const waiting = [...added, ...lines.waiting];
  const skipped = lines.skipped + Math.max(0, waiting.length - TAIL_LINES_MAX);
  return { ...lines, waiting: waiting.slice(0, TAIL_LINES_MAX), skipped };
}

/** The lines once nobody holds them any more. */
export function released(lines: TailLines): TailLines {
  if (lines.waiting.length === 0) return lines;
  return { ...NO_LINES, shown: [...lines.waiting, ...lines.shown].slice(0, TAIL_LINES_MAX) };
}
