import { SKEW_MIN_MS } from "./clock-offsets.ts";
import type { TimedSpan } from "./timed-spans.ts";

/**
 * What the time went into: `work` inside a service; `network`, the part of a call in which nobody
 * that we know of worked; `queue`, a message that waited for its consumer; `wait`, nothing that is
 * known, between a span and what followed from it.
 */
export type PathKind = "work" | "network" | "queue" | "wait";

/** A stretch of the critical path; of a `queue` or `wait` the span that it waited for. */
export interface PathPart {
  readonly span: TimedSpan;
  readonly kind: PathKind;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Times of one clock agree no better than that, as they are kept in microseconds. */
const TOLERANCE_MS = 0.05;
/** Those of two clocks: a smaller difference between clocks is left as it is. */
const TOLERANCE_BETWEEN_CLOCKS_MS = SKEW_MIN_MS;

interface Frame {
  readonly span: TimedSpan;
  /** Which of its children is looked at next. */
  next: number;
}

/**
 * The stretches that made the transaction last as long as it did, oldest first, without gaps: had
 * one of them been shorter, so had been the whole. Found backwards from the span that ended last:
 * through the child that ended last before each point, and from a span's start on to what it
 * followed from. Each span is entered once, so that cycles end.
 */
export function findCriticalPath(spans: readonly TimedSpan[]): PathPart[] {
  const walk = new Walk();
  let top = lastToEnd(spans);
  let cursorMs = top?.endMs ?? 0;
  while (top !== undefined) {
    cursorMs = walk.within(top, cursorMs);
    const before = latestCause(top, walk);
    if (before === undefined) break;
    if (before.endMs < cursorMs) {
      walk.add({ span: top, kind: kindOfGap(top), fromMs: before.endMs, toMs: cursorMs });
      cursorMs = before.endMs;
    }
    top = before;
  }
  return walk.parts.toReversed();
}

/** Of several that end at once the innermost, which begins last. */
function lastToEnd(spans: readonly TimedSpan[]): TimedSpan | undefined {
  let last: TimedSpan | undefined;
  for (const span of spans) {
    const isLater = last === undefined || span.endMs > last.endMs;
    if (isLater || (span.endMs === last?.endMs && span.startMs > last.startMs)) last = span;
  }
  // The spans around it belong to the path as well; it is found again from the outermost one.
  const seen = new Set<TimedSpan>();
  while (last?.parent !== undefined && !seen.has(last)) {
    seen.add(last);
    if (last.parent.endMs < last.endMs - TOLERANCE_MS) break;
    last = last.parent;
  }
  return last;
}

/** Of what the span followed from, that which was there last. */
function latestCause(span: TimedSpan, walk: Walk): TimedSpan | undefined {
  const causes = span.parent === undefined ? span.callers : [span.parent, ...span.callers];
  let latest: TimedSpan | undefined;
  for (const cause of causes) {
    const isBefore = cause.startMs <= span.startMs + TOLERANCE_BETWEEN_CLOCKS_MS;
    const isPossible = isBefore && !walk.has(cause);
    if (isPossible && (latest === undefined || cause.endMs > latest.endMs)) latest = cause;
  }
  return latest;
}

function kindOfGap(span: TimedSpan): PathKind {
  return span.record.span?.kind === "consumer" ? "queue" : "wait";
}

class Walk {
  readonly parts: PathPart[] = [];
  readonly #entered = new Set<TimedSpan>();

  has(span: TimedSpan): boolean {
    return this.#entered.has(span);
  }

  add(part: PathPart): void {
    if (part.toMs - part.fromMs <= 0) return;
    const after = this.parts.at(-1);
    const isSame = after?.span === part.span && after.kind === part.kind;
    if (isSame && after.fromMs === part.toMs) {
      this.parts[this.parts.length - 1] = { ...after, fromMs: part.fromMs };
    } else this.parts.push(part);
  }

  /** Goes from the cursor back to the span's start; answers where it arrived. */
  within(top: TimedSpan, fromMs: number): number {
    let cursorMs = fromMs;
    const stack: Frame[] = [this.#enter(top)];
    for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
      const { span } = frame;
      const child = this.#nextChild(frame, cursorMs);
      const untilMs = Math.min(cursorMs, Math.max(child?.endMs ?? span.startMs, span.startMs));
      this.add({ span, kind: kindOf(span), fromMs: untilMs, toMs: cursorMs });
      cursorMs = untilMs;
      if (child === undefined) stack.pop();
      else stack.push(this.#enter(child));
    }
    return cursorMs;
  }

  #enter(span: TimedSpan): Frame {
    this.#entered.add(span);
    return { span, next: 0 };
  }

  /** The child that ended last before the cursor, and after the span began. */
  #nextChild(frame: Frame, cursorMs: number): TimedSpan | undefined {
    const { children, startMs, clock } = frame.span;
    for (; frame.next < children.length; frame.next++) {
      const child = children[frame.next];
      if (child === undefined || this.has(child)) continue;
      const toleranceMs = child.clock === clock ? TOLERANCE_MS : TOLERANCE_BETWEEN_CLOCKS_MS;
      if (child.endMs > cursorMs + toleranceMs) continue;
      if (child.endMs <= startMs || child.startMs < startMs - toleranceMs) continue;
      return child;
    }
    return undefined;
  }
}

function kindOf(span: TimedSpan): PathKind {
  const kind = span.record.span?.kind;
  return kind === "client" || kind === "producer" ? "network" : "work";
}
