/**
 * The ledger: what runs say they made, against what is stored of it. A run numbers its log records
 * and its spans, each from 1 on, and reports the highest numbers every five seconds and at its end,
 * so that what is missing can be told from what was never made. From it verdicts are made.
 */
import type { RunReport } from "../record.ts";

/** No run gets so far: what is said to be higher is none of our numbers. */
export const SEQUENCE_MAX = 999_999_999_999_999;
/** Gaps listed of one signal of one run. */
export const GAPS_MAX = 100;
/** Runs that `ledgers` can be asked for at once. */
export const LEDGER_RUNS_MAX = 256;
/** Runs and spans that `countSpanLogs` tells apart. */
export const SPAN_LOG_COUNTS_MAX = 10_000;

/** Log records of one transaction that one run made under one span, or under none. */
export interface SpanLogCount {
  /** `clew.run.id` of the resource; empty where the service reports nothing. */
  readonly runId: string;
  readonly service: string;
  /** Empty where they were made under no span. */
  readonly traceId: string;
  readonly spanId: string;
  /**
   * Those that `clew.span.logs` counts: fewer than that number means that some are missing. More
   * are no fault: a part of a service that bundles this package twice counts for itself.
   */
  readonly logs: number;
  /** Those with `clew.log.after_span`; they count to the run alone. */
  readonly lateLogs: number;
  /** By the records' own times; Elasticsearch knows their milliseconds only, rounded down. */
  readonly firstNs: bigint;
  readonly lastNs: bigint;
}

/** Numbers that a run gave out in a row, and of which no record is stored. Both ends inside. */
export interface SequenceGap {
  readonly first: number;
  readonly last: number;
  /**
   * Between which times they were given out: `numberedNs` of the two stored records around them,
   * the earlier and the later, by the run's clock. 0 at the run's start. A span is numbered up to
   * `SPAN_HELD_MS_MAX` after its end, so a missing one may have ended so long before; and where a
   * clock was set back meanwhile, the records may lie outside.
   */
  readonly fromNs: bigint;
  /** At the end that of the latest report, or of the run's latest record where that is later. */
  readonly toNs: bigint;
  /** How many of them lie among the dead letters, whatever was done with those. */
  readonly deadLettered: number;
}

/**
 * What is known of the numbers that a run gave out for one signal. Each number counts once, however
 * many records carry it: emitted = stored + deadLettered + missing + expired, over the whole run
 * and whatever the window.
 */
export interface SignalLedger {
  /** The highest number reported or seen, or 0. What was made after it nobody knows of yet. */
  readonly emitted: number;
  /** A record with that number is stored. */
  readonly stored: number;
  /** None is, but it is among the dead letters, whatever was done with those. */
  readonly deadLettered: number;
  /** Neither is, and the store would still keep it: on its way, dropped at the source, or lost. */
  readonly missing: number;
  /** Neither is, and it is of a time, or a version of the store, of which nothing is known. */
  readonly expired: number;
  /** Until when the expired ones were made, by the run's clock; 0 where there are none. */
  readonly expiredToNs: bigint;
  /** What the run itself says it had to drop, or what was refused for good: part of `missing`. */
  readonly dropped: number;
  /** Those that touch the window asked for, in order of their numbers; at most `GAPS_MAX`. */
  readonly gaps: readonly SequenceGap[];
  /**
   * There are more gaps than are listed, or more than the store looks through. Then the figures may
   * count a number twice that two days hold, or a day and the dead letters, and tell of too few
   * missing.
   */
  readonly isCut: boolean;
}

export interface RunLedger {
  readonly runId: string;
  /** The report's; without one, that of some record of the run. */
  readonly service: string;
  /** The latest; null where none was stored, of a run that is only known from its records. */
  readonly report: RunReport | null;
  /** Of every record that is stored of the run: when they got their numbers (`numberedNs`). */
  readonly firstSeenNs: bigint;
  readonly lastSeenNs: bigint;
  readonly logs: SignalLedger;
  readonly spans: SignalLedger;
}
