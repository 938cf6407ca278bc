import type { StoredRecord, TransactionStatus, Verdict } from "../record.ts";
import type { TransactionSummary } from "../store/store.ts";
import type { TransactionLetter } from "./dead-letters/transaction-letters.ts";
import { deriveHops } from "./derive-hops.ts";
import { deriveSteps, type Step } from "./derive-steps.ts";
import type { Hop } from "./hop.ts";
import { formatRfc3339 } from "./rfc3339.ts";
import { SpanIndex } from "./span-index.ts";
import { findFirstFailure } from "./timing/first-failure.ts";
import { type TransactionTiming, timeTransaction } from "./timing/transaction-timing.ts";
import type { Finding } from "./verdict/finding.ts";
import type { Judgement } from "./verdict/judge.ts";

/** A transaction as `GET /transactions` lists it. */
export interface TransactionView {
  readonly transactionId: string;
  /** Name of the entry span; empty where no entry span is known. */
  readonly operation: string;
  readonly status: TransactionStatus;
  readonly verdict: Verdict;
  /** Why the verdict is what it is, for a person to read. */
  readonly verdictReason: string;
  /** What is certainly missing; only an `incomplete` transaction has entries. */
  readonly missing: readonly Finding[];
  /** What may be missing, and what nobody can know. */
  readonly doubts: readonly Finding[];
  /** What may still come. */
  readonly waiting: readonly Finding[];
  readonly startedAt: string;
  readonly endedAt: string;
  readonly durationMs: number;
  /** By when it had to be over, as a service said last; null where none did. */
  readonly deadlineAt: string | null;
  /** A service stated how it ended, and only after the deadline. */
  readonly isLate: boolean;
  readonly services: readonly string[];
  readonly counts: {
    readonly logs: number;
    readonly spans: number;
    readonly errors: number;
    readonly deadLetters: number;
  };
}

/** A transaction as `GET /transactions/{id}` answers it. */
export interface TransactionDetail extends TransactionView {
  /** In any state, those refused last first; `counts.deadLetters` are the open ones. */
  readonly deadLetters: readonly TransactionLetter[];
  readonly traceIds: readonly string[];
  readonly hops: readonly Hop[];
  /** The `id` of the hop at which it first went wrong; null where none failed. */
  readonly firstFailingHop: string | null;
  /** Where its time went (timing/transaction-timing.ts). */
  readonly timing: TransactionTiming;
  /** What services told of its steps, by their start. */
  readonly steps: readonly Step[];
  /** Not all could be looked at: hops, steps and trace IDs may be missing from this answer. */
  readonly isCut: boolean;
}

/** More spans than this are not made into hops; a person could not read them either. */
export const VIEW_SPANS_MAX = 10_000;
const TRACE_IDS_MAX = 1000;

export function viewTransaction(
  summary: TransactionSummary,
  judgement: Judgement,
): TransactionView {
  const durationNs = summary.endedNs - summary.startedNs;
  const { deadlineNs, statedNs } = summary;
  return {
    transactionId: summary.transactionId,
    operation: summary.operation,
    status: summary.status,
    verdict: judgement.verdict,
    verdictReason: judgement.reason,
    missing: judgement.missing,
    doubts: judgement.doubts,
    waiting: judgement.waiting,
    startedAt: formatRfc3339(summary.startedNs),
    endedAt: formatRfc3339(summary.endedNs),
    durationMs: Math.max(0, Number(durationNs) / 1e6),
    deadlineAt: deadlineNs === null ? null : formatRfc3339(deadlineNs),
    isLate: deadlineNs !== null && statedNs !== null && statedNs > deadlineNs,
    services: summary.services,
    counts: {
      logs: summary.logs,
      spans: summary.spans,
      errors: summary.errors,
      deadLetters: summary.deadLetters,
    },
  };
}

/**
 * @param records the transaction's spans, in any order, at most `VIEW_SPANS_MAX` of them; where it
 * has none, some of its logs, whose trace IDs are then all that is known.
 * @param events its log records that tell of steps.
 * @param isCut whether the store holds more than was given.
 */
export function viewTransactionDetail(found: {
  readonly summary: TransactionSummary;
  readonly judgement: Judgement;
  readonly deadLetters: readonly TransactionLetter[];
  readonly records: readonly StoredRecord[];
  readonly events: readonly StoredRecord[];
  readonly isCut: boolean;
}): TransactionDetail {
  const records = found.records.slice(0, VIEW_SPANS_MAX);
  const traceIds = new Set<string>();
  for (const { traceId } of records) if (traceId) traceIds.add(traceId);
  const index = new SpanIndex(records);
  const { hops, isCut } = deriveHops(records, index);
  const { steps, isCut: areStepsCut } = deriveSteps(found.events);
  return {
    ...viewTransaction(found.summary, found.judgement),
    deadLetters: found.deadLetters,
    traceIds: [...traceIds].slice(0, TRACE_IDS_MAX),
    hops,
    firstFailingHop: findFirstFailure(hops),
    timing: timeTransaction(records, index),
    steps,
    isCut:
      found.isCut ||
      isCut ||
      areStepsCut ||
      traceIds.size > TRACE_IDS_MAX ||
      found.records.length > records.length,
  };
}
