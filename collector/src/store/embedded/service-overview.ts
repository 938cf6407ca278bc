/** RED figures of services, read from the per-minute rollups of all days. */
import { ClewError } from "../../errors.ts";
import type { ServiceFigures, ServiceOverview } from "../store.ts";
import type { DayReader } from "./day-reader.ts";
import { WHOLE_DAY } from "./day-schema.ts";
import {
  type DurationHistogram,
  decodeDurations,
  mergeDurations,
  quantileMs,
} from "./duration-histogram.ts";
import { type Deadline, toWindow, type Window } from "./record-page.ts";

const TIMES = "SELECT min(min_time) AS first, max(max_time) AS last FROM zones";
const SERVICES = `
  SELECT service, sum(logs) AS logs, sum(error_logs) AS error_logs, sum(spans) AS spans,
    max(last_seen) AS last_seen FROM service_minutes WHERE minute BETWEEN ? AND ? GROUP BY service`;
const OPERATIONS = `
  SELECT service, operation, count, errors, durations FROM operation_minutes
  WHERE minute BETWEEN ? AND ?`;
const ROWS_PER_CLOCK_CHECK = 1024;
const MINUTE_NS = 60_000_000_000n;

interface OperationSum {
  count: number;
  errors: number;
  readonly durations: DurationHistogram;
}

interface ServiceSum {
  logs: number;
  errorLogs: number;
  spans: number;
  lastSeenNs: bigint;
  readonly operations: Map<string, OperationSum>;
}

/**
 * Whole minutes: those in which the window begins and ends count in full.
 * @throws ClewError STORE_UNAVAILABLE where the time limit ends it: half a figure is none.
 */
export function overviewServices(
  readers: readonly DayReader[],
  asked: { fromNs?: bigint; toNs?: bigint },
  deadline: Deadline,
): ServiceOverview[] {
  const window = toWindow(asked);
  const sums = new Map<string, ServiceSum>();
  for (const reader of readers) {
    const minutes = findMinutes(reader, window);
    if (minutes === undefined) continue;
    addServices(sums, reader, minutes);
    addOperations(sums, { reader, minutes, deadline });
  }
  return [...sums]
    .map(([service, sum]) => toOverview(service, sum))
    .toSorted((a, b) => (a.service < b.service ? -1 : 1));
}

type Minutes = readonly [first: number, last: number];

/** Where the window holds the whole day, the day's own row saves adding its minutes. */
function findMinutes(reader: DayReader, { firstNs, lastNs }: Window): Minutes | undefined {
  const { first, last } = reader.prepare(TIMES).get() ?? {};
  if (typeof first !== "bigint" || typeof last !== "bigint") return undefined;
  if (last < firstNs || first > lastNs) return undefined;
  if (firstNs <= first && lastNs >= last) return [WHOLE_DAY, WHOLE_DAY];
  return [Number((firstNs < 0n ? 0n : firstNs) / MINUTE_NS), Number(lastNs / MINUTE_NS)];
}

function addServices(sums: Map<string, ServiceSum>, reader: DayReader, minutes: Minutes): void {
  for (const row of reader.prepare(SERVICES).iterate(...minutes)) {
    const sum = sumOf(sums, reader.serviceName(Number(row.service)));
    const lastSeenNs = row.last_seen as bigint;
    sum.logs += Number(row.logs);
    sum.errorLogs += Number(row.error_logs);
    sum.spans += Number(row.spans);
    if (lastSeenNs > sum.lastSeenNs) sum.lastSeenNs = lastSeenNs;
  }
}

function addOperations(
  sums: Map<string, ServiceSum>,
  { reader, minutes, deadline }: { reader: DayReader; minutes: Minutes; deadline: Deadline },
): void {
  let rows = 0;
  for (const row of reader.prepare(OPERATIONS).iterate(...minutes)) {
    if (++rows % ROWS_PER_CLOCK_CHECK === 0 && deadline.isOver()) {
      const why = "it took longer than the time limit; less time, or whole days, take less";
      throw new ClewError("STORE_UNAVAILABLE", `cannot read the services: ${why}`);
    }
    const { operations } = sumOf(sums, reader.serviceName(Number(row.service)));
    const operation = String(row.operation);
    const sum = operations.get(operation) ?? { count: 0, errors: 0, durations: new Map() };
    sum.count += Number(row.count);
    sum.errors += Number(row.errors);
    mergeDurations(sum.durations, decodeDurations(row.durations as Uint8Array));
    operations.set(operation, sum);
  }
}

function sumOf(sums: Map<string, ServiceSum>, service: string): ServiceSum {
  let sum = sums.get(service);
  if (sum === undefined) {
    sum = { logs: 0, errorLogs: 0, spans: 0, lastSeenNs: 0n, operations: new Map() };
    sums.set(service, sum);
  }
  return sum;
}

function toOverview(service: string, sum: ServiceSum): ServiceOverview {
  const operations = [...sum.operations].map(([operation, { count, errors, durations }]) => {
    const p50Ms = quantileMs(durations, 0.5);
    const p99Ms = quantileMs(durations, 0.99);
    return { service, operation, count, errors, p50Ms, p99Ms } satisfies ServiceFigures;
  });
  const { logs, errorLogs, spans, lastSeenNs } = sum;
  const busiestFirst = operations.toSorted((a, b) => b.count - a.count);
  return { service, logs, errorLogs, spans, lastSeenNs, operations: busiestFirst };
}
