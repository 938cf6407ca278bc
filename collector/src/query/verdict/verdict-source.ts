import type { BusLag } from "../../bus/bus.ts";
import type { StoredRecord } from "../../record.ts";
import type { StoredDeadLetter } from "../../store/dead-letter.ts";
import type { StoreReader, TransactionSummary } from "../../store/store.ts";
import { withDeadline } from "../deadline.ts";
import { findRfc3339 } from "../rfc3339.ts";
import type { Finding, FindingKind } from "./finding.ts";
import { type Judgement, judge } from "./judge.ts";
import { LedgerCache } from "./ledger-cache.ts";
import { findNamedRuns, RUNS_PER_TRANSACTION_MAX } from "./named-runs.ts";
import { TopicConsumers } from "./topic-consumers.ts";
import type { TopicConsumer, VerdictInput } from "./verdict-input.ts";

/** A verdict tells of no more dead letters one by one. */
const DEAD_LETTERS_MAX = 100;
/** Traces that are looked at for spans of other transactions, and how many of their spans. */
const TRACES_ASKED_MAX = 8;
const OTHERS_MAX = 1000;
/** The bus answers at once, or it is away; a verdict does not wait for it. */
const LAG_MS_MAX = 1000;

const HOP_FINDINGS: ReadonlySet<FindingKind> = new Set(["span", "hop", "message"]);

export type EvidenceReader = Pick<
  StoreReader,
  "countSpanLogs" | "ledgers" | "deadLetters" | "services" | "traceSpans" | "sourcedSpans"
>;

export interface VerdictSourceParts {
  readonly reader: EvidenceReader;
  readonly busLag: () => Promise<BusLag>;
  readonly nowNs: () => bigint;
}

export interface FoundTransaction {
  readonly summary: TransactionSummary;
  readonly spans: readonly StoredRecord[];
  /** It has more spans than these. */
  readonly isCut: boolean;
  /** As it was before the spans were read. */
  readonly busLag: BusLag | null;
}

/** Asks the store for what a verdict is made of, beside the transaction's spans. */
export class VerdictSource {
  readonly #parts: VerdictSourceParts;
  readonly #ledgers: LedgerCache;
  readonly #topics: TopicConsumers;

  constructor(parts: VerdictSourceParts) {
    const { reader } = parts;
    const nowMs = () => performance.now();
    this.#parts = parts;
    this.#ledgers = new LedgerCache({ reader, nowMs });
    this.#topics = new TopicConsumers({ reader, nowMs });
  }

  /** How far the indexers are behind; null where the bus cannot be asked. Before all the rest. */
  async findLag(): Promise<BusLag | null> {
    const deadline = { ms: LAG_MS_MAX, code: "BUS_UNAVAILABLE", what: "ask the bus" } as const;
    // Whoever asks sees it in the verdict: nobody knows then what the bus still holds.
    return withDeadline(this.#parts.busLag(), deadline).catch(() => null);
  }

  /** The verdict over what is stored; others' records are looked at where something is missing. */
  async judge(found: FoundTransaction): Promise<Judgement> {
    const input = await this.#gather(found);
    const judgement = judge(input);
    const others = await this.#findOthers(input, judgement);
    return others.length === 0 ? judgement : judge({ ...input, others });
  }

  async #gather(of: FoundTransaction): Promise<VerdictInput> {
    const { summary, spans, busLag } = of;
    const { transactionId, startedNs: fromNs, endedNs: toNs } = summary;
    const { items: spanLogs, isCut } = await this.#parts.reader.countSpanLogs(transactionId);
    const letters = await this.#findDeadLetters(summary);
    const named = findNamedRuns(spans, spanLogs);
    const ids = new Set([...named, ...letters.items.map(({ runId }) => runId)]);
    ids.delete("");
    const runIds = [...ids].slice(0, RUNS_PER_TRANSACTION_MAX);
    return {
      ...{ summary, spans, spanLogs, busLag, others: [] },
      ledgers: await this.#ledgers.find(runIds, { fromNs, toNs }),
      deadLetters: letters.items,
      topicConsumers: await this.#findConsumers(spans),
      nowNs: this.#parts.nowNs(),
      isCut: of.isCut || isCut || letters.isCut || ids.size > runIds.length,
    };
  }

  /**
   * Spans of other transactions that may be what is missing here: a transaction that was opened
   * inside of another one's span, a message that went on under an ID of its own, messages that were
   * merged into another transaction. Asked for only where something is missing.
   */
  async #findOthers(input: VerdictInput, judgement: Judgement): Promise<readonly StoredRecord[]> {
    const open = findOpenHops(judgement);
    const { transactionId } = input.summary;
    const traceIds = new Set(open.flatMap(({ traceId }) => traceId ?? []));
    const limit = OTHERS_MAX;
    const { reader } = this.#parts;
    const asked = [...traceIds]
      .slice(0, TRACES_ASKED_MAX)
      .map((traceId) => reader.traceSpans({ traceId, limit }));
    if (open.some(({ what }) => what === "message")) {
      asked.push(reader.sourcedSpans({ transactionId, limit }));
    }
    const pages = await Promise.all(asked);
    return pages.flatMap(({ items }) => items.filter((it) => it.transactionId !== transactionId));
  }

  async #findDeadLetters({ transactionId }: TransactionSummary): Promise<{
    readonly items: readonly StoredDeadLetter[];
    readonly isCut: boolean;
  }> {
    const filter = { transactionId, limit: DEAD_LETTERS_MAX };
    const { items, cursor, isCut } = await this.#parts.reader.deadLetters(filter);
    return { items, isCut: isCut || cursor !== null };
  }

  /** Most transactions send nothing, and then nobody is asked who consumes what. */
  async #findConsumers(spans: readonly StoredRecord[]): Promise<readonly TopicConsumer[]> {
    const sent = spans.filter(({ span }) => span?.kind === "producer");
    if (sent.length === 0) return [];
    return this.#topics.find(sent.flatMap(({ time }) => findRfc3339(time) ?? []));
  }
}

/** What a span of another transaction may settle. */
export function findOpenHops({ missing, doubts, waiting }: Judgement): readonly Finding[] {
  return [...missing, ...doubts, ...waiting].filter(({ what }) => HOP_FINDINGS.has(what));
}
