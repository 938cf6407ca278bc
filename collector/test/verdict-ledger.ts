/** What a store would say of the records it holds, worked out from them the plain way. */
import { ATTRIBUTE, REPORT } from "@clew/instrumentation/names";
import { formatRfc3339 } from "../src/query/rfc3339.ts";
import { type Judgement, judge, RULES } from "../src/query/verdict/judge.ts";
import type { VerdictInput } from "../src/query/verdict/verdict-input.ts";
import { findOpenHops } from "../src/query/verdict/verdict-source.ts";
import type { Attributes, AttributeValue, RunReport, StoredRecord } from "../src/record.ts";
import type { RunLedger, SequenceGap, SignalLedger, SpanLogCount } from "../src/store/ledger.ts";
import type { TransactionSummary } from "../src/store/store.ts";
import type { FixtureValue } from "./record-fixtures.ts";
import { TOPIC_CONSUMERS } from "./verdict-transactions.ts";
import { type MadeRecord, nsOf } from "./verdict-world.ts";

const KINDS = ["unspecified", "internal", "server", "client", "producer", "consumer"];
const NO_LAG = { messages: 0, records: 0, seconds: 0 };

export class StoredWorld {
  readonly #byTransaction: ReadonlyMap<string, readonly MadeRecord[]>;
  readonly #byRun: ReadonlyMap<string, readonly MadeRecord[]>;
  readonly #ledgers = new Map<string, RunLedger>();
  readonly #sourced = new Map<string, StoredRecord[]>();
  readonly #byTrace: ReadonlyMap<string, readonly MadeRecord[]>;
  readonly #nowNs: bigint;

  constructor(records: readonly MadeRecord[], nowMs: number) {
    this.#nowNs = nsOf(nowMs);
    const inTransaction = records.filter(({ transactionId }) => transactionId !== "");
    this.#byTransaction = Map.groupBy(inTransaction, ({ transactionId }) => transactionId);
    const spans = inTransaction.filter(({ kind }) => kind === "span");
    this.#byTrace = Map.groupBy(spans, ({ traceId }) => traceId);
    this.#byRun = Map.groupBy(records, ({ run }) => run.runId);
    for (const record of inTransaction) {
      const sources = record.attributes[ATTRIBUTE.transactionSources];
      if (!Array.isArray(sources)) continue;
      for (const id of sources) {
        const named = this.#sourced.get(id) ?? [];
        named.push(toStoredSpan(record));
        this.#sourced.set(id, named);
      }
    }
  }

  /** As `VerdictSource` judges it; undefined where nothing of it is stored. */
  judge(transactionId: string, rules = RULES): Judgement | undefined {
    const records = this.#byTransaction.get(transactionId);
    if (records === undefined) return undefined;
    const input = this.#inputOf(transactionId, records);
    const judgement = judge(input, rules);
    if (findOpenHops(judgement).length === 0) return judgement;
    return judge({ ...input, others: this.#othersOf(transactionId, records) }, rules);
  }

  #inputOf(transactionId: string, records: readonly MadeRecord[]): VerdictInput {
    const spans = records.filter(({ kind }) => kind === "span").map(toStoredSpan);
    return {
      summary: summaryOf(transactionId, records),
      spans,
      spanLogs: countSpanLogs(records),
      ledgers: runIdsOf(records).flatMap((runId) => this.#ledger(runId) ?? []),
      deadLetters: [],
      others: [],
      topicConsumers: TOPICS,
      busLag: NO_LAG,
      nowNs: this.#nowNs,
      isCut: false,
    };
  }

  /** Other transactions' spans of its traces, and those that were made from its messages. */
  #othersOf(transactionId: string, records: readonly MadeRecord[]): StoredRecord[] {
    const traceIds = new Set(records.map(({ traceId }) => traceId));
    const inTraces = [...traceIds].flatMap((traceId) => this.#byTrace.get(traceId) ?? []);
    const others = inTraces.filter((record) => record.transactionId !== transactionId);
    return [...others.map(toStoredSpan), ...(this.#sourced.get(transactionId) ?? [])];
  }

  #ledger(runId: string): RunLedger | undefined {
    const known = this.#ledgers.get(runId);
    const records = this.#byRun.get(runId);
    if (known !== undefined || records === undefined) return known;
    const ledger = ledgerOf(runId, records);
    this.#ledgers.set(runId, ledger);
    return ledger;
  }
}

const TOPICS = Object.entries(TOPIC_CONSUMERS).flatMap(([topic, services]) =>
  services.map((service) => ({ topic, service })),
);

/** Those that made records of it, and those that its spans name. */
function runIdsOf(records: readonly MadeRecord[]): string[] {
  const ids = new Set<string>();
  for (const { run, attributes } of records) {
    ids.add(run.runId);
    for (const name of [ATTRIBUTE.peerRunId, ATTRIBUTE.callerRunId]) {
      const named = attributes[name];
      if (typeof named === "string") ids.add(named);
    }
  }
  return [...ids];
}

export function ledgerOf(runId: string, records: readonly MadeRecord[]): RunLedger {
  const report = latestReport(records);
  const times = records.map(({ timeNs }) => timeNs);
  const signal = (kind: MadeRecord["kind"], figure: string) => {
    const own = records.filter((record) => record.kind === kind);
    return signalOf(own, { reported: Number(report?.figures[figure] ?? 0), report });
  };
  return {
    ...{ runId, service: records[0]?.run.service ?? "", report },
    firstSeenNs: times.reduce((a, b) => (a < b ? a : b)),
    lastSeenNs: times.reduce((a, b) => (a > b ? a : b)),
    logs: signal("log", REPORT.logsEmitted),
    spans: signal("span", REPORT.spansEmitted),
  };
}

function latestReport(records: readonly MadeRecord[]): RunReport | null {
  const reports = records.flatMap(({ report }) => report ?? []);
  const made = (report: RunReport) => Number(report.figures[REPORT.logsEmitted]);
  return reports.toSorted((a, b) => made(a) - made(b)).at(-1) ?? null;
}

function signalOf(
  records: readonly MadeRecord[],
  { reported, report }: { reported: number; report: RunReport | null },
): SignalLedger {
  const sorted = records.toSorted((a, b) => a.sequence - b.sequence);
  const emitted = Math.max(reported, sorted.at(-1)?.sequence ?? 0);
  const gaps: SequenceGap[] = [];
  let next = 1;
  let fromNs = 0n;
  const add = (last: number, toNs: bigint) => {
    if (last < next) return;
    const [a, b] = fromNs < toNs ? [fromNs, toNs] : [toNs, fromNs];
    gaps.push({ first: next, last, fromNs: a, toNs: b, deadLettered: 0 });
  };
  for (const { sequence, timeNs, durationNs } of sorted) {
    add(sequence - 1, timeNs + durationNs);
    next = sequence + 1;
    fromNs = timeNs + durationNs;
  }
  add(emitted, report?.lastSeenNs ?? fromNs);
  const missing = gaps.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  const stored = records.length;
  const none = { deadLettered: 0, dropped: 0, expired: 0, expiredToNs: 0n, isCut: false };
  return { emitted, stored, missing, gaps, ...none };
}

function countSpanLogs(records: readonly MadeRecord[]): SpanLogCount[] {
  const counted = new Map<string, SpanLogCount>();
  for (const { kind, run, traceId, spanId, timeNs, isAfterSpan } of records) {
    if (kind !== "log") continue;
    const key = `${run.runId} ${traceId} ${spanId}`;
    const before = counted.get(key);
    counted.set(key, {
      ...{ runId: run.runId, service: run.service, traceId, spanId },
      logs: (before?.logs ?? 0) + (isAfterSpan ? 0 : 1),
      lateLogs: (before?.lateLogs ?? 0) + (isAfterSpan ? 1 : 0),
      firstNs: before && before.firstNs < timeNs ? before.firstNs : timeNs,
      lastNs: before && before.lastNs > timeNs ? before.lastNs : timeNs,
    });
  }
  return [...counted.values()];
}

function summaryOf(transactionId: string, records: readonly MadeRecord[]): TransactionSummary {
  const spans = records.filter(({ kind }) => kind === "span");
  const starts = records.map(({ timeNs }) => timeNs);
  const ends = records.map(({ timeNs, durationNs }) => timeNs + durationNs);
  const isEntry = (record: MadeRecord) =>
    record.parentSpanId === "" || record.attributes[ATTRIBUTE.transactionStart] === true;
  return {
    transactionId,
    startedNs: starts.reduce((a, b) => (a < b ? a : b)),
    endedNs: ends.reduce((a, b) => (a > b ? a : b)),
    ...{ operation: "", statedNs: null, deadlineNs: null, errors: 0, deadLetters: 0, events: 0 },
    status: spans.some(isEntry) ? "completed" : "running",
    services: [...new Set(records.map(({ run }) => run.service))],
    logs: records.length - spans.length,
    spans: spans.length,
  };
}

function toStoredSpan(made: MadeRecord): StoredRecord {
  const { run, traceId, spanId, parentSpanId, timeNs, durationNs, name, isError } = made;
  return {
    ...{ id: `${traceId}-${spanId}`, kind: "span", transactionId: made.transactionId },
    ...{ time: timeText(timeNs), receivedAt: timeText(made.receivedNs) },
    ...{ traceId, spanId, parentSpanId: parentSpanId || null, service: run.service },
    ...{ severityText: "", severityNumber: 0, message: name, body: name, isError, scope: "" },
    attributes: toAttributes({
      ...made.attributes,
      [ATTRIBUTE.spanSequence]: BigInt(made.sequence),
    }),
    resource: { [ATTRIBUTE.runId]: run.runId },
    span: {
      ...{ kind: KINDS[made.spanKind] ?? "", durationMs: Number(durationNs) / 1e6, events: [] },
      ...{ status: isError ? "error" : "unset", statusMessage: "" },
      links: made.links.map((link) => ({ ...link, attributes: toAttributes(link.attributes) })),
    },
  };
}

function toAttributes(given: Readonly<Record<string, FixtureValue>>): Attributes {
  const attributes: Record<string, AttributeValue> = {};
  for (const [name, value] of Object.entries(given)) {
    attributes[name] = typeof value === "bigint" ? Number(value) : (value as AttributeValue);
  }
  return attributes;
}

const SECOND_NS = 1_000_000_000n;
const seconds = new Map<bigint, string>();

/** As `formatRfc3339`; of a second's many records the second is written once. */
function timeText(ns: bigint): string {
  const second = ns / SECOND_NS;
  let text = seconds.get(second);
  if (text === undefined) {
    text = formatRfc3339(second * SECOND_NS).slice(0, -"000000000Z".length);
    seconds.set(second, text);
  }
  return `${text}${String(ns % SECOND_NS).padStart(9, "0")}Z`;
}
