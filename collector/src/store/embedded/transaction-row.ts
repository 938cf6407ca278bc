/** How a transaction's state lies in a row of `transactions`. */
import type { SQLOutputValue } from "node:sqlite";
import type { TransactionStatus } from "../../record.ts";
import type { TransactionState } from "./transaction-state.ts";

export const TRANSACTION_COLUMNS =
  "key, id, started, ended, logs, spans, errors, dead_letters, services, operation, " +
  "entry_time, entry_failed, status, status_time, deadline, deadline_time, events";

/** A row of `TRANSACTION_COLUMNS`, read with `setReadBigInts(true)`. */
export type TransactionRow = Record<string, SQLOutputValue>;

/** `services` is the keys of the services between bars, as in `|3|17|`. */
export function toTransactionState(
  row: TransactionRow,
  serviceName: (key: number) => string,
): TransactionState {
  const keys = String(row.services).split("|").filter(Boolean);
  return {
    startedNs: row.started as bigint,
    endedNs: row.ended as bigint,
    logs: Number(row.logs),
    spans: Number(row.spans),
    errors: Number(row.errors),
    deadLetters: Number(row.dead_letters),
    services: new Set(keys.map((key) => serviceName(Number(key)))),
    operation: String(row.operation),
    entryNs: row.entry_time as bigint | null,
    isEntryFailed: row.entry_failed === 1n,
    status: row.status as TransactionStatus | "",
    statusNs: row.status_time as bigint,
    deadlineNs: row.deadline as bigint,
    deadlineSetNs: row.deadline_time as bigint,
    events: Number(row.events),
  };
}

/** The values of `TRANSACTION_COLUMNS` after `key` and `id`. */
export function toTransactionValues(
  state: TransactionState,
  serviceKey: (name: string) => number,
): (string | number | bigint | null)[] {
  let services = "|";
  for (const name of state.services) services += `${serviceKey(name)}|`;
  return [
    state.startedNs,
    state.endedNs,
    state.logs,
    state.spans,
    state.errors,
    state.deadLetters,
    services,
    state.operation,
    state.entryNs,
    state.isEntryFailed ? 1 : 0,
    state.status,
    state.statusNs,
    state.deadlineNs,
    state.deadlineSetNs,
    state.events,
  ];
}
