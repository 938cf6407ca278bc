/**
 * Reads the store in Elasticsearch (reader/). Nothing is kept here but the connection, so that any
 * number of processes may read.
 *
 * Elasticsearch shows what was written only after a refresh. Every query therefore asks for one
 * first, and so keeps the port's promise: what `write` had resolved for is found.
 *
 * Privileges it takes on the streams: `read`, `maintenance` (to refresh), and `monitor` (to follow
 * logs by the numbers of their writing).
 */
import { ClewError } from "../../errors.ts";
import type { RunReport, StoredRecord } from "../../record.ts";
import type { DeadLetterFilter, DeadLetterGroup, StoredDeadLetter } from "../dead-letter.ts";
import { toSummary } from "../embedded/transaction-state.ts";
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
import type { ElasticsearchClient } from "./client.ts";
import { STREAM } from "./document-fields.ts";
import { type AskedLedgers, readLedgers } from "./reader/ledger-list.ts";
import { findDeadLetter, groupDeadLetters, listDeadLetters } from "./reader/letter-list.ts";
import { searchNewestLogs } from "./reader/log-search.ts";
import { followLogs } from "./reader/log-tail.ts";
import { listRunIds, listRuns } from "./reader/run-list.ts";
import { readRunReports } from "./reader/run-reports.ts";
import { SearchClient } from "./reader/search-client.ts";
import { tookTooLong, toSearchError } from "./reader/search-errors.ts";
import { overviewServices } from "./reader/service-overview.ts";
import { SharedRefresh } from "./reader/shared-refresh.ts";
import { countSpanLogs } from "./reader/span-log-counts.ts";
import { allStreams, type StoreStreams } from "./reader/store-streams.ts";
import { listTransactions } from "./reader/transaction-list.ts";
import {
  readSourcedSpans,
  readTraceSpans,
  readTransactionRecords,
} from "./reader/transaction-records.ts";
import { readTransactionStates } from "./reader/transaction-states.ts";

const QUERY_TIME_LIMIT_MS = 5000;

export interface ElasticsearchStoreReaderOptions {
  /** Closed by `stop`. */
  readonly client: ElasticsearchClient;
  readonly streams?: StoreStreams;
  /** A query that takes longer ends with what it has, and says so (`isCut`). */
  readonly queryTimeLimitMs?: number;
  readonly nowMs?: () => number;
  /** Unix time, by which a deadline has passed or not. */
  readonly nowNs?: () => bigint;
}

/** Opens no connection before the first query. */
export function openElasticsearchStoreReader(
  options: ElasticsearchStoreReaderOptions,
): StoreReader {
  return new ElasticsearchStoreReader(options);
}

class ElasticsearchStoreReader implements StoreReader {
  readonly #client: ElasticsearchClient;
  readonly #streams: StoreStreams;
  readonly #limitMs: number;
  readonly #nowMs: () => number;
  readonly #nowNs: () => bigint;
  readonly #refresh: SharedRefresh;
  #stopping: Promise<void> | undefined;

  constructor(options: ElasticsearchStoreReaderOptions) {
    this.#client = options.client;
    this.#streams = options.streams ?? STREAM;
    this.#limitMs = options.queryTimeLimitMs ?? QUERY_TIME_LIMIT_MS;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#nowNs = options.nowNs ?? (() => BigInt(Date.now()) * 1_000_000n);
    this.#refresh = new SharedRefresh(() => this.#searches().refresh(allStreams(this.#streams)));
  }

  async findTransaction(transactionId: string): Promise<TransactionSummary | undefined> {
    if (transactionId === "") return undefined;
    const doing = "find the transaction";
    return this.#query(doing, async (client) => {
      const asked = [transactionId];
      const { states, isCut } = await readTransactionStates(client, this.#streams, asked);
      if (isCut) throw tookTooLong(doing);
      const state = states.get(transactionId);
      return state && toSummary(transactionId, state, this.#nowNs());
    });
  }

  async listTransactions(filter: TransactionFilter): Promise<Page<TransactionSummary>> {
    const parts = { streams: this.#streams, nowNs: this.#nowNs() };
    return this.#query("list transactions", (client) => {
      return listTransactions({ client, ...parts }, filter);
    });
  }

  async transactionRecords(filter: RecordFilter): Promise<Page<StoredRecord>> {
    return this.#query("read the transaction's records", (client) => {
      return readTransactionRecords(client, this.#streams, filter);
    });
  }

  async traceSpans(filter: TraceFilter): Promise<Page<StoredRecord>> {
    return this.#query("read the trace", (client) => {
      return readTraceSpans(client, this.#streams, filter);
    });
  }

  async sourcedSpans(filter: SourceFilter): Promise<Page<StoredRecord>> {
    return this.#query("read what was made from it", (client) => {
      return readSourcedSpans(client, this.#streams, filter);
    });
  }

  async searchLogs(filter: LogFilter): Promise<Page<StoredRecord>> {
    const stream = this.#streams[filter.kind === "span" ? "traces" : "logs"];
    const doing = "search the logs";
    if (filter.order === "newest") {
      return this.#query(doing, (client) => searchNewestLogs(client, stream, filter));
    }
    const refresh = () => this.#refresh.done();
    return this.#queryStale(doing, (client) => followLogs({ client, stream, refresh }, filter));
  }

  async services(window: { fromNs?: bigint; toNs?: bigint }): Promise<readonly ServiceOverview[]> {
    return this.#query("read the services", (client) => {
      return overviewServices({ client, streams: this.#streams, window });
    });
  }

  async runs(filter: RunFilter): Promise<Page<RunReport>> {
    return this.#query("list the runs", (client) => {
      return listRuns({ client, streams: this.#streams }, filter);
    });
  }

  async findRun(runId: string): Promise<RunReport | undefined> {
    const doing = "find the run";
    return this.#query(doing, async (client) => {
      const reports = await readRunReports({ client, streams: this.#streams }, [runId]);
      if (reports === undefined) throw tookTooLong(doing);
      return reports.get(runId);
    });
  }

  async countSpanLogs(transactionId: string) {
    if (transactionId === "") return { items: [], isCut: false };
    return this.#query("count the transaction's logs", (client) => {
      return countSpanLogs({ client, streams: this.#streams }, transactionId);
    });
  }

  async ledgers(asked: AskedLedgers): Promise<readonly RunLedger[]> {
    return this.#query("read the ledgers", (client) => {
      return readLedgers({ client, streams: this.#streams }, asked);
    });
  }

  async listRunIds(filter: RunFilter & { readonly toNs?: bigint }): Promise<Page<string>> {
    return this.#query("list the runs", (client) => {
      return listRunIds({ client, streams: this.#streams }, filter);
    });
  }

  async deadLetters(filter: DeadLetterFilter): Promise<Page<StoredDeadLetter>> {
    const { deadLetters } = this.#streams;
    return this.#query("list dead letters", (client) => {
      return listDeadLetters(client, deadLetters, filter);
    });
  }

  async deadLetterGroups(filter: DeadLetterFilter): Promise<Page<DeadLetterGroup>> {
    const { deadLetters } = this.#streams;
    return this.#query("group dead letters", (client) => {
      return groupDeadLetters(client, deadLetters, filter);
    });
  }

  async findDeadLetter(id: string): Promise<StoredDeadLetter | undefined> {
    return this.#query("find the dead letter", (client) => {
      return findDeadLetter(client, this.#streams.deadLetters, id);
    });
  }

  async check(): Promise<void> {
    await this.#queryStale("read the store", (client) => {
      return client.search({ index: allStreams(this.#streams), body: { size: 0 } });
    });
  }

  async stop(): Promise<void> {
    this.#stopping ??= this.#client.close();
    await this.#stopping;
  }

  /** One under a time limit, that finds all that is written. */
  #query<T>(doing: string, act: (client: SearchClient) => Promise<T>): Promise<T> {
    return this.#queryStale(doing, async (client) => {
      await this.#refresh.done();
      return act(client);
    });
  }

  async #queryStale<T>(doing: string, act: (client: SearchClient) => Promise<T>): Promise<T> {
    if (this.#stopping !== undefined) {
      throw new ClewError("STORE_STOPPED", `cannot ${doing}: the store stopped`);
    }
    try {
      return await act(this.#searches());
    } catch (thrown) {
      throw toSearchError(thrown, doing);
    }
  }

  #searches(): SearchClient {
    return new SearchClient({ client: this.#client, limitMs: this.#limitMs, nowMs: this.#nowMs });
  }
}
