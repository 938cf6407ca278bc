/** The records of one transaction, or trace: by time, then by order of writing. */
import { ATTRIBUTE } from "@clew/instrumentation/names";
import type { StoredRecord } from "../../../record.ts";
import type { Page, RecordFilter, SourceFilter, TraceFilter } from "../../store.ts";
import { FIELD } from "../document-fields.ts";
import { isTerm, recordClauses } from "./record-clauses.ts";
import { type RecordSearch, searchRecords } from "./record-page.ts";
import type { SearchClient } from "./search-client.ts";
import { recordsIndex, type StoreStreams } from "./store-streams.ts";

export async function readTransactionRecords(
  client: SearchClient,
  streams: StoreStreams,
  filter: RecordFilter,
): Promise<Page<StoredRecord>> {
  const { kind, cursor, limit } = filter;
  return searchRecords(client, {
    index: kind === undefined ? recordsIndex(streams) : indexOf(kind, streams),
    filter: recordClauses(filter),
    holds: () => true,
    order: "asc",
    ...{ cursor, limit },
  });
}

function indexOf(kind: "log" | "span", { logs, traces }: StoreStreams): string {
  return kind === "log" ? logs : traces;
}

export async function readTraceSpans(
  client: SearchClient,
  { traces: index }: StoreStreams,
  { traceId, cursor, limit }: TraceFilter,
): Promise<Page<StoredRecord>> {
  return readSpans(client, { index, filter: [isTerm(FIELD.traceId, traceId)], cursor, limit });
}

/** Spans that say they were made from messages of this transaction. */
export async function readSourcedSpans(
  client: SearchClient,
  { traces: index }: StoreStreams,
  { transactionId, cursor, limit }: SourceFilter,
): Promise<Page<StoredRecord>> {
  const sources = `${FIELD.attributes}.${ATTRIBUTE.transactionSources}`;
  return readSpans(client, { index, filter: [isTerm(sources, transactionId)], cursor, limit });
}

function readSpans(
  client: SearchClient,
  asked: Omit<RecordSearch, "holds" | "order">,
): Promise<Page<StoredRecord>> {
  return searchRecords(client, { ...asked, holds: () => true, order: "asc" });
}
