/** A transaction of one request, seen an hour later, that a test changes in one respect. */
import { ATTRIBUTE, REPORT } from "@clew/instrumentation/names";
import { formatRfc3339 } from "../src/query/rfc3339.ts";
import type { VerdictInput } from "../src/query/verdict/verdict-input.ts";
import type { Attributes, RunReport, StoredRecord, StoredSpan } from "../src/record.ts";
import type { RunLedger, SequenceGap, SignalLedger, SpanLogCount } from "../src/store/ledger.ts";
import type { TransactionSummary } from "../src/store/store.ts";

/** When it began. */
export const THEN_NS = 1_772_366_400_000_000_000n;
export const SECOND_NS = 1_000_000_000n;
export const LATER_NS = THEN_NS + 3600n * SECOND_NS;
export const TRACE = "0af7651916cd43dd8448eb211c80319c";
export const ID = "order-1";

export interface SpanGiven {
  readonly id: string;
  readonly parent?: string;
  /** The service's one run is named like it; empty where it names none. */
  readonly service?: string;
  readonly runId?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly status?: string;
  readonly attributes?: Attributes;
  readonly links?: StoredSpan["links"];
  readonly startNs?: bigint;
  readonly receivedNs?: bigint;
}

/** A span of a second's length; without logs unless its attributes say so. */
export function spanOf(given: SpanGiven): StoredRecord {
  const { id, service = "orders", kind = "internal", name = "work", startNs = THEN_NS } = given;
  const runId = given.runId ?? `run-of-${service}`;
  const status = given.status ?? "unset";
  return {
    ...{ id: `${TRACE}-${id}`, kind: "span", transactionId: ID, traceId: TRACE, spanId: id },
    ...{ time: formatRfc3339(startNs), parentSpanId: given.parent ?? null, service },
    receivedAt: formatRfc3339(given.receivedNs ?? startNs + 2n * SECOND_NS),
    ...{ severityText: "", severityNumber: 0, message: name, body: name, isError: false },
    attributes: { [ATTRIBUTE.spanLogs]: 0, [ATTRIBUTE.spanSequence]: 1, ...given.attributes },
    resource: runId === "" ? {} : { [ATTRIBUTE.runId]: runId },
    scope: "",
    span: {
      kind,
      status,
      durationMs: 1000,
      statusMessage: "",
      events: [],
      links: given.links ?? [],
    },
  };
}

/** The entry: a server span of `orders` under which one log record was made. */
export const ENTRY = spanOf({
  ...{ id: "e", kind: "server", name: "POST /orders", attributes: { [ATTRIBUTE.spanLogs]: 1 } },
});

export function logsOf(given: Partial<SpanLogCount> = {}): SpanLogCount {
  const times = { firstNs: THEN_NS, lastNs: THEN_NS + SECOND_NS };
  const of = { runId: "run-of-orders", service: "orders", traceId: TRACE, spanId: "e" };
  return { ...of, logs: 1, lateLogs: 0, ...times, ...given };
}

/** A run that has reported up to now, and of whose records none is missing. */
export function ledgerOf(service: string, given: Partial<RunLedger> = {}): RunLedger {
  const runId = `run-of-${service}`;
  const times = { firstSeenNs: THEN_NS, lastSeenNs: LATER_NS - SECOND_NS };
  const numbers = { logs: signalOf(), spans: signalOf() };
  return { runId, service, report: reportOf(service), ...times, ...numbers, ...given };
}

export function signalOf(given: Partial<SignalLedger> = {}): SignalLedger {
  const counts = { emitted: 100, stored: 100, deadLettered: 0, missing: 0, dropped: 0 };
  return { ...counts, expired: 0, expiredToNs: 0n, gaps: [], isCut: false, ...given };
}

/** Numbers that are missing, made in the transaction's first second. */
export function gapOf(given: Partial<SequenceGap> = {}): SequenceGap {
  const times = { fromNs: THEN_NS, toNs: THEN_NS + SECOND_NS };
  return { first: 7, last: 8, deadLettered: 0, ...times, ...given };
}

export function reportOf(service: string, given: Partial<RunReport> = {}): RunReport {
  const runId = `run-of-${service}`;
  const { figures, ...rest } = given;
  return {
    ...{ runId, service, instanceId: runId, host: "", pid: null, isFinal: false },
    ...{ firstSeenNs: THEN_NS, lastSeenNs: LATER_NS - SECOND_NS },
    figures: { [REPORT.logsEmitted]: 100, [REPORT.spansEmitted]: 100, ...figures },
    ...rest,
  };
}

export function summaryOf(given: Partial<TransactionSummary> = {}): TransactionSummary {
  return {
    ...{ transactionId: ID, startedNs: THEN_NS, endedNs: THEN_NS + SECOND_NS },
    ...{ operation: "POST /orders", status: "completed", statedNs: null, deadlineNs: null },
    ...{ services: ["orders"], logs: 0, spans: 0, errors: 0, deadLetters: 0, events: 0 },
    ...given,
  };
}

/** Complete, as it stands. */
export function inputOf(given: Partial<VerdictInput> = {}): VerdictInput {
  return {
    ...{ summary: summaryOf(), spans: [ENTRY], spanLogs: [logsOf()], deadLetters: [] },
    ...{ ledgers: [ledgerOf("orders")], others: [], topicConsumers: [], isCut: false },
    busLag: { messages: 0, records: 0, seconds: 0 },
    nowNs: LATER_NS,
    ...given,
  };
}
