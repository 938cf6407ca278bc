/** What of each run's records is stored, as the query API tells it (docs/api.md). */
import type { BusLag } from "../bus/bus.ts";
import type { RunLedger, SequenceGap, SignalLedger } from "../store/ledger.ts";
import { formatRfc3339 } from "./rfc3339.ts";

export interface ShownGap {
  readonly first: number;
  readonly last: number;
  /** Null at the run's start. */
  readonly from: string | null;
  readonly to: string;
  readonly deadLettered: number;
}

/** Sums of one signal: emitted = stored + deadLettered + missing + expired. */
export interface ShownSums {
  readonly emitted: number;
  readonly stored: number;
  /** Of the missing, so many at most; null where the bus cannot be asked. */
  readonly inBus: number | null;
  readonly deadLettered: number;
  readonly droppedAtSource: number;
  readonly missing: number;
  readonly expired: number;
}

export interface ShownSignal extends ShownSums {
  readonly gaps: readonly ShownGap[];
  readonly isCut: boolean;
}

export interface ShownRun {
  readonly runId: string;
  readonly service: string;
  readonly instanceId: string | null;
  readonly firstSeenAt: string;
  readonly lastSeenAt: string;
  /** Null where no report of the run is stored. */
  readonly isFinal: boolean | null;
  readonly logs: ShownSignal;
  readonly spans: ShownSignal;
}

export function showRun(ledger: RunLedger, busLag: BusLag | null): ShownRun {
  const { runId, service, report } = ledger;
  return {
    ...{ runId, service, instanceId: report?.instanceId ?? null },
    firstSeenAt: formatRfc3339(ledger.firstSeenNs),
    lastSeenAt: formatRfc3339(ledger.lastSeenNs),
    isFinal: report?.isFinal ?? null,
    logs: showSignal(ledger.logs, busLag),
    spans: showSignal(ledger.spans, busLag),
  };
}

/** Over several runs; what is in the bus is there once, whosever it is. */
export function sumUp(
  signals: readonly SignalLedger[],
  busLag: BusLag | null,
): ShownSums & { readonly isCut: boolean } {
  const sum = (read: (signal: SignalLedger) => number) =>
    signals.reduce((total, signal) => total + read(signal), 0);
  const missing = sum((signal) => signal.missing);
  return {
    emitted: sum((signal) => signal.emitted),
    stored: sum((signal) => signal.stored),
    inBus: inBusOf(missing, busLag),
    deadLettered: sum((signal) => signal.deadLettered),
    droppedAtSource: sum((signal) => signal.dropped),
    missing,
    expired: sum((signal) => signal.expired),
    isCut: signals.some((signal) => signal.isCut),
  };
}

function showSignal(signal: SignalLedger, busLag: BusLag | null): ShownSignal {
  return { ...sumUp([signal], busLag), gaps: signal.gaps.map(showGap) };
}

/** Whose records wait in the bus nobody knows before they are read. */
function inBusOf(missing: number, busLag: BusLag | null): number | null {
  if (busLag === null) return null;
  const isEmpty = busLag.messages === 0 && busLag.records === 0;
  // Of a message it may not be known yet how many records it has.
  const waiting = Math.max(busLag.records, busLag.messages);
  return isEmpty ? 0 : Math.min(missing, waiting);
}

function showGap({ first, last, fromNs, toNs, deadLettered }: SequenceGap): ShownGap {
  const from = fromNs === 0n ? null : formatRfc3339(fromNs);
  return { first, last, from, to: formatRfc3339(toNs), deadLettered };
}
