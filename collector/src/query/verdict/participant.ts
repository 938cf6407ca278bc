import type { SpanLogCount } from "../../store/ledger.ts";
import type { SpanFact } from "./span-fact.ts";

/** What one run did in a transaction, as far as it is stored. Times are by the run's own clock. */
export interface Participant {
  readonly runId: string;
  readonly service: string;
  readonly firstNs: bigint;
  readonly lastNs: bigint;
  /** How far its clock is known to be ahead of the collector's, by the receipt of its spans. */
  readonly aheadNs: bigint;
  /** The highest number of its spans. */
  readonly lastSpan: number;
  /** The last of its log records; 0 where it made none. */
  readonly lastLogNs: bigint;
  /** Some of its spans were not sampled: others may be held in memory. */
  readonly holdsSpans: boolean;
}

type Gathered = { -readonly [K in keyof Participant]: Participant[K] };

/** The runs that took part, and the services of records that name no run. */
export function gatherParticipants(
  spans: readonly SpanFact[],
  spanLogs: readonly SpanLogCount[],
): { participants: Map<string, Participant>; uncounted: Set<string> } {
  const participants = new Map<string, Gathered>();
  const uncounted = new Set<string>();
  for (const span of spans) {
    const { runId, service, startNs: firstNs, endNs: lastNs } = span;
    if (runId === "") {
      uncounted.add(service);
      continue;
    }
    const of = gather(participants, { runId, service, firstNs, lastNs });
    of.lastSpan = Math.max(of.lastSpan, span.sequence);
    of.holdsSpans ||= span.isSummary;
    const aheadNs = span.endNs - span.receivedNs;
    if (aheadNs > of.aheadNs) of.aheadNs = aheadNs;
  }
  for (const counted of spanLogs) {
    if (counted.runId === "") {
      uncounted.add(counted.service);
      continue;
    }
    const of = gather(participants, counted);
    if (counted.lastNs > of.lastLogNs) of.lastLogNs = counted.lastNs;
  }
  return { participants, uncounted };
}

function gather(
  participants: Map<string, Gathered>,
  seen: Pick<Participant, "runId" | "service" | "firstNs" | "lastNs">,
): Gathered {
  const { runId, service, firstNs, lastNs } = seen;
  let known = participants.get(runId);
  if (known === undefined) {
    const nothing = { aheadNs: 0n, lastSpan: 0, lastLogNs: 0n, holdsSpans: false };
    known = { runId, service, firstNs, lastNs, ...nothing };
    participants.set(runId, known);
  }
  if (firstNs < known.firstNs) known.firstNs = firstNs;
  if (lastNs > known.lastNs) known.lastNs = lastNs;
  return known;
}
