import type { BusLag } from "../../bus/bus.ts";
import type { StoredRecord } from "../../record.ts";
import type { StoredDeadLetter } from "../../store/dead-letter.ts";
import type { RunLedger, SpanLogCount } from "../../store/ledger.ts";
import type { TransactionSummary } from "../../store/store.ts";

/** A service that is known to work on the messages of a topic. */
export interface TopicConsumer {
  readonly topic: string;
  readonly service: string;
}

/** All that a verdict is made of: plain data, so that it can be judged without any store. */
export interface VerdictInput {
  readonly summary: TransactionSummary;
  /** Its spans, in any order; summaries of unsampled ones are spans like others. */
  readonly spans: readonly StoredRecord[];
  readonly spanLogs: readonly SpanLogCount[];
  /** Of the runs that took part, and of those that its spans name; unknown ones are left out. */
  readonly ledgers: readonly RunLedger[];
  /** Those of the transaction, whatever was done with them. */
  readonly deadLetters: readonly StoredDeadLetter[];
  /**
   * Spans of other transactions, or of none, that belong to its hops: in the same traces, or made
   * from messages of this one. What one of its spans names may be among them, and is not missing.
   */
  readonly others: readonly StoredRecord[];
  /** Services that worked on the topics it sent to, in this transaction or in others. */
  readonly topicConsumers: readonly TopicConsumer[];
  /** Null where the bus cannot be asked: then nobody knows what it still holds. */
  readonly busLag: BusLag | null;
  /** By the collector's clock. */
  readonly nowNs: bigint;
  /** Not all of the above could be looked at: nothing is `complete` then. */
  readonly isCut: boolean;
}
