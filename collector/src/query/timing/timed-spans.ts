import { ATTRIBUTE, SEMANTIC } from "@clew/instrumentation/names";
import type { StoredRecord } from "../../record.ts";
import { findRfc3339 } from "../rfc3339.ts";
import type { SpanIndex } from "../span-index.ts";
import { type ClockOffset, type ClockPair, estimateClockOffsets } from "./clock-offsets.ts";

/** A span on the transaction's one time line: milliseconds since its first span began. */
export interface TimedSpan {
  readonly record: StoredRecord;
  /** What the span's times were read from: a host, else a run, an instance or a service. */
  readonly clock: string;
  /** As the service gave it. */
  readonly rawStartMs: number;
  /** By the reference's clock. */
  startMs: number;
  endMs: number;
  parent: TimedSpan | undefined;
  /** Who sent what it works on: the calls it answers, and the messages it links to. */
  readonly callers: TimedSpan[];
  /** Spans within it, and spans that answer it; latest end first. */
  readonly children: TimedSpan[];
}

export interface TimedSpans {
  readonly spans: readonly TimedSpan[];
  readonly offsets: ReadonlyMap<string, ClockOffset>;
}

const NS_PER_MS = 1e6;

/** All spans that have a time, with the differences between their clocks taken off. */
export function timeSpans(records: readonly StoredRecord[], index: SpanIndex): TimedSpans {
  const byRecord = placeSpans(records);
  for (const span of byRecord.values()) connect(span, byRecord, index);
  const spans = [...byRecord.values()].toSorted(byStart);
  const reference = spans.find((span) => span.parent === undefined) ?? spans[0];
  const offsets = estimateClockOffsets(spans.flatMap(pairsOf), reference?.clock ?? "");
  for (const span of spans) {
    const offsetMs = offsets.get(span.clock)?.offsetMs ?? 0;
    span.startMs -= offsetMs;
    span.endMs -= offsetMs;
  }
  for (const span of spans) span.children.sort((a, b) => b.endMs - a.endMs || byStart(a, b));
  return { spans, offsets };
}

/** Of two at the same time always the same one first, in whatever order they came. */
function byStart(a: TimedSpan, b: TimedSpan): number {
  return a.rawStartMs - b.rawStartMs || (a.record.id < b.record.id ? -1 : 1);
}

function placeSpans(records: readonly StoredRecord[]): Map<StoredRecord, TimedSpan> {
  const starts = new Map<StoredRecord, bigint>();
  for (const record of records) {
    const startNs = record.kind === "span" ? findRfc3339(record.time) : undefined;
    if (startNs !== undefined) starts.set(record, startNs);
  }
  let firstNs: bigint | undefined;
  for (const startNs of starts.values()) {
    if (firstNs === undefined || startNs < firstNs) firstNs = startNs;
  }
  const placed = new Map<StoredRecord, TimedSpan>();
  for (const [record, startNs] of starts) {
    const startMs = Number(startNs - (firstNs ?? 0n)) / NS_PER_MS;
    const durationMs = record.span?.durationMs ?? 0;
    const endMs = startMs + (durationMs > 0 ? durationMs : 0);
    const times = { rawStartMs: startMs, startMs, endMs };
    const clock = clockOf(record);
    placed.set(record, { record, clock, ...times, parent: undefined, callers: [], children: [] });
  }
  return placed;
}

function clockOf({ resource, service }: StoredRecord): string {
  for (const name of [SEMANTIC.hostName, ATTRIBUTE.runId, SEMANTIC.serviceInstanceId]) {
    const value = resource[name];
    if (typeof value === "string" && value !== "") return value;
  }
  return service;
}

function connect(
  span: TimedSpan,
  byRecord: ReadonlyMap<StoredRecord, TimedSpan>,
  index: SpanIndex,
): void {
  const parent = index.parentOf(span.record);
  const found = parent === undefined ? undefined : byRecord.get(parent);
  if (found !== undefined && found !== span) span.parent = found;
  const callers = isEntered(span) ? index.callersOf(span.record) : [];
  for (const record of callers) {
    const caller = byRecord.get(record);
    if (caller !== undefined && caller !== span) span.callers.push(caller);
  }
  const within = new Set(span.parent === undefined ? span.callers : [span.parent, ...span.callers]);
  for (const outer of within) outer.children.push(span);
}

export function isEntered({ record }: TimedSpan): boolean {
  return record.span?.kind === "server" || record.span?.kind === "consumer";
}

/**
 * What the hops into this span say of the two clocks. An answered call holds its answer between
 * its start and its end; where the answer took longer than the call, the caller had given up, and
 * only the order of the starts is known, as with messages.
 */
function pairsOf(entered: TimedSpan): ClockPair[] {
  return entered.callers.map((caller) => {
    const highMs = entered.startMs - caller.startMs;
    const isHeld =
      caller.record.span?.kind === "client" &&
      entered.endMs - entered.startMs <= caller.endMs - caller.startMs;
    const lowMs = isHeld ? entered.endMs - caller.endMs : Number.NEGATIVE_INFINITY;
    return { from: caller.clock, to: entered.clock, lowMs, highMs };
  });
}
