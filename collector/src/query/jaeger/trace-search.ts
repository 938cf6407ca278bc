import type { AttributeValue, StoredRecord } from "../../record.ts";
import type { LogFilter, Page, StoreReader } from "../../store/store.ts";
import { findRfc3339 } from "../rfc3339.ts";
import type { FoundTrace } from "./found-trace.ts";
import type { TraceQuery } from "./trace-query.ts";

/** What of the store is asked. */
export type TraceStore = Pick<StoreReader, "searchLogs" | "services" | "traceSpans">;

const TRACES_DEFAULT = 20;
const TRACES_MAX = 1500;
const PAGE_SPANS = 500;
/** Spans that are looked at for one search; beyond, it ends with what it has. */
const PAGES_MAX = 40;
const NS_PER_MS = 1e6;
/** What stands for itself inside quotes of a search text. */
const QUOTED = /["\\]/g;

/**
 * Traces with a span that fits the query, the one whose fitting span began last first. Jaeger asks
 * for one service, and for tags that all stand on one span or its resource.
 */
export async function findTraces(
  store: TraceStore,
  query: TraceQuery,
  signal: AbortSignal,
): Promise<FoundTrace[]> {
  const wanted = Math.min(TRACES_MAX, query.depth > 0 ? query.depth : TRACES_DEFAULT);
  const found = new Map<string, FoundTrace>();
  let cursor: string | null = null;
  for (let pages = 0; pages < PAGES_MAX && !signal.aborted; pages++) {
    const page: Page<StoredRecord> = await store.searchLogs({
      ...filterOf(query),
      ...(cursor === null ? {} : { cursor }),
    });
    for (const span of page.items) {
      if (fits(span, query)) addSpan(found, span);
      if (found.size >= wanted) return [...found.values()];
    }
    cursor = page.cursor;
    if (cursor === null || page.isCut) break;
  }
  return [...found.values()];
}

function filterOf(query: TraceQuery): LogFilter {
  const { service, fromNs, toNs } = query;
  const text = searchText(query);
  return {
    kind: "span",
    order: "newest",
    limit: PAGE_SPANS,
    ...(service === "" ? {} : { service }),
    ...(fromNs === undefined ? {} : { fromNs }),
    // Jaeger's end belongs to the window, ours does not.
    ...(toNs === undefined ? {} : { toNs: toNs + 1n }),
    ...(text === "" ? {} : { query: text }),
  };
}

/** What the store can look for by itself; `fits` is exact. */
function searchText({ attributes }: TraceQuery): string {
  return attributes
    .filter(([key]) => key !== "error" && /^[\w.-]+$/.test(key))
    .map(([key, value]) => {
      const wanted = `"${textOf(value).replaceAll(QUOTED, "\\$&")}"`;
      return `(attributes.${key}:${wanted} or resource.${key}:${wanted})`;
    })
    .join(" ");
}

function fits(span: StoredRecord, query: TraceQuery): boolean {
  const { operation, durationMinNs, durationMaxNs, attributes } = query;
  if (operation !== "" && span.message !== operation) return false;
  const durationNs = BigInt(Math.round((span.span?.durationMs ?? 0) * NS_PER_MS));
  if (durationMinNs !== undefined && durationNs < durationMinNs) return false;
  if (durationMaxNs !== undefined && durationNs > durationMaxNs) return false;
  return attributes.every(([key, value]) => hasTag(span, key, textOf(value)));
}

/** `error` is a tag that Jaeger itself makes of a span's status. */
function hasTag(span: StoredRecord, key: string, text: string): boolean {
  if (key === "error" && span.attributes[key] === undefined) return text === String(span.isError);
  return [span.attributes[key], span.resource[key]].some(
    (value) => value !== undefined && textOf(value) === text,
  );
}

/** Jaeger's page sends every tag as text. */
function textOf(value: AttributeValue): string {
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}

function addSpan(found: Map<string, FoundTrace>, span: StoredRecord): void {
  const { traceId } = span;
  const startedNs = findRfc3339(span.time);
  if (traceId === null || startedNs === undefined || found.has(traceId)) return;
  const lastedNs = BigInt(Math.round((span.span?.durationMs ?? 0) * NS_PER_MS));
  found.set(traceId, { traceId, startedNs, endedNs: startedNs + lastedNs });
}
