/** Log records of one transaction by the run that made them and the span they were made under. */
import { ATTRIBUTE } from "@clew/instrumentation/names";
import { SPAN_LOG_COUNTS_MAX, type SpanLogCount } from "../ledger.ts";
import type { DayReader } from "./day-reader.ts";
import { FLAG } from "./day-schema.ts";

/** Log records that are looked at; a transaction with more is counted in part. */
const RECORDS_MAX = 1_000_000;
const GROUPS = `
  SELECT resource, service, hex(trace_id) AS trace_id, hex(span_id) AS span_id,
    (flags & ${FLAG.afterSpan}) AS late, count(*) AS logs, min(time) AS first, max(time) AS last
  FROM (
    SELECT resource, service, trace_id, span_id, flags, time FROM records
    WHERE transaction_key = ? AND (flags & ${FLAG.span}) = 0 LIMIT ?
  )
  GROUP BY resource, service, trace_id, span_id, late`;

interface Count {
  readonly runId: string;
  readonly service: string;
  readonly traceId: string;
  readonly spanId: string;
  logs: number;
  lateLogs: number;
  firstNs: bigint;
  lastNs: bigint;
}

export function countSpanLogs(
  readers: readonly DayReader[],
  transactionId: string,
): { items: readonly SpanLogCount[]; isCut: boolean } {
  const counts = new Map<string, Count>();
  let left = RECORDS_MAX;
  let isCut = false;
  for (const reader of readers) {
    const key = reader.findTransaction(transactionId)?.key;
    if (key === undefined) continue;
    for (const row of reader.prepare(GROUPS).iterate(key, left + 1)) {
      left -= Number(row.logs);
      isCut = !add(counts, reader, row) || isCut;
    }
    if (left < 0) return { items: [...counts.values()], isCut: true };
  }
  return { items: [...counts.values()], isCut };
}

/** False where there are too many to tell apart. */
function add(counts: Map<string, Count>, reader: DayReader, row: Record<string, unknown>): boolean {
  const service = reader.serviceName(Number(row.service));
  const said = reader.resource(Number(row.resource))[ATTRIBUTE.runId];
  const runId = typeof said === "string" ? said : "";
  const [traceId, spanId] = [String(row.trace_id), String(row.span_id)].map((hex) =>
    hex.toLowerCase(),
  ) as [string, string];
  const [firstNs, lastNs] = [row.first as bigint, row.last as bigint];
  const name = JSON.stringify([runId, service, traceId, spanId]);
  const found = counts.get(name);
  if (found === undefined && counts.size >= SPAN_LOG_COUNTS_MAX) return false;
  const count = found ?? { runId, service, traceId, spanId, logs: 0, lateLogs: 0, firstNs, lastNs };
  if (found === undefined) counts.set(name, count);
  if (row.late === 0n) count.logs += Number(row.logs);
  else count.lateLogs += Number(row.logs);
  if (firstNs < count.firstNs) count.firstNs = firstNs;
  if (lastNs > count.lastNs) count.lastNs = lastNs;
  return true;
}
