/**
 * The store: where records are searched. Embedded (SQLite, one file a day) or Elasticsearch.
 *
 * Promises
 * - `write` resolves after every record of the batch is durable, was already there, or is named in
 *   `refused`; it rejects with a `StoreError` where nothing can be said, and may then be repeated.
 * - A record is stored once per `id`, however often it is written; "already there" is success.
 *   With `mayRepeat` this holds over all days, else within the day of `receivedNs`.
 * - Where the store keeps bus positions, they are committed in the same act as the rows: after a
 *   crash `positions` and rows agree. They are committed only where nothing was refused: the caller
 *   then writes the dead letters and the positions together, so that neither is without the other.
 * - A record that was written is found by every reader after `write` resolved.
 * - Of each run the latest report is kept, from whichever day and in whatever order they came: the
 *   one that says most logs were made, then a final one, then by time. The records of reports are
 *   in no list of logs unless they are asked for, and count in no figures of their service.
 * - Queries are bounded in rows and time, and say when they were cut (`isCut`).
 * - `stop` may be called twice, and is safe before the first call.
 *
 * Errors: STORE_FULL, STORE_UNAVAILABLE, STORE_VERSION_UNKNOWN, STORE_QUERY_INVALID, STORE_STOPPED,
 * and PARAMETER_INVALID for a cursor or day that cannot be read (see errors.ts).
 */
import type { Position } from "../bus/bus.ts";
import type {
  IncomingRecord,
  RecordKind,
  RunReport,
  StoredRecord,
  TransactionStatus,
} from "../record.ts";
import type {
  DeadLetter,
  DeadLetterAct,
  DeadLetterFilter,
  DeadLetterGroup,
  StoredDeadLetter,
} from "./dead-letter.ts";
import type { RunLedger, SpanLogCount } from "./ledger.ts";

export interface WriteBatch {
  readonly records: readonly IncomingRecord[];
  /** Next offsets to read once this batch is stored. */
  readonly nextPositions: readonly Position[];
  readonly deadLetters: readonly DeadLetter[];
  /** What people did with dead letters, in any order; told twice it counts once. */
  readonly deadLetterActs: readonly DeadLetterAct[];
}

export interface WriteResult {
  readonly created: number;
  readonly existing: number;
  readonly refused: readonly RecordRefusal[];
}

/** A record that the store will never take. */
export interface RecordRefusal {
  /** Among the batch's records. */
  readonly index: number;
  /** For a person: what the store said of it. */
  readonly reason: string;
  /** HTTP status of the refusal; null where the store does not speak HTTP. */
  readonly status: number | null;
}

/** Requests of a store that is written over the network: totals since the start, and now. */
export interface WriteFigures {
  readonly requests: number;
  /** Of those that were taken. */
  readonly bytes: number;
  /** Those that were taken in part, or not, or had no answer: what is left is sent again. */
  readonly repeats: number;
  /** Requests that wait for their answer. */
  readonly inFlight: number;
  /** How large the next request is wanted. */
  readonly wantedBytes: number;
}

export interface StoreWriter {
  /** How much one `write` is best given, where the store has more at once under way. */
  readonly batch?: { readonly bytes: number; readonly records: number } | undefined;
  /** Where the store is not in this process. */
  figures?(): WriteFigures;
  /** Offset to start from per partition; empty where the store keeps none. */
  positions(): Promise<ReadonlyMap<string, number>>;
  write(batch: WriteBatch): Promise<WriteResult>;
  /**
   * Deletes the days before `firstKeptDay` (`YYYY-MM-DD`, UTC); answers the days deleted. Where the
   * store's server keeps records for a time of its own (its lifecycle) there is nothing to do.
   */
  expire(firstKeptDay: string): Promise<readonly string[]>;
  stop(): Promise<void>;
}

/** What the store itself can say of a transaction; verdict and hops are the query layer's. */
export interface TransactionSummary {
  readonly transactionId: string;
  readonly startedNs: bigint;
  readonly endedNs: bigint;
  /** Name of the entry span, or empty. */
  readonly operation: string;
  /**
   * What a record stated last, by the record's time (a span states at its end). Without that:
   * failed where the entry span failed; with a deadline running or timed-out, by the store's clock;
   * else completed once the entry span ended.
   */
  readonly status: TransactionStatus;
  /** When the status was stated; null where no record did. */
  readonly statedNs: bigint | null;
  /** The deadline that was set last; null where none was. */
  readonly deadlineNs: bigint | null;
  readonly services: readonly string[];
  readonly logs: number;
  readonly spans: number;
  readonly errors: number;
  /** Its open dead letters: those that were replayed, edited or discarded count no more. */
  readonly deadLetters: number;
  /** Of the logs, those that tell of the transaction itself: steps, deadlines, ends. */
  readonly events: number;
}

export interface TransactionFilter {
  readonly service?: string;
  readonly operation?: string;
  readonly status?: TransactionStatus;
  readonly minDurationMs?: number;
  readonly fromNs?: bigint;
  readonly toNs?: bigint;
  /** Matched by some record of the transaction; as in `LogFilter.query`. */
  readonly query?: string;
  readonly cursor?: string;
  readonly limit: number;
}

export interface RecordFilter {
  readonly transactionId: string;
  readonly kind?: RecordKind;
  /** Only log records that tell of the transaction itself: steps, deadlines, ends. */
  readonly eventsOnly?: boolean;
  readonly service?: string;
  /** Least SeverityNumber; spans pass only where their status is ERROR and this is at most 17. */
  readonly minSeverityNumber?: number;
  readonly cursor?: string;
  readonly limit: number;
}

export interface LogFilter {
  /** Spans in the place of logs; their name is their text, and no severity is asked for. */
  readonly kind?: RecordKind;
  /** A search text (docs/search.md); every store finds what `matches` of query-language says. */
  readonly query?: string;
  readonly service?: string;
  readonly minSeverityNumber?: number;
  readonly fromNs?: bigint;
  readonly toNs?: bigint;
  /** Also the records of run reports, which are left out otherwise. */
  readonly withReports?: boolean;
  readonly cursor?: string;
  readonly limit: number;
  /**
   * `newest` first, by time, for search. `oldest` to follow the tail from `cursor` or `fromNs`: in
   * the order of writing, so that a log that arrives late, with an earlier time, is given as well.
   */
  readonly order: "newest" | "oldest";
}

export interface SourceFilter {
  /** One of `clew.transaction.sources` of the spans. */
  readonly transactionId: string;
  readonly cursor?: string;
  readonly limit: number;
}

export interface TraceFilter {
  /** 32 lower-case hex digits. */
  readonly traceId: string;
  readonly cursor?: string;
  readonly limit: number;
}

export interface RunFilter {
  readonly service?: string;
  /** Runs whose latest report is of this time or later. */
  readonly seenFromNs?: bigint;
  readonly cursor?: string;
  readonly limit: number;
}

export interface Page<T> {
  readonly items: readonly T[];
  /**
   * Opaque; null where nothing follows, or a cut search found no place to go on from. With
   * `order: "oldest"` always given, so that a tail can go on.
   */
  readonly cursor: string | null;
  /** The time limit ended the search before all rows were looked at. */
  readonly isCut: boolean;
}

/** RED figures of server, consumer and entry spans, over the days kept or the window asked for. */
export interface ServiceFigures {
  readonly service: string;
  readonly operation: string;
  readonly count: number;
  readonly errors: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface ServiceOverview {
  readonly service: string;
  readonly logs: number;
  readonly errorLogs: number;
  readonly spans: number;
  /** Of its latest record, a run report included: a service may live and have nothing to do. */
  readonly lastSeenNs: bigint;
  readonly operations: readonly ServiceFigures[];
}

/** Everywhere `fromNs` is inside the window and `toNs` is not. */
export interface StoreReader {
  /**
   * Undefined where no record, and no dead letter in whichever state, carries this ID. Dead letters
   * that went with their day count as records do that went with theirs: not at all.
   */
  findTransaction(transactionId: string): Promise<TransactionSummary | undefined>;
  /** Newest start first. */
  listTransactions(filter: TransactionFilter): Promise<Page<TransactionSummary>>;
  /** Oldest first: by time, then by order of writing. */
  transactionRecords(filter: RecordFilter): Promise<Page<StoredRecord>>;
  searchLogs(filter: LogFilter): Promise<Page<StoredRecord>>;
  /** The spans of a trace, oldest first; of several transactions, where it has them. */
  traceSpans(filter: TraceFilter): Promise<Page<StoredRecord>>;
  /** Spans, of whichever transaction, that say they were made from messages of this one. */
  sourcedSpans(filter: SourceFilter): Promise<Page<StoredRecord>>;
  services(window: { fromNs?: bigint; toNs?: bigint }): Promise<readonly ServiceOverview[]>;
  /** The latest report of each run, those that were seen last first; over the days kept. */
  runs(filter: RunFilter): Promise<Page<RunReport>>;
  /** The latest report of one run; undefined where none is kept. */
  findRun(runId: string): Promise<RunReport | undefined>;
  /** By run and span; `isCut` where there are more than the store adds up. */
  countSpanLogs(transactionId: string): Promise<{
    readonly items: readonly SpanLogCount[];
    readonly isCut: boolean;
  }>;
  /** Those of the runs that are known; gaps only as far as they touch the window. */
  ledgers(asked: {
    readonly runIds: readonly string[];
    readonly fromNs?: bigint;
    readonly toNs?: bigint;
  }): Promise<readonly RunLedger[]>;
  /** Runs with records or reports in the window, those that were seen last first. */
  listRunIds(filter: RunFilter & { readonly toNs?: bigint }): Promise<Page<string>>;
  /** Refused last first; `original` is left empty, and `edited` of the acts null. */
  deadLetters(filter: DeadLetterFilter): Promise<Page<StoredDeadLetter>>;
  /** The largest groups first, at most `limit`. */
  deadLetterGroups(filter: DeadLetterFilter): Promise<Page<DeadLetterGroup>>;
  /** With its original bytes; undefined where none has this id. */
  findDeadLetter(id: string): Promise<StoredDeadLetter | undefined>;
  /** Rejects with the reason while the store cannot be read. */
  check(): Promise<void>;
  stop(): Promise<void>;
}
