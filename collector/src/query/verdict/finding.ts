import { formatRfc3339 } from "../rfc3339.ts";

/** What kind of thing a finding is about: a fixed, small set, for programs to tell them apart. */
export type FindingKind =
  /** Log records of a span. */
  | "logs"
  /** A span that another record names: `GET` tells which by `spanId`. */
  | "span"
  /** A message that nobody consumed. */
  | "message"
  /** A call without an answer that is known. */
  | "hop"
  | "dead-letter"
  /** Records that a run itself says it had to drop. */
  | "dropped"
  /** Numbers that a run gave out and of which no record is stored. */
  | "gap"
  /** A participant that does not say how much it made. */
  | "participant"
  /** A run that ended, or went silent, without telling its last numbers. */
  | "run"
  /** The transaction itself, its status or its size. */
  | "transaction"
  | "bus";

/** Something that is missing, in doubt or waited for, as the API gives it. */
export interface Finding {
  readonly what: FindingKind;
  /** A sentence for a person. */
  readonly text: string;
  /** Where: null where it is not known. */
  readonly service: string | null;
  readonly runId: string | null;
  readonly traceId: string | null;
  readonly spanId: string | null;
  /** How many records; null where nobody knows. */
  readonly count: number | null;
  /** RFC 3339; since when it is known, or from when on a gap is. */
  readonly since: string | null;
  /** RFC 3339; the end of a gap. */
  readonly until: string | null;
}

/** `missing` is certain, `doubt` is possible, `waiting` may still come. */
export type FindingLevel = "missing" | "doubt" | "waiting";

export interface LeveledFinding extends Finding {
  readonly level: FindingLevel;
}

export interface FoundAt {
  readonly level: FindingLevel;
  readonly what: FindingKind;
  readonly text: string;
  readonly service?: string;
  readonly runId?: string;
  readonly traceId?: string | null;
  readonly spanId?: string | null;
  readonly count?: number;
  readonly sinceNs?: bigint;
  readonly untilNs?: bigint;
}

/** A finding with null for all that it does not say; empty names say nothing either. */
export function finding(found: FoundAt): LeveledFinding {
  const { level, what, text, count } = found;
  return {
    ...{ level, what, text },
    service: found.service || null,
    runId: found.runId || null,
    traceId: found.traceId || null,
    spanId: found.spanId || null,
    count: count ?? null,
    since: timeOf(found.sinceNs),
    until: timeOf(found.untilNs),
  };
}

/** 0 stands for a time that nobody knows: the begin of a run whose first records are missing. */
function timeOf(ns: bigint | undefined): string | null {
  return ns === undefined || ns <= 0n ? null : formatRfc3339(ns);
}

/** `1 log record`, `2 log records`. */
export function amount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
