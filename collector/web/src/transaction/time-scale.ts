export interface TimeScale {
  readonly startMs: number;
  readonly endMs: number;
  /** Where a moment lies, from 0 to 1; moments outside are at the edge. */
  readonly position: (timeMs: number) => number;
  readonly ticks: readonly { readonly at: number; readonly offsetMs: number }[];
  /** Stretches in which nothing ran, drawn shorter than they were. */
  readonly breaks: readonly { readonly at: number; readonly until: number; readonly ms: number }[];
}

export interface Interval {
  readonly startMs: number;
  readonly endMs: number;
}

/** An idle stretch longer than this part of the whole is squeezed. */
const IDLE_SHARE_MIN = 0.3;
/** And only where the work would be hard to see: it is at most this part of the whole. */
const BUSY_SHARE_MAX = 0.4;
const BREAK_WIDTH = 0.06;
const TICKS_MAX = 7;

/**
 * A scale over all intervals. A transaction may wait hours in a queue between milliseconds of
 * work: such a wait is squeezed to a fixed width and marked, so that the work stays visible.
 */
export function timeScale(intervals: readonly Interval[]): TimeScale {
  const busy = union(intervals);
  const startMs = busy[0]?.startMs ?? 0;
  const endMs = Math.max(busy.at(-1)?.endMs ?? 0, startMs);
  const pieces = placed(busy, idleToSqueeze(busy, endMs - startMs));
  const position = (timeMs: number) => positionIn(pieces, timeMs);
  const breaks = pieces
    .filter((piece) => piece.isBreak)
    .map((piece) => ({ at: piece.at, until: piece.until, ms: piece.endMs - piece.startMs }));
  return { startMs, endMs, position, breaks, ticks: ticks(pieces, startMs) };
}

interface Piece extends Interval {
  readonly isBreak: boolean;
  readonly at: number;
  readonly until: number;
}

function union(intervals: readonly Interval[]): Interval[] {
  const sorted = intervals
    .filter(({ startMs, endMs }) => Number.isFinite(startMs) && Number.isFinite(endMs))
    .toSorted((a, b) => a.startMs - b.startMs);
  const merged: { startMs: number; endMs: number }[] = [];
  for (const { startMs, endMs } of sorted) {
    const last = merged.at(-1);
    if (last !== undefined && startMs <= last.endMs) last.endMs = Math.max(last.endMs, endMs);
    else merged.push({ startMs, endMs: Math.max(startMs, endMs) });
  }
  return merged;
}

function idleToSqueeze(busy: readonly Interval[], totalMs: number): Interval[] {
  const busyMs = busy.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
  if (totalMs <= 0 || busyMs / totalMs > BUSY_SHARE_MAX) return [];
  const gaps = busy
    .slice(1)
    .map((next, i) => ({ startMs: busy[i]?.endMs ?? next.startMs, endMs: next.startMs }));
  // What is left after a gap is taken out decides about the next: days may hide hours.
  const squeezed: Interval[] = [];
  let restMs = totalMs;
  for (const gap of gaps.toSorted((a, b) => b.endMs - b.startMs - (a.endMs - a.startMs))) {
    const gapMs = gap.endMs - gap.startMs;
    if (gapMs / restMs < IDLE_SHARE_MIN || squeezed.length * BREAK_WIDTH > 0.3) break;
    squeezed.push(gap);
    restMs -= gapMs;
  }
  return squeezed.toSorted((a, b) => a.startMs - b.startMs);
}

function placed(busy: readonly Interval[], breaks: readonly Interval[]): Piece[] {
  const startMs = busy[0]?.startMs ?? 0;
  const endMs = busy.at(-1)?.endMs ?? startMs;
  const brokenMs = breaks.reduce((sum, gap) => sum + gap.endMs - gap.startMs, 0);
  const workMs = endMs - startMs - brokenMs;
  const workWidth = 1 - breaks.length * BREAK_WIDTH;
  const pieces: Piece[] = [];
  let at = 0;
  let fromMs = startMs;
  for (const gap of [...breaks, { startMs: endMs, endMs }]) {
    const until = at + (workMs > 0 ? ((gap.startMs - fromMs) / workMs) * workWidth : 0);
    pieces.push({ startMs: fromMs, endMs: gap.startMs, isBreak: false, at, until });
    at = until;
    if (gap.endMs === gap.startMs) continue;
    pieces.push({ ...gap, isBreak: true, at, until: at + BREAK_WIDTH });
    at += BREAK_WIDTH;
    fromMs = gap.endMs;
  }
  return pieces;
}

function positionIn(pieces: readonly Piece[], timeMs: number): number {
  for (const piece of pieces) {
    if (timeMs > piece.endMs) continue;
    if (timeMs <= piece.startMs) return piece.at;
    const share = (timeMs - piece.startMs) / (piece.endMs - piece.startMs);
    return piece.at + share * (piece.until - piece.at);
  }
  return pieces.at(-1)?.until ?? 0;
}

/** Round offsets over the widest piece; a broken scale gets the start of each piece instead. */
function ticks(pieces: readonly Piece[], startMs: number): TimeScale["ticks"] {
  const work = pieces.filter((piece) => !piece.isBreak);
  if (work.length !== 1) return work.map(({ at, startMs: ms }) => ({ at, offsetMs: ms - startMs }));
  const totalMs = (work[0]?.endMs ?? 0) - startMs;
  if (totalMs <= 0) return [{ at: 0, offsetMs: 0 }];
  const stepMs = roundStep(totalMs / TICKS_MAX);
  const count = Math.floor(totalMs / stepMs + 1e-9) + 1;
  return Array.from({ length: count }, (_, i) => ({
    at: (i * stepMs) / totalMs,
    offsetMs: i * stepMs,
  }));
}

/** Steps that read well beyond a minute too. */
const LONG_STEPS_MS = [60, 120, 300, 600, 1800, 3600, 7200, 21_600, 43_200, 86_400].map(
  (s) => s * 1000,
);

function roundStep(ms: number): number {
  if (ms > 30_000) {
    const days = Math.ceil(ms / 86_400_000) * 86_400_000;
    return LONG_STEPS_MS.find((step) => step >= ms) ?? days;
  }
  const power = 10 ** Math.floor(Math.log10(ms));
  return ([1, 2, 5, 10].find((factor) => factor * power >= ms) ?? 10) * power;
}
