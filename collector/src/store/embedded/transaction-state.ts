/**
 * What is added up per transaction. Adding is commutative and associative, so a transaction may
 * be split over batches and days in any way and comes to the same.
 */
import type { IncomingRecord, TransactionStatus } from "../../record.ts";
import type { DeadLetter } from "../dead-letter.ts";
import type { TransactionSummary } from "../store.ts";
import { MAX_INT64 } from "./day-schema.ts";

export interface TransactionState {
  /** Of its records; of its dead letters' receipt as long as there are no records. */
  startedNs: bigint;
  endedNs: bigint;
  logs: number;
  spans: number;
  errors: number;
  /** The open ones. */
  deadLetters: number;
  services: Set<string>;
  /** Of the earliest entry span. */
  operation: string;
  entryNs: bigint | null;
  isEntryFailed: boolean;
  /** The latest status that a record stated itself. */
  status: TransactionStatus | "";
  statusNs: bigint;
  /** The deadline that was set last, and when; 0 where none was. */
  deadlineNs: bigint;
  deadlineSetNs: bigint;
  /** Log records that tell of the transaction itself. */
  events: number;
}

/** A transaction with more services lists the first so many; its counts hold them all. */
export const SERVICES_PER_TRANSACTION_MAX = 128;
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
    deadlineNs: 0n,
    deadlineSetNs: 0n,
    events: 0,
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
  if (record.deadlineNs !== 0n) addDeadline(state, storableNs(record.deadlineNs), startedNs);
  if (record.isTransactionEvent) state.events++;
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

export function addDeadLetter(
  state: TransactionState,
  letter: Pick<DeadLetter, "receivedNs" | "service">,
): void {
  const receivedNs = storableNs(letter.receivedNs);
  widen(state, { startedNs: receivedNs, endedNs: receivedNs, hasRecords: false });
  state.deadLetters++;
  if (letter.service !== "") addService(state, letter.service);
}

/** @param more how many were opened again; negative for those that were dealt with. */
export function addOpenDeadLetters(state: TransactionState, more: number): void {
  state.deadLetters += more;
}

/** Adds the second to the first. */
export function mergeTransactions(into: TransactionState, from: TransactionState): void {
  if (isEmptyTransaction(from)) return;
  widen(into, { ...from, hasRecords: hasRecords(from) });
  into.logs += from.logs;
  into.spans += from.spans;
  into.errors += from.errors;
  into.deadLetters += from.deadLetters;
  into.events += from.events;
  for (const service of from.services) addService(into, service);
  if (from.entryNs !== null) addEntry(into, { ...from, entryNs: from.entryNs });
  if (from.status !== "") addStatus(into, from.status, from.statusNs);
  if (from.deadlineNs !== 0n) addDeadline(into, from.deadlineNs, from.deadlineSetNs);
}

/** A transaction of which there are only letters that were dealt with has their times. */
export function isEmptyTransaction(state: TransactionState): boolean {
  return !hasRecords(state) && state.deadLetters === 0 && state.endedNs === 0n;
}

/** @param nowNs Unix time at which it is looked at: a deadline passes without any record. */
export function toSummary(
  transactionId: string,
  state: TransactionState,
  nowNs: bigint,
): TransactionSummary {
  const { startedNs, endedNs, operation, logs, spans, errors, deadLetters, events } = state;
  const services = [...state.services].toSorted();
  const status = statusOf(state, nowNs);
  return {
    ...{ transactionId, startedNs, endedNs, operation, status, services },
    statedNs: state.status === "" ? null : state.statusNs,
    deadlineNs: state.deadlineNs === 0n ? null : state.deadlineNs,
    ...{ logs, spans, errors, deadLetters, events },
  };
}

/**
 * What a record stated, also one after the deadline: the business knows better than a clock. Else
 * how the entry span failed. Else what the deadline says, because who sets one has an end in mind
 * that is not the answer to a request. Else how the entry span ended, or still running.
 */
function statusOf(state: TransactionState, nowNs: bigint): TransactionStatus {
  if (state.status !== "") return state.status;
  if (state.isEntryFailed) return "failed";
  if (state.deadlineNs !== 0n) return nowNs > state.deadlineNs ? "timed-out" : "running";
  return state.entryNs === null ? "running" : "completed";
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

/** The one that was set later counts; of two set at the same time the later deadline. */
function addDeadline(state: TransactionState, deadlineNs: bigint, setNs: bigint): void {
  const isFirst = state.deadlineNs === 0n;
  const isLater = setNs > state.deadlineSetNs;
  if (!isFirst && !isLater && !(setNs === state.deadlineSetNs && deadlineNs > state.deadlineNs)) {
    return;
  }
  state.deadlineNs = deadlineNs;
  state.deadlineSetNs = setNs;
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
