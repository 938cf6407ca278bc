/** Where the documents go, and how many are there. */
import { join } from "node:path";
import { type Elasticsearch, startElasticsearch } from "../../../stack/backends/elasticsearch.ts";
import { subjectEnvironment } from "../config.ts";
import { BenchProcess } from "../instrumentation/bench-process.ts";
import { processCpuSeconds } from "../process-figures.ts";
import type { SinkCounts } from "./null-bulk-sink.ts";
import { OTEL_TEMPLATE } from "./otel-template.ts";

export interface IndexTarget {
  readonly url: string;
  /** Documents that came so far; some may have come twice. */
  documents(): Promise<number>;
  /** Once all is over. */
  total(): Promise<TargetTotal>;
  /** CPU seconds of the server behind the address so far; undefined where it is ours. */
  cpuSeconds(): number | undefined;
  stop(): Promise<void>;
}

export interface TargetTotal {
  /** Documents that are there, or were counted. */
  readonly documents: number;
  /** Of them those that are not another one again; undefined: nobody can tell. */
  readonly distinct: number | undefined;
}

const HEAP_MIB = 1024;
const ANSWER_DEADLINE_MS = 60_000;
const LOGS = "/logs-*";

export async function startNullSink(elasticsearch: Elasticsearch): Promise<IndexTarget> {
  const sink = new BenchProcess({
    program: join(import.meta.dirname, "null-bulk-sink.ts"),
    env: subjectEnvironment({ collectorUrl: "", spoolDir: "" }),
    processor: undefined,
  });
  await sink.ask("isRunning");
  const url = await sink.ask<string>("url", { elasticsearchUrl: elasticsearch.url });
  const counts = async () => {
    const now = await sink.ask<SinkCounts>("counts", "counts");
    if (now.unreadable > 0) throw new Error(`cannot go on: ${sink.complaints}`);
    return now;
  };
  return {
    url,
    documents: async () => (await counts()).documents,
    total: counts,
    cpuSeconds: () => undefined,
    stop: () => sink.kill(),
  };
}

/** A fresh one for each turn, because one that has seen documents before is another. */
export async function startElasticsearchTarget(): Promise<IndexTarget> {
  const elasticsearch = await startElasticsearch({ heapMiB: HEAP_MIB, compiler: "full" });
  const { url, pid } = elasticsearch;
  await askElasticsearch(`${url}/_index_template/bench-otel`, {
    method: "PUT",
    body: JSON.stringify(OTEL_TEMPLATE),
  });
  return {
    url,
    documents: () => countIndexed(`${url}${LOGS}`),
    total: async () => {
      await askElasticsearch(`${url}${LOGS}/_refresh`, { method: "POST" });
      const { count } = (await askElasticsearch(`${url}${LOGS}/_count`)) as { count: number };
      return { documents: count, distinct: undefined };
    },
    cpuSeconds: () => processCpuSeconds(pid),
    stop: () => elasticsearch.stop(),
  };
}

/**
 * Documents that were written since it runs, to be found or not yet.
 * @param url of some indices, as `http://…/logs-*`
 */
export async function countIndexed(url: string): Promise<number> {
  const stats = `${url}/_stats/indexing?filter_path=_all.primaries.indexing.index_total`;
  const { _all: all } = (await askElasticsearch(stats)) as IndexingStats;
  return all?.primaries.indexing.index_total ?? 0;
}

interface IndexingStats {
  /** Absent while there is no index. */
  readonly _all?: { readonly primaries: { readonly indexing: { readonly index_total: number } } };
}

/** @throws Error with what Elasticsearch says, where it refuses. */
export async function askElasticsearch(
  url: string,
  question: { method?: string; body?: string; deadlineMs?: number } = {},
): Promise<unknown> {
  const { deadlineMs = ANSWER_DEADLINE_MS, ...init } = question;
  const signal = AbortSignal.timeout(deadlineMs);
  const headers = { "content-type": "application/json" };
  const answer = await fetch(url, { ...init, headers, signal });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`cannot ask ${url}: ${answer.status} ${text}`);
  return JSON.parse(text);
}
