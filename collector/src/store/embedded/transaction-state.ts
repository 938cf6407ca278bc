/**
 * What is added up per transaction. Adding is commutative and associative, so a transaction may
 * be split over batches and days in any way and comes to the same.
 */
import type { IncomingRecord, TransactionStatus } from "../../record.ts";
import type { DeadLetter, TransactionSummary } from "../store.ts";
import { MAX_INT64 } from "./day-schema.ts";

export interface TransactionState {
  /** Of its records; of its dead letters' receipt as long as there are no records. */
  startedNs: bigint;
  endedNs: bigint;
  logs: number;
  spans: number;
  errors: number;
  deadLetters: number;
  services: Set<string>;
  /** Of the earliest entry span. */
  operation: string;
  entryNs: bigint | null;
  isEntryFailed: boolean;
  /** The latest status that a record stated itself. */
  status: TransactionStatus | "";
  statusNs: bigint;
}

/** A transaction with more services lists the first so many; its counts hold them all. */
const SERVICES_PER_TRANSACTION_MAX = 128;
export const OPERATION_CHARS_MAX = 256;

export function emptyTransaction(): TransactionState {
  return {
    startedNs: 0n,
    endedNs: 0n,
    logs: 0,
    spans: 0,
    errors: 0,
    deadLetters: 0,
    services: new Set(),
    operation: "",
    entryNs: null,
    isEntryFailed: false,
    status: "",
    statusNs: 0n,
  };
}

/** Times beyond what a signed 64-bit integer holds are stored as the largest. */
export function storableNs(timeNs: bigint): bigint {
  return timeNs > MAX_INT64 ? MAX_INT64 : timeNs;
}

export function addRecord(state: TransactionState, record: IncomingRecord): void {
  const startedNs = storableNs(record.timeNs);
  const endedNs = storableNs(record.timeNs + record.durationNs);
  widen(state, { startedNs, endedNs, hasRecords: true });
  addService(state, record.service);
  if (record.isError) state.errors++;
  if (record.transactionStatus !== "") addStatus(state, record.transactionStatus, endedNs);
  if (record.kind === "log") {
    state.logs++;
    return;
  }
  state.spans++;
  if (record.isEntry) {
    const operation = record.text.slice(0, OPERATION_CHARS_MAX);
    addEntry(state, { operation, entryNs: startedNs, isEntryFailed: record.isError });
  }
}

export function addDeadLetter(state: TransactionState, letter: DeadLetter): void {
  const receivedNs = storableNs(letter.receivedNs);
  widen(state, { startedNs: receivedNs, endedNs: receivedNs, hasRecords: false });
  state.deadLetters++;
  if (letter.service !== "") addService(state, letter.service);
}

/** Adds the second to the first. */
export function mergeTransactions(into: TransactionState, from: TransactionState): void {
  if (isEmptyTransaction(from)) return;
  widen(into, { ...from, hasRecords: hasRecords(from) });
  into.logs += from.logs;
  into.spans += from.spans;
  into.errors += from.errors;
  into.deadLetters += from.deadLetters;
  for (const service of from.services) addService(into, service);
  if (from.entryNs !== null) addEntry(into, { ...from, entryNs: from.entryNs });
  if (from.status !== "") addStatus(into, from.status, from.statusNs);
}

export function isEmptyTransaction(state: TransactionState): boolean {
  return !hasRecords(state) && state.deadLetters === 0;
}

export function toSummary(transactionId: string, state: TransactionState): TransactionSummary {
  const { startedNs, endedNs, operation, logs, spans, errors, deadLetters } = state;
  const services = [...state.services].toSorted();
  const status = statusOf(state);
  return {
    ...{ transactionId, startedNs, endedNs, operation, status, services },
    ...{ logs, spans, errors, deadLetters },
  };
}

/** What a record stated, else how the entry span ended, else still running. */
function statusOf(state: TransactionState): TransactionStatus {
  if (state.status !== "") return state.status;
  if (state.entryNs === null) return "running";
  return state.isEntryFailed ? "failed" : "completed";
}

interface Widening {
  readonly startedNs: bigint;
  readonly endedNs: bigint;
  readonly hasRecords: boolean;
}

/** Must come before the counts change: they tell whether the times so far are of records. */
function widen(state: TransactionState, other: Widening): void {
  if (hasRecords(state) && !other.hasRecords) return;
  const isReplaced = isEmptyTransaction(state) || (other.hasRecords && !hasRecords(state));
  if (isReplaced || other.startedNs < state.startedNs) state.startedNs = other.startedNs;
  if (isReplaced || other.endedNs > state.endedNs) state.endedNs = other.endedNs;
}

function hasRecords(state: TransactionState): boolean {
  return state.logs > 0 || state.spans > 0;
}

function addService(state: TransactionState, service: string): void {
  if (state.services.size < SERVICES_PER_TRANSACTION_MAX) state.services.add(service);
}

/** The later one counts; of two at the same time always the same one. */
function addStatus(state: TransactionState, status: TransactionStatus, statusNs: bigint): void {
  const isLater = state.status === "" || statusNs > state.statusNs;
  if (!isLater && !(statusNs === state.statusNs && status > state.status)) return;
  state.status = status;
  state.statusNs = statusNs;
}

interface Entry {
  readonly operation: string;
  readonly entryNs: bigint;
  readonly isEntryFailed: boolean;
}

/** The earlier one counts; of two at the same time always the same one. */
function addEntry(state: TransactionState, entry: Entry): void {
  if (state.entryNs !== null && compareEntries(entry, state.entryNs, state) >= 0) return;
  state.entryNs = entry.entryNs;
  state.operation = entry.operation;
  state.isEntryFailed = entry.isEntryFailed;
}

function compareEntries(
  entry: Entry,
  otherNs: bigint,
  other: { operation: string; isEntryFailed: boolean },
): number {
  if (entry.entryNs !== otherNs) return entry.entryNs < otherNs ? -1 : 1;
  if (entry.operation !== other.operation) return entry.operation < other.operation ? -1 : 1;
  return Number(other.isEntryFailed) - Number(entry.isEntryFailed);
}
