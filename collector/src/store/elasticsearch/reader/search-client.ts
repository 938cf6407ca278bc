import { setTimeout as delay } from "node:timers/promises";
import type { estypes } from "@elastic/elasticsearch";
import type { ElasticsearchClient } from "../client.ts";
import { FailedSearch, MissingShards } from "./search-errors.ts";

export type QueryClause = estypes.QueryDslQueryContainer;
/** As Elasticsearch takes it; the client's own type of it refuses most of what is right. */
export type Aggregation = Readonly<Record<string, unknown>>;
export type SearchBody = Omit<estypes.SearchSearchRequestBody, "aggs" | "aggregations"> & {
  readonly aggs?: Readonly<Record<string, Aggregation>>;
};
type Shards = Pick<estypes.ShardStatistics, "total" | "successful">;

export interface Search {
  /** Data streams or indices, separated by commas. */
  readonly index: string;
  /** Which shards, where not all are asked. */
  readonly preference?: string;
  readonly body: SearchBody;
}

export interface Hit<Source> {
  readonly id: string;
  /** The backing index. */
  readonly index: string;
  /** Undefined only where the search asked for none. */
  readonly source: Source;
  readonly sort: readonly (string | number)[];
  /** What `docvalue_fields` asked for. */
  readonly fields: Fields;
  /** Names of the clauses that have one, and that it matches. */
  readonly matched: readonly string[];
}

export type Fields = Readonly<Record<string, readonly (string | number)[]>>;

export interface Found<Source, Aggregates> {
  readonly hits: readonly Hit<Source>[];
  /** Undefined where nothing is stored yet. */
  readonly aggregates: Aggregates | undefined;
  /** The time limit ended it: hits and aggregates are of a part of the records. */
  readonly isCut: boolean;
}

export interface SearchClientOptions {
  readonly client: ElasticsearchClient;
  /** Of one query, however many searches it takes. */
  readonly limitMs: number;
  readonly nowMs: () => number;
}

/** Elasticsearch ends a search at our limit; one that it cannot end is given up so much later. */
const GRACE_MS = 10_000;
/** What is begun when the time is nearly over is not in vain. */
const TIMEOUT_MS_MIN = 2000;
const TIMEOUT_STEP_MS = 500;
/** A larger answer is not read: who asked must ask for less. */
const ANSWER_BYTES_MAX = 32 * 1024 * 1024;
const SHARD_WAIT_MS = 200;
const SHARD_WAITS_MAX = 10;
/** Another node is asked where one does not answer. */
const RETRIES_MAX = 1;
/** Each time that is added up comes as a text too: a quarter of a large answer. */
const WITHOUT_TEXTS = "-**.value_as_string";
/** What `stats` answers where nothing was written yet. */
const NOT_FOUND = 404;
/** What was not written to yet is not there, and holds nothing. */
const MISSING_IS_EMPTY = { ignore_unavailable: true, allow_no_indices: true } as const;

/**
 * The searches of one query, under one time limit. Elasticsearch cuts them when it is over; what it
 * found until then is the answer, which says so. Everything rejects with what the client throws
 * (search-errors.ts).
 */
export class SearchClient {
  private readonly client: ElasticsearchClient;
  private readonly nowMs: () => number;
  private readonly endMs: number;

  constructor({ client, limitMs, nowMs }: SearchClientOptions) {
    this.client = client;
    this.nowMs = nowMs;
    this.endMs = nowMs() + limitMs;
  }

  isOver(): boolean {
    return this.nowMs() >= this.endMs;
  }

  async search<Source = never, Aggregates = never>({
    body,
    ...where
  }: Search): Promise<Found<Source, Aggregates>> {
    const shown = body.size === 0 ? { filter_path: WITHOUT_TEXTS } : {};
    const asked = { ...where, ...MISSING_IS_EMPTY, ...shown, track_total_hits: false, ...body };
    return this.whenWhole(async () => {
      const timeout = this.timeout();
      const options = this.transportOptions();
      return toFound(await this.client.search<Source, Aggregates>({ ...asked, timeout }, options));
    });
  }

  /** All in one request; the answers come in the same order. */
  async searchEach<Source = never, Aggregates = never>(
    searches: readonly Search[],
  ): Promise<readonly Found<Source, Aggregates>[]> {
    if (searches.length === 0) return [];
    return this.whenWhole(() => this.searchEachOnce<Source, Aggregates>(searches));
  }

  private async searchEachOnce<Source, Aggregates>(
    searches: readonly Search[],
  ): Promise<readonly Found<Source, Aggregates>[]> {
    const timeout = this.timeout();
    const lines = searches.flatMap(({ body, ...where }) => [
      { ...where, ...MISSING_IS_EMPTY },
      { track_total_hits: false, timeout, ...body },
    ]);
    const { responses } = await this.client.msearch<Source, Aggregates>(
      { searches: lines, filter_path: WITHOUT_TEXTS },
      this.transportOptions(),
    );
    return responses.map((response) => {
      if ("error" in response) throw new FailedSearch(response);
      return toFound(response as estypes.SearchResponseBody<Source, Aggregates>);
    });
  }

  async refresh(index: string): Promise<void> {
    const { _shards } = await this.client.indices.refresh(
      { index, ...MISSING_IS_EMPTY },
      this.transportOptions(),
    );
    if (_shards !== undefined && _shards.failed > 0) {
      throw new MissingShards({ total: _shards.total, read: _shards.total - _shards.failed });
    }
  }

  /** Up to which number each shard's writes are all done, by backing index, then shard. */
  async checkpoints(index: string): Promise<ReadonlyMap<string, readonly number[]>> {
    const { indices = {} } = await this.client.indices.stats(
      {
        ...{ index, metric: "docs", level: "shards" },
        filter_path: [
          "indices.*.shards.*.routing.primary",
          "indices.*.shards.*.seq_no.global_checkpoint",
        ],
      },
      { ...this.transportOptions(), ignore: [NOT_FOUND] },
    );
    return new Map(Object.entries(indices).map(([name, { shards }]) => [name, toNumbers(shards)]));
  }

  /** A stream that has just gone on in a new index takes a moment until that answers. */
  private async whenWhole<T>(ask: () => Promise<T>): Promise<T> {
    for (let waits = 0; ; waits++) {
      try {
        return await ask();
      } catch (thrown) {
        if (!(thrown instanceof MissingShards) || waits === SHARD_WAITS_MAX) throw thrown;
        await delay(SHARD_WAIT_MS);
      }
    }
  }

  /** In whole steps: Elasticsearch keeps what it added up for a search that is the very same. */
  private timeout(): string {
    return `${Math.ceil(this.remainingMs() / TIMEOUT_STEP_MS) * TIMEOUT_STEP_MS}ms`;
  }

  private transportOptions() {
    return {
      requestTimeout: this.remainingMs() + GRACE_MS,
      maxRetries: RETRIES_MAX,
      maxResponseSize: ANSWER_BYTES_MAX,
    };
  }

  private remainingMs(): number {
    return Math.max(TIMEOUT_MS_MIN, Math.ceil(this.endMs - this.nowMs()));
  }
}

function toFound<Source, Aggregates>(
  response: estypes.SearchResponseBody<Source, Aggregates>,
): Found<Source, Aggregates> {
  checkShards(response._shards);
  const hits = response.hits.hits.map(
    ({ _id = "", _index: index, _source, sort = [], fields = {}, matched_queries: matched }) => {
      return {
        id: _id,
        index,
        source: _source as Source,
        sort: sort as (string | number)[],
        fields,
        matched: Array.isArray(matched) ? matched : [],
      };
    },
  );
  return { hits, aggregates: response.aggregations, isCut: response.timed_out };
}

/** Those that are skipped count as read: nothing in them can match. */
function checkShards({ total, successful }: Shards): void {
  if (successful < total) throw new MissingShards({ total, read: successful });
}

function toNumbers(shards: estypes.IndicesStatsIndicesStats["shards"]): number[] {
  const numbers: number[] = [];
  for (const [shard, copies] of Object.entries(shards ?? {})) {
    const primary = copies.find(({ routing }) => routing?.primary === true);
    numbers[Number(shard)] = primary?.seq_no?.global_checkpoint ?? -1;
  }
  return numbers;
}
