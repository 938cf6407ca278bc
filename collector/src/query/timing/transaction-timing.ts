import type { StoredRecord } from "../../record.ts";
import { findRfc3339, formatRfc3339 } from "../rfc3339.ts";
import { SpanIndex } from "../span-index.ts";
import { findCriticalPath, type PathKind, type PathPart } from "./critical-path.ts";
import { type TimedSpan, timeSpans } from "./timed-spans.ts";

/** Longer paths keep their longest parts; a person looks for those. */
export const PATH_PARTS_MAX = 200;
const NS_PER_MS = 1e6;

/** One stretch of the critical path, as `GET /transactions/{id}` gives it. */
export interface PathPartView {
  readonly kind: PathKind;
  readonly service: string;
  /** Of the span that the time was spent in or, `queue` and `wait`, that waited. */
  readonly operation: string;
  /** By the clock of the transaction's first span. */
  readonly startedAt: string;
  readonly durationMs: number;
  readonly traceId: string | null;
  readonly spanId: string | null;
}

/** A clock that differs from that of the transaction's first span. */
export interface ClockView {
  readonly services: readonly string[];
  /** Host, run or instance whose clock it is. */
  readonly clock: string;
  /** How far it is ahead: taken off its times for the critical path, never off `startedAt`. */
  readonly offsetMs: number;
  /** Null where hops bound it on one side only. */
  readonly uncertaintyMs: number | null;
}

export interface TransactionTiming {
  readonly criticalPath: readonly PathPartView[];
  /** What the critical path's time went into, in milliseconds. */
  readonly pathMs: Readonly<Record<PathKind, number>>;
  readonly clocks: readonly ClockView[];
  /** The path has more parts than are shown; `pathMs` counts them all. */
  readonly isCut: boolean;
}

/** Where the transaction's time went, from its spans in any order. */
export function timeTransaction(
  records: readonly StoredRecord[],
  index = new SpanIndex(records),
): TransactionTiming {
  const { spans, offsets } = timeSpans(records, index);
  const path = findCriticalPath(spans);
  const pathMs: Record<PathKind, number> = { work: 0, network: 0, queue: 0, wait: 0 };
  for (const { kind, fromMs, toMs } of path) pathMs[kind] += toMs - fromMs;
  const baseNs = baseOf(spans[0]);
  const clocks = [...offsets]
    .filter(([, { offsetMs }]) => offsetMs !== 0)
    .map(([clock, offset]) => ({ clock, ...rounded(offset), services: servicesOf(spans, clock) }));
  const shown = longest(path);
  return {
    criticalPath: shown.map((part) => viewPart(part, baseNs)),
    pathMs: {
      ...{ work: round(pathMs.work), network: round(pathMs.network) },
      ...{ queue: round(pathMs.queue), wait: round(pathMs.wait) },
    },
    clocks,
    isCut: shown.length < path.length,
  };
}

function longest(path: readonly PathPart[]): readonly PathPart[] {
  if (path.length <= PATH_PARTS_MAX) return path;
  const byLength = path.toSorted((a, b) => b.toMs - b.fromMs - (a.toMs - a.fromMs));
  const kept = new Set(byLength.slice(0, PATH_PARTS_MAX));
  return path.filter((part) => kept.has(part));
}

function viewPart({ span, kind, fromMs, toMs }: PathPart, baseNs: bigint): PathPartView {
  const { record } = span;
  return {
    kind,
    service: record.service,
    operation: record.message,
    startedAt: formatRfc3339(baseNs + BigInt(Math.round(fromMs * NS_PER_MS))),
    durationMs: round(toMs - fromMs),
    traceId: record.traceId,
    spanId: record.spanId,
  };
}

/** Unix time of the time line's zero. */
function baseOf(first: TimedSpan | undefined): bigint {
  if (first === undefined) return 0n;
  const startNs = findRfc3339(first.record.time) ?? 0n;
  return startNs - BigInt(Math.round(first.rawStartMs * NS_PER_MS));
}

function servicesOf(spans: readonly TimedSpan[], clock: string): string[] {
  const there = spans.filter((span) => span.clock === clock);
  return [...new Set(there.map(({ record }) => record.service))].toSorted();
}

function rounded(offset: { offsetMs: number; uncertaintyMs: number | null }) {
  const { offsetMs, uncertaintyMs } = offset;
  return {
    offsetMs: round(offsetMs),
    uncertaintyMs: uncertaintyMs === null ? null : round(uncertaintyMs),
  };
}

/** To the microsecond: sums of differences have tails that say nothing. */
function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
