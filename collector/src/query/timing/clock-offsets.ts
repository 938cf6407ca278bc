/** How far the clocks of services are apart, as far as hops between them show it. */

/**
 * What one hop says: the called side's clock minus the caller's lies between the two bounds,
 * because nothing arrives before it was sent, and an answer is not there before it was given.
 */
export interface ClockPair {
  readonly from: string;
  readonly to: string;
  /** Milliseconds; −Infinity where nothing bounds it. */
  readonly lowMs: number;
  readonly highMs: number;
}

export interface ClockOffset {
  /** Its clock minus the reference's, in milliseconds: to be taken off its times. */
  readonly offsetMs: number;
  /** How far the truth may be from that; null where hops bound it on one side only. */
  readonly uncertaintyMs: number | null;
}

/** Below this a difference is how spans are measured, and not how clocks are set. */
export const SKEW_MIN_MS = 2;

/**
 * Offsets of every clock that hops connect with the reference, which has none. Of the hops between
 * two clocks all must hold at once; where they contradict each other (a clock was set in between)
 * the one that says most counts. Clocks that agree with all hops as they are stay uncorrected.
 */
export function estimateClockOffsets(
  pairs: readonly ClockPair[],
  reference: string,
): ReadonlyMap<string, ClockOffset> {
  const links = [...joinPairs(pairs).values()].toSorted((a, b) => widthOf(a) - widthOf(b));
  const offsets = new Map<string, ClockOffset>([[reference, NONE]]);
  for (let found = nextLink(links, offsets); found !== undefined; ) {
    const { from, to } = found;
    const known = offsets.get(from);
    if (known !== undefined) offsets.set(to, addStep(known, found, 1));
    else offsets.set(from, addStep(offsets.get(to) ?? NONE, found, -1));
    found = nextLink(links, offsets);
  }
  return offsets;
}

const NONE: ClockOffset = { offsetMs: 0, uncertaintyMs: 0 };

/** One bound for each two clocks, whichever of them called. */
function joinPairs(pairs: readonly ClockPair[]): Map<string, ClockPair> {
  const joined = new Map<string, ClockPair>();
  for (const pair of pairs) {
    if (pair.from === pair.to) continue;
    const ordered = pair.from < pair.to ? pair : turned(pair);
    const key = JSON.stringify([ordered.from, ordered.to]);
    const before = joined.get(key);
    joined.set(key, before === undefined ? ordered : narrower(before, ordered));
  }
  return joined;
}

function turned({ from, to, lowMs, highMs }: ClockPair): ClockPair {
  return { from: to, to: from, lowMs: -highMs, highMs: -lowMs };
}

function narrower(a: ClockPair, b: ClockPair): ClockPair {
  const lowMs = Math.max(a.lowMs, b.lowMs);
  const highMs = Math.min(a.highMs, b.highMs);
  if (lowMs <= highMs) return { ...a, lowMs, highMs };
  return widthOf(b) < widthOf(a) ? b : a;
}

/** The most telling one between a clock that is known and one that is not. */
function nextLink(
  links: readonly ClockPair[],
  offsets: ReadonlyMap<string, ClockOffset>,
): ClockPair | undefined {
  return links.find(({ from, to }) => offsets.has(from) !== offsets.has(to));
}

function addStep(known: ClockOffset, link: ClockPair, direction: 1 | -1): ClockOffset {
  const step = differenceOf(link);
  const uncertaintyMs =
    known.uncertaintyMs === null || step.uncertaintyMs === null
      ? null
      : known.uncertaintyMs + step.uncertaintyMs;
  return { offsetMs: known.offsetMs + direction * step.offsetMs, uncertaintyMs };
}

function differenceOf(link: ClockPair): ClockOffset {
  const { lowMs, highMs } = link;
  const width = widthOf(link);
  const uncertaintyMs = Number.isFinite(width) ? width / 2 : null;
  if (lowMs < SKEW_MIN_MS && highMs > -SKEW_MIN_MS) return { offsetMs: 0, uncertaintyMs };
  if (!Number.isFinite(lowMs)) return { offsetMs: highMs, uncertaintyMs };
  if (!Number.isFinite(highMs)) return { offsetMs: lowMs, uncertaintyMs };
  return { offsetMs: (lowMs + highMs) / 2, uncertaintyMs };
}

function widthOf({ lowMs, highMs }: ClockPair): number {
  return highMs - lowMs;
}
