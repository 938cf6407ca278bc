import { queryString } from "../api/query-string.ts";

/** What the logs page asks for, as in its address. */
export interface LogSearch {
  readonly q: string;
  readonly service: string;
  readonly severity: string;
  /** One of TIME_RANGES, or empty for a range of its own, or all. */
  readonly range: string;
  /** A time on the reader's clock, as `datetime-local` gives it. */
  readonly from: string;
  readonly to: string;
}

export const LOG_SEARCH_NAMES = ["q", "service", "severity", "range", "from", "to"] as const;

/** A range of the reader's own, between two times. */
export const OWN_RANGE = "between";
export const TIME_RANGES = [
  { value: "15m", text: "last 15 min", ms: 15 * 60_000 },
  { value: "1h", text: "last hour", ms: 3_600_000 },
  { value: "6h", text: "last 6 hours", ms: 6 * 3_600_000 },
  { value: "24h", text: "last 24 hours", ms: 24 * 3_600_000 },
  { value: "7d", text: "last 7 days", ms: 7 * 24 * 3_600_000 },
] as const;

/** Query string of `GET /logs` for a search; relative ranges count from `nowMs`. */
export function logQuery(
  search: LogSearch,
  { nowMs, limit }: { readonly nowMs: number; readonly limit: number },
): string {
  const range = TIME_RANGES.find(({ value }) => value === search.range);
  const own = search.range === OWN_RANGE;
  return queryString({
    q: search.q.trim(),
    service: search.service,
    severity: search.severity,
    from: range ? new Date(nowMs - range.ms).toISOString() : own ? utcTime(search.from) : null,
    to: own ? utcTime(search.to) : null,
    limit,
  });
}

/** Query string of `GET /logs/tail`: a tail begins now, so it has no time range. */
export function tailQuery({ q, service, severity }: LogSearch): string {
  return queryString({ q: q.trim(), service, severity });
}

function utcTime(local: string): string | null {
  const ms = Date.parse(local);
  return Number.isNaN(ms) ? null : new Date(ms).toISOString();
}
