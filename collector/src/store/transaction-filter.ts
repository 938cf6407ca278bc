import type { TransactionFilter, TransactionSummary } from "./store.ts";

/** Whether a transaction is one that was asked for; its query and cursor are the list's matter. */
export function passesFilter(summary: TransactionSummary, filter: TransactionFilter): boolean {
  const { fromNs, toNs, minDurationMs = 0, status, operation, service } = filter;
  const durationMs = Number(summary.endedNs - summary.startedNs) / 1e6;
  return (
    (fromNs === undefined || summary.startedNs >= fromNs) &&
    (toNs === undefined || summary.startedNs < toNs) &&
    durationMs >= minDurationMs &&
    (status === undefined || summary.status === status) &&
    (operation === undefined || summary.operation === operation) &&
    (service === undefined || summary.services.includes(service))
  );
}
