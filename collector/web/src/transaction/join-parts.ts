import type { PathPartView } from "../../../src/query/timing/transaction-timing.ts";

/** Stretches of the same span and kind as one, the longest first: calls cut work into pieces. */
export function joinParts(parts: readonly PathPartView[]): PathPartView[] {
  const joined = new Map<string, PathPartView>();
  for (const part of parts) {
    const key = JSON.stringify([part.kind, part.traceId, part.spanId]);
    const before = joined.get(key);
    const durationMs = (before?.durationMs ?? 0) + part.durationMs;
    joined.set(key, { ...(before ?? part), durationMs });
  }
  return [...joined.values()].toSorted((a, b) => b.durationMs - a.durationMs);
}
