/** Ledgers of runs, put together from what Elasticsearch counts of their numbers. */
import { REPORT } from "@clew/instrumentation/names";
import { ClewError } from "../../../errors.ts";
import type { RunReport } from "../../../record.ts";
import { LEDGER_RUNS_MAX, type RunLedger, type SignalLedger } from "../../ledger.ts";
import {
  figureOf,
  type NumberRange,
  type SignalFacts,
  toSignalLedger,
  withoutGaps,
} from "../../signal-ledger.ts";
import { FIELD } from "../document-fields.ts";
import { type DeadNumbers, readDeadNumbers } from "./dead-numbers.ts";
import { type Expiry, readExpiry } from "./ledger-expiry.ts";
import { KINDS, type Kind, NO_NUMBERS, type RunSums, readRunSums } from "./ledger-sums.ts";
import { isWhole, type Stretch, scanNumbers } from "./number-scan.ts";
import { type NumberTimes, numberKey, readNumberTimes } from "./number-times.ts";
import { isTerm } from "./record-clauses.ts";
import { readRunReports } from "./run-reports.ts";
import { readExactSights, type Sight } from "./run-sights.ts";
import type { SearchClient } from "./search-client.ts";
import { tookTooLong } from "./search-errors.ts";
import { recordsIndex, type StoreStreams } from "./store-streams.ts";

export interface AskedLedgers {
  readonly runIds: readonly string[];
  readonly fromNs?: bigint;
  readonly toNs?: bigint;
}

interface Parts {
  readonly client: SearchClient;
  readonly streams: StoreStreams;
}

const DOING = "read the ledgers";
const FIGURES = {
  log: { emitted: REPORT.logsEmitted, dropped: REPORT.logsDropped },
  span: { emitted: REPORT.spansEmitted, dropped: REPORT.spansDropped },
} as const;

export async function readLedgers(parts: Parts, asked: AskedLedgers): Promise<RunLedger[]> {
  const runIds = [...new Set(asked.runIds)].filter((runId) => runId !== "");
  if (runIds.length > LEDGER_RUNS_MAX) {
    const why = `${runIds.length} runs are more than ${LEDGER_RUNS_MAX}`;
    throw new ClewError("PARAMETER_INVALID", `cannot ${DOING}: ${why}`);
  }
  if (runIds.length === 0) return [];
  const [sums, reports, dead, expiry] = await Promise.all([
    readRunSums(parts, runIds).then(inTime),
    readRunReports(parts, runIds).then(inTime),
    readDeadNumbers(parts, runIds).then(inTime),
    readExpiry(parts, runIds).then(inTime),
  ]);
  const stretches = await scanRuns(parts, sums);
  const [times, sights] = await Promise.all([
    readNumberTimes(parts.client, recordsIndex(parts.streams), boundsOf(stretches)).then(inTime),
    readExactSights(parts, sums).then(inTime),
  ]);
  return runIds
    .filter((runId) => sums.has(runId) || dead.has(runId))
    .map((runId) => {
      const facts = { sums: sums.get(runId), sight: sights.get(runId), dead: dead.get(runId) };
      const report = reports.get(runId) ?? null;
      return toLedger({ ...facts, runId, report, stretches, times, expiry, asked });
    });
}

function inTime<T>(found: T | undefined): T {
  if (found === undefined) throw tookTooLong(DOING);
  return found;
}

/** By run and kind, what is stored; undefined where there are too many gaps. */
type Stretches = ReadonlyMap<string, OfRun>;

interface OfRun {
  readonly runId: string;
  readonly kind: Kind;
  readonly stretches: readonly Stretch[] | undefined;
}

async function scanRuns(
  { client, streams }: Parts,
  sums: ReadonlyMap<string, RunSums>,
): Promise<Stretches> {
  const found = new Map<string, OfRun>();
  for (const [runId, of] of sums) {
    for (const kind of KINDS) {
      const numbers = of[kind];
      if (numbers.records === 0) continue;
      const index = kind === "log" ? streams.logs : streams.traces;
      const scan = { client, index, filter: [isTerm(FIELD.runId, runId)] };
      const stretches = isWhole(numbers, numbers.totals)
        ? [numbers]
        : await scanNumbers(scan, numbers);
      found.set(stretchesKey(runId, kind), { runId, kind, stretches });
    }
  }
  return found;
}

function stretchesKey(runId: string, kind: Kind): string {
  return `${kind} ${runId}`;
}

/** The numbers at whose times gaps begin and end. */
function boundsOf(stretches: Stretches) {
  return [...stretches.values()].map(({ runId, kind, stretches = [] }) => {
    return { runId, kind, numbers: stretches.flatMap(({ first, last }) => [first, last]) };
  });
}

interface RunFacts {
  readonly runId: string;
  /** Undefined, as the next, where nothing but dead letters is known of it. */
  readonly sums: RunSums | undefined;
  readonly sight: Sight | undefined;
  readonly report: RunReport | null;
  readonly dead: DeadNumbers | undefined;
  readonly stretches: Stretches;
  readonly times: NumberTimes;
  readonly expiry: Expiry;
  readonly asked: AskedLedgers;
}

function toLedger(facts: RunFacts): RunLedger {
  const { runId, sums, report, dead } = facts;
  return {
    runId,
    service: report?.service ?? sums?.service ?? dead?.service ?? "",
    report,
    ...seenOf(facts),
    logs: toSignal("log", facts),
    spans: toSignal("span", facts),
  };
}

/** By its records, and by the receipt of its dead letters. */
function seenOf({ sight, dead }: RunFacts): Sight {
  const firsts = [sight?.firstSeenNs, dead?.firstNs].filter((time) => time !== undefined);
  const lasts = [sight?.lastSeenNs, dead?.lastNs].filter((time) => time !== undefined);
  return {
    firstSeenNs: firsts.toSorted((a, b) => (a < b ? -1 : 1))[0] ?? 0n,
    lastSeenNs: lasts.toSorted((a, b) => (a > b ? -1 : 1))[0] ?? 0n,
  };
}

function toSignal(kind: Kind, facts: RunFacts): SignalLedger {
  const { runId, sums, report, dead, asked } = facts;
  const numbers = sums?.[kind] ?? NO_NUMBERS;
  const letters = dead?.[kind];
  const deadLettered = letters?.ranges ?? [];
  const stored = numbers.records === 0 ? [] : storedRanges(runId, kind, facts);
  const { lastSeenNs } = seenOf(facts);
  const reportedNs = report?.lastSeenNs ?? 0n;
  const known: SignalFacts = {
    stored: stored ?? [],
    deadLettered,
    reported: figureOf(report, FIGURES[kind].emitted),
    dropped: figureOf(report, FIGURES[kind].dropped),
    seen: Math.max(numbers.last, deadLettered.at(-1)?.last ?? 0),
    ...{ expiredTo: expiredTo(kind, facts), expiredBeforeNs: 0n },
    lastSeenNs: reportedNs > lastSeenNs ? reportedNs : lastSeenNs,
    window: asked,
  };
  if (stored !== undefined && letters?.isCut !== true) return toSignalLedger(known);
  return withoutGaps(known, { stored: numbers.records, dead: letters?.letters ?? 0 });
}

/** Undefined where they are too many to be told apart. */
function storedRanges(
  runId: string,
  kind: Kind,
  { stretches, times }: RunFacts,
): readonly NumberRange[] | undefined {
  const timeOf = (number: number) => times.get(numberKey(runId, kind, number)) ?? 0n;
  return stretches.get(stretchesKey(runId, kind))?.stretches?.map(({ first, last }) => {
    return { first, last, firstNs: timeOf(first), lastNs: timeOf(last) };
  });
}

/**
 * A run of which nothing was received around then came later, and had no part in what is gone. Of
 * one that does not report nobody knows.
 */
function expiredTo(kind: Kind, { runId, sums, report, expiry }: RunFacts): number {
  if (expiry.untilNs === 0n || sums === undefined) return 0;
  const highest = expiry.log.get(runId) ?? expiry.span.get(runId);
  const isNew = report !== null && highest === undefined;
  return isNew ? 0 : Math.max(expiry[kind].get(runId) ?? 0, sums[kind].first - 1);
}
