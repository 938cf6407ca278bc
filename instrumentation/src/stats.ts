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
  };
  readonly logs: Readonly<SignalStats>;
  readonly traces: Readonly<SignalStats>;
  /** Transactions that lost records here; the first thousand. */
  readonly droppedTransactionIds: readonly string[];
  /** Bytes held until the collector takes them. */
  readonly waitingBytes: number;
  readonly lastFault: string | undefined;
}

const DROPPED_TRANSACTION_IDS_MAX = 1000;
const FAULT_CHARACTERS_MAX = 500;

/** The figures of this run. Hot paths add to them directly. */
export const counts = {
  runId: "",
  minted: 0,
  rejected: 0,
  baggageDropped: 0,
  logs: newSignalStats(),
  traces: newSignalStats(),
  waitingBytes: 0,
};

const faults: Partial<Record<Hook, number>> = {};
const droppedTransactionIds = new Set<string>();
let lastFault: string | undefined;

/** A copy of every counter of this run. */
export function instrumentationStats(): InstrumentationStats {
  return {
    runId: counts.runId,
    faults: { ...faults },
    transactions: {
      minted: counts.minted,
      rejected: counts.rejected,
      baggageDropped: counts.baggageDropped,
    },
    logs: { ...counts.logs },
    traces: { ...counts.traces },
    droppedTransactionIds: [...droppedTransactionIds],
    waitingBytes: counts.waitingBytes,
    lastFault,
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
  faults[hook] = (faults[hook] ?? 0) + 1;
  lastFault = `${hook}: ${describe(error)}`.slice(0, FAULT_CHARACTERS_MAX);
}

/** Records that will never arrive, and the transactions that are incomplete because of it. */
export function countDropped(signal: Signal, records: number, transactionIds: Iterable<string>) {
  counts[signal].dropped += records;
  for (const id of transactionIds) {
    if (droppedTransactionIds.size >= DROPPED_TRANSACTION_IDS_MAX) return;
    droppedTransactionIds.add(id);
  }
}

function newSignalStats(): SignalStats {
  return { made: 0, delivered: 0, refused: 0, dropped: 0, resent: 0 };
}

/** A thrown value may be anything, even something that throws when it is looked at. */
function describe(error: unknown): string {
  try {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  } catch {
    return "an error that cannot be read";
  }
}
