/** Reads the embedded store: read-only connections to its day files, their answers merged. */
import { ClewError } from "../../errors.ts";
import type { RunReport, StoredRecord } from "../../record.ts";
import type { DeadLetterFilter, DeadLetterGroup, StoredDeadLetter } from "../dead-letter.ts";
import type { RunLedger } from "../ledger.ts";
import type {
  LogFilter,
  Page,
  RecordFilter,
  RunFilter,
  ServiceOverview,
  SourceFilter,
  StoreReader,
  TraceFilter,
  TransactionFilter,
  TransactionSummary,
} from "../store.ts";
import { type DayReader, DayReaders } from "./day-reader.ts";
import { findDeadLetter, groupDeadLetters, listDeadLetters } from "./dead-letter-list.ts";
import { type AskedLedgers, readLedgers } from "./ledger-list.ts";
import { searchNewestLogs } from "./log-search.ts";
import { followLogs } from "./log-tail.ts";
import { Deadline } from "./record-page.ts";
import { findRun, listRunIds, listRuns, type RunIdFilter } from "./run-list.ts";
import { overviewServices } from "./service-overview.ts";
import { readSourced } from "./source-table.ts";
import { countSpanLogs } from "./span-log-counts.ts";
import { toStoreError } from "./sqlite-errors.ts";
import { readTrace } from "./trace-timeline.ts";
import { findTransaction, listTransactions } from "./transaction-list.ts";
import { readTimeline } from "./transaction-timeline.ts";

const QUERY_TIME_LIMIT_MS = 5000;

export interface EmbeddedStoreReaderOptions {
  readonly dir: string;
  /** A query that takes longer ends with what it has, and says so (`isCut`). */
  readonly queryTimeLimitMs?: number;
  readonly nowMs?: () => number;
  /** Unix time, by which a deadline has passed or not. */
  readonly nowNs?: () => bigint;
}

/**
 * Opens what a writer keeps in `dir`; files are opened at the first query. Every call works
 * synchronously, so it belongs in a thread of its own.
 */
export function openEmbeddedStoreReader(options: EmbeddedStoreReaderOptions): StoreReader {
  return new EmbeddedStoreReader(options);
}

class EmbeddedStoreReader implements StoreReader {
  private readonly dir: string;
  private readonly days: DayReaders;
  private readonly limitMs: number;
  private readonly nowMs: () => number;
  private readonly nowNs: () => bigint;
  private isStopped = false;

  constructor(options: EmbeddedStoreReaderOptions) {
    this.dir = options.dir;
    this.days = new DayReaders(options.dir);
    this.limitMs = options.queryTimeLimitMs ?? QUERY_TIME_LIMIT_MS;
    this.nowMs = options.nowMs ?? (() => performance.now());
    this.nowNs = options.nowNs ?? (() => BigInt(Date.now()) * 1_000_000n);
  }

  async findTransaction(transactionId: string): Promise<TransactionSummary | undefined> {
    const asked = { transactionId, nowNs: this.nowNs() };
    return this.query("find the transaction", (days) => findTransaction(days, asked));
  }

  async listTransactions(filter: TransactionFilter): Promise<Page<TransactionSummary>> {
    return this.query("list transactions", (days, deadline) =>
      listTransactions(days, filter, { deadline, nowNs: this.nowNs() }),
    );
  }

  async transactionRecords(filter: RecordFilter): Promise<Page<StoredRecord>> {
    return this.query("read the transaction's records", (days, deadline) =>
      readTimeline(days, filter, deadline),
    );
  }

  async searchLogs(filter: LogFilter): Promise<Page<StoredRecord>> {
    const search = filter.order === "newest" ? searchNewestLogs : followLogs;
    return this.query("search the logs", (days, deadline) => search(days, filter, deadline));
  }

  async traceSpans(filter: TraceFilter): Promise<Page<StoredRecord>> {
    return this.query("read the trace", (days, deadline) => readTrace(days, filter, deadline));
  }

  async sourcedSpans(filter: SourceFilter): Promise<Page<StoredRecord>> {
    return this.query("read what was made from it", (days, deadline) =>
      readSourced(days, filter, deadline),
    );
  }

  async services(window: { fromNs?: bigint; toNs?: bigint }): Promise<readonly ServiceOverview[]> {
    return this.query("read the services", (days, deadline) =>
      overviewServices(days, window, deadline),
    );
  }

  async runs(filter: RunFilter): Promise<Page<RunReport>> {
    return this.query("list the runs", (days, deadline) => listRuns(days, filter, deadline));
  }

  async findRun(runId: string): Promise<RunReport | undefined> {
    return this.query("find the run", (days) => findRun(days, runId));
  }

  async countSpanLogs(transactionId: string) {
    return this.query("count the logs of spans", (days) => countSpanLogs(days, transactionId));
  }

  async ledgers(asked: AskedLedgers): Promise<readonly RunLedger[]> {
    return this.query("read the ledgers", (days, deadline) => readLedgers(days, asked, deadline));
  }

  async listRunIds(filter: RunIdFilter): Promise<Page<string>> {
    return this.query("list the runs", (days, deadline) => listRunIds(days, filter, deadline));
  }

  async deadLetters(filter: DeadLetterFilter): Promise<Page<StoredDeadLetter>> {
    return this.query("list the dead letters", (days, deadline) =>
      listDeadLetters(days, filter, deadline),
    );
  }

  async deadLetterGroups(filter: DeadLetterFilter): Promise<Page<DeadLetterGroup>> {
    return this.query("group the dead letters", (days, deadline) =>
      groupDeadLetters(days, filter, deadline),
    );
  }

  async findDeadLetter(id: string): Promise<StoredDeadLetter | undefined> {
    return this.query("find the dead letter", (days) => findDeadLetter(days, id));
  }

  async check(): Promise<void> {
    this.query("read the store", (days) => days.at(-1)?.findServiceKey(""));
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.days.close();
  }

  private query<T>(doing: string, act: (days: DayReader[], deadline: Deadline) => T): T {
    if (this.isStopped) throw new ClewError("STORE_STOPPED", `cannot ${doing}: the store stopped`);
    const deadline = new Deadline({ limitMs: this.limitMs, nowMs: this.nowMs });
    try {
      return act(this.days.current(), deadline);
    } catch (thrown) {
      // Connections that failed are not used again.
      if (!(thrown instanceof ClewError)) this.days.close();
      throw toStoreError(thrown, { doing, dir: this.dir });
    }
  }
}
