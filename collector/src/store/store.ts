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

export interface WriteBatch {
  readonly records: readonly IncomingRecord[];
  /** Next offsets to read once this batch is stored. */
  readonly nextPositions: readonly Position[];
  readonly deadLetters: readonly DeadLetter[];
}

export interface WriteResult {
  readonly created: number;
  readonly existing: number;
  readonly refused: readonly { readonly index: number; readonly reason: string }[];
}

/** A record, or a whole message, the store refused for good. */
export interface DeadLetter {
  readonly id: string;
  readonly receivedNs: bigint;
  /** Where known. */
  readonly transactionId: string;
  readonly service: string;
  /** Bounded set: `undecodable`, `refused`, `too_large`. */
  readonly reason: string;
  readonly detail: string;
  readonly topic: string;
  /** The original bytes: an OTLP export request with this one record, or the message as it was. */
  readonly original: Uint8Array;
}

export interface StoreWriter {
  /** Offset to start from per partition; empty where the store keeps none. */
  positions(): Promise<ReadonlyMap<string, number>>;
  write(batch: WriteBatch): Promise<WriteResult>;
  /** Deletes the days before `firstKeptDay` (`YYYY-MM-DD`, UTC); answers the days deleted. */
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
  /** Words that some record of the transaction holds; as in `LogFilter.query`. */
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
  /** Words and "phrases", all of which the log's text must hold; case and accents do not count. */
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
  /** Undefined where no record, and no dead letter, carries this ID. */
  findTransaction(transactionId: string): Promise<TransactionSummary | undefined>;
  /** Newest start first. */
  listTransactions(filter: TransactionFilter): Promise<Page<TransactionSummary>>;
  /** Oldest first: by time, then by order of writing. */
  transactionRecords(filter: RecordFilter): Promise<Page<StoredRecord>>;
  searchLogs(filter: LogFilter): Promise<Page<StoredRecord>>;
  services(window: { fromNs?: bigint; toNs?: bigint }): Promise<readonly ServiceOverview[]>;
  /** The latest report of each run, those that were seen last first; over the days kept. */
  runs(filter: RunFilter): Promise<Page<RunReport>>;
  /** The latest report of one run; undefined where none is kept. */
  findRun(runId: string): Promise<RunReport | undefined>;
  /** Rejects with the reason while the store cannot be read. */
  check(): Promise<void>;
  stop(): Promise<void>;
}
