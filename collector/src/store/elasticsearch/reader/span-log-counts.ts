/** Log records of one transaction by the run that made them and the span they were made under. */
import { SPAN_LOG_COUNTS_MAX, type SpanLogCount } from "../../ledger.ts";
import { FIELD } from "../document-fields.ts";
import { isTerm } from "./record-clauses.ts";
import type { SearchClient } from "./search-client.ts";
import type { StoreStreams } from "./store-streams.ts";
import { msToNs } from "./time-text.ts";
import type { Buckets, Counted } from "./top-hit.ts";

/** The fields that part the counts; a record may lack any of them. */
const SOURCES = [
  ["runId", FIELD.runId],
  ["service", FIELD.service],
  ["traceId", FIELD.traceId],
  ["spanId", FIELD.spanId],
] as const;

interface CountBucket extends Counted {
  readonly key: {
    readonly runId: string | null;
    readonly service: string | null;
    readonly traceId: string | null;
    readonly spanId: string | null;
  };
  readonly late: Counted;
  readonly first: { readonly value: number };
  readonly last: { readonly value: number };
}

export async function countSpanLogs(
  { client, streams }: { readonly client: SearchClient; readonly streams: StoreStreams },
  transactionId: string,
): Promise<{ readonly items: readonly SpanLogCount[]; readonly isCut: boolean }> {
  const sources = SOURCES.map(([name, field]) => {
    return { [name]: { terms: { field, missing_bucket: true } } };
  });
  const filter = [isTerm(FIELD.transactionId, transactionId), isTerm(FIELD.kind, "log")];
  const { aggregates, isCut } = await client.search<never, { counts: Buckets<CountBucket> }>({
    index: streams.logs,
    body: {
      size: 0,
      query: { bool: { filter } },
      aggs: {
        counts: {
          composite: { size: SPAN_LOG_COUNTS_MAX + 1, sources },
          aggs: {
            late: { filter: isTerm(FIELD.afterSpan, true) },
            first: { min: { field: FIELD.time } },
            last: { max: { field: FIELD.time } },
          },
        },
      },
    },
  });
  const buckets = aggregates?.counts.buckets ?? [];
  return {
    items: buckets.slice(0, SPAN_LOG_COUNTS_MAX).map(toCount),
    isCut: isCut || buckets.length > SPAN_LOG_COUNTS_MAX,
  };
}

function toCount({ key, doc_count, late, first, last }: CountBucket): SpanLogCount {
  const { runId, service, traceId, spanId } = key;
  return {
    ...{ runId: runId ?? "", service: service ?? "" },
    ...{ traceId: traceId ?? "", spanId: spanId ?? "" },
    logs: doc_count - late.doc_count,
    lateLogs: late.doc_count,
    firstNs: msToNs(first.value),
    lastNs: msToNs(last.value),
  };
}
