import { sharedState } from "./shared-state.ts";

/** What went wrong inside our own hooks, by the hook's name: a fixed, small set. */
export type Hook =
  | "http-server"
  | "http-client"
  | "undici-client"
  | "pino-logs"
  | "console-logs"
  | "log-record"
  | "span"
  | "kafka-producer"
  | "kafka-consumer"
  | "context"
  | "outbox"
  | "exporter"
  | "exit-flush"
  | "uncaught-exception"
  | "module-hooks"
  | "http2"
  | "upgrade"
  | "framework"
  | "winston-logs"
  | "bunyan-logs"
  | "otel-logs"
  | "otel-sdk"
  | "redaction"
  | "sampling"
  | "transaction-events"
  | "run-report"
  | "metrics"
  | "health"
  | "breaker"
  | "spool";

export type Signal = "logs" | "traces";

export interface SignalStats {
  /** Records made: the highest sequence number given out in this run. */
  made: number;
  /** Acknowledged by the collector with a 2xx. */
  delivered: number;
  /** Refused by the collector for good: a 4xx, or its partial success. */
  refused: number;
  /** Dropped here: memory was full, the record could not be encoded, or the process ended. */
  dropped: number;
  /** Requests that were sent again. */
  resent: number;
}

export interface InstrumentationStats {
  readonly runId: string;
  /** Our own faults, kept away from the service. */
  readonly faults: Readonly<Partial<Record<Hook, number>>>;
  readonly transactions: {
    /** IDs made here. */
    readonly minted: number;
    /** IDs from outside that were not acceptable and were replaced. */
    readonly rejected: number;
    /** Baggage members that went over a limit of W3C Baggage or could not be read. */
    readonly baggageDropped: number;
    /** Calls of `transaction.step()` and its like outside of any transaction: nothing to mark. */
    readonly outside: number;
    /** Such calls with an argument that means nothing: a deadline of NaN, a step without a name. */
    readonly ignored: number;
  };
  readonly logs: Readonly<SignalStats>;
  readonly traces: Readonly<SignalStats>;
  /** Exporters beside the one that the two above account for, as `otlp-grpc traces`. */
  readonly exporters: Readonly<Record<string, Readonly<SignalStats>>>;
  /** Transactions that lost records here; the first thousand. */
  readonly droppedTransactionIds: readonly string[];
  /** Whether there were more of them. */
  readonly droppedTransactionIdsCut: boolean;
  /** Bytes held until the collector takes them, in memory or on disk. */
  readonly waitingBytes: number;
  /** Records that dead processes left on disk: not made here, so counted apart. */
  readonly spool: Readonly<SpoolStats>;
  readonly lastFault: string | undefined;
}

export interface SpoolStats {
  /** Records found and taken over. */
  adopted: number;
  adoptedDelivered: number;
  /** Of those: refused by the collector, evicted, or not readable any more. */
  adoptedDropped: number;
  /** Bytes on disk that were torn by a kill, or damaged. */
  damagedBytes: number;
}

const DROPPED_TRANSACTION_IDS_MAX = 1000;
const FAULT_CHARACTERS_MAX = 500;

/** The figures of this run. Hot paths add to them directly. */
export const counts = sharedState("counts", () => ({
  runId: "",
  minted: 0,
  rejected: 0,
  baggageDropped: 0,
  outsideTransaction: 0,
  ignoredCalls: 0,
  logs: newSignalStats(),
  traces: newSignalStats(),
  exporters: newExporterStats(),
  waitingBytes: 0,
  spool: newSpoolStats(),
}));

interface Troubles {
  readonly faults: Partial<Record<Hook, number>>;
  readonly droppedTransactionIds: Set<string>;
  droppedTransactionIdsCut: boolean;
  lastFault: string | undefined;
}

const troubles = sharedState<Troubles>("troubles", () => ({
  faults: {},
  droppedTransactionIds: new Set(),
  droppedTransactionIdsCut: false,
  lastFault: undefined,
}));

/** A copy of every counter of this run. */
export function instrumentationStats(): InstrumentationStats {
  return {
    runId: counts.runId,
    faults: { ...troubles.faults },
    transactions: {
      minted: counts.minted,
      rejected: counts.rejected,
      baggageDropped: counts.baggageDropped,
      outside: counts.outsideTransaction,
      ignored: counts.ignoredCalls,
    },
    logs: { ...counts.logs },
    traces: { ...counts.traces },
    exporters: structuredClone(counts.exporters),
    droppedTransactionIds: [...troubles.droppedTransactionIds],
    droppedTransactionIdsCut: troubles.droppedTransactionIdsCut,
    waitingBytes: counts.waitingBytes,
    spool: { ...counts.spool },
    lastFault: troubles.lastFault,
  };
}

/**
 * Wraps one of our hooks: what it throws is counted and goes no further. It never surrounds the
 * user's code, whose errors pass unchanged.
 */
export function guard<A extends unknown[]>(
  hook: Hook,
  body: (...args: A) => void,
): (...args: A) => void {
  return (...args) => {
    try {
      body(...args);
    } catch (error) {
      countFault(hook, error);
    }
  };
}

export function countFault(hook: Hook, error: unknown): void {
  troubles.faults[hook] = (troubles.faults[hook] ?? 0) + 1;
  troubles.lastFault = `${hook}: ${describe(error)}`.slice(0, FAULT_CHARACTERS_MAX);
}

/** Records that will never arrive, and the transactions that are incomplete because of it. */
export function countDropped(signal: Signal, records: number, transactionIds: Iterable<string>) {
  counts[signal].dropped += records;
  const { droppedTransactionIds } = troubles;
  for (const id of transactionIds) {
    if (droppedTransactionIds.size < DROPPED_TRANSACTION_IDS_MAX) droppedTransactionIds.add(id);
    else if (!droppedTransactionIds.has(id)) troubles.droppedTransactionIdsCut = true;
  }
}

export function newSignalStats(): SignalStats {
  return { made: 0, delivered: 0, refused: 0, dropped: 0, resent: 0 };
}

function newSpoolStats(): SpoolStats {
  return { adopted: 0, adoptedDelivered: 0, adoptedDropped: 0, damagedBytes: 0 };
}

function newExporterStats(): Record<string, SignalStats> {
  return {};
}

/** A thrown value may be anything, even something that throws when it is looked at. */
function describe(error: unknown): string {
  try {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  } catch {
    return "an error that cannot be read";
  }
}
