import type { RunLedger } from "../../store/ledger.ts";
import { SpanIndex } from "../span-index.ts";
import { gatherParticipants, type Participant } from "./participant.ts";
import { SECOND_NS, SETTLE_NS } from "./settle-times.ts";
import { describeSpan, type SpanFact, spanKey } from "./span-fact.ts";
import type { VerdictInput } from "./verdict-input.ts";

/** Spans of somebody who was called, or got a message. */
const ANSWERING_KINDS: ReadonlySet<string> = new Set(["server", "consumer"]);

/** What is known of one transaction, arranged so that each rule finds what it asks for. */
export class Evidence {
  readonly input: VerdictInput;
  readonly spans: readonly SpanFact[];
  /** Its hops: who called whom. */
  readonly index: SpanIndex;
  /** The runs that made records of it, by run id. */
  readonly participants: ReadonlyMap<string, Participant>;
  /** Services that made records of it without telling of any run. */
  readonly uncounted: ReadonlySet<string>;
  /** When the last thing known of it happened: never after its receipt, whatever a clock said. */
  readonly endedNs: bigint;
  /** When the last of its records is known to have been received, by the collector's clock. */
  readonly lastReceivedNs: bigint;
  /** Whatever was received before this is in the store; 0 where nobody knows. */
  readonly indexedUntilNs: bigint;
  readonly #ledgers: ReadonlyMap<string, RunLedger>;
  readonly #keys = new Set<string>();
  readonly #answers = new Map<string, SpanFact[]>();

  constructor(input: VerdictInput) {
    this.input = input;
    this.spans = input.spans.filter(({ span }) => span !== null).map(describeSpan);
    this.index = new SpanIndex(input.spans);
    this.#ledgers = new Map(input.ledgers.map((ledger) => [ledger.runId, ledger]));
    const { participants, uncounted } = gatherParticipants(this.spans, input.spanLogs);
    this.participants = participants;
    this.uncounted = uncounted;
    this.indexedUntilNs = findIndexedUntil(input);
    this.endedNs = this.#findEnd();
    this.lastReceivedNs = this.#findLastReceived();
    for (const span of this.spans) {
      this.#keys.add(span.key);
      this.#addAnswer(span);
    }
    for (const record of input.others) {
      this.#keys.add(spanKey(record.traceId, record.spanId));
      if (ANSWERING_KINDS.has(record.span?.kind ?? "")) this.#addAnswer(describeSpan(record));
    }
  }

  ledger(runId: string): RunLedger | undefined {
    return this.#ledgers.get(runId);
  }

  /** Whether it is stored, of this transaction or another. */
  hasSpan(key: string): boolean {
    return this.#keys.has(key);
  }

  /** Server and consumer spans that say they answer this call. */
  answersTo(call: SpanFact): readonly SpanFact[] {
    return this.#answers.get(call.key) ?? [];
  }

  /**
   * Whether something may still arrive that is known of since then: it was not sent yet, is held,
   * is sent again after a failure, or lies in the bus.
   * @param sinceNs by the collector's clock, as the receipt of the record that tells of it.
   */
  mayStillCome(sinceNs: bigint): boolean {
    return sinceNs + SETTLE_NS >= this.indexedUntilNs;
  }

  /** Certain, once it cannot come any more. */
  missingSince(sinceNs: bigint): "missing" | "waiting" {
    return this.mayStillCome(sinceNs) ? "waiting" : "missing";
  }

  /** Possible, once it cannot come any more. */
  doubtSince(sinceNs: bigint): "doubt" | "waiting" {
    return this.mayStillCome(sinceNs) ? "waiting" : "doubt";
  }

  /** A span answers its parent, the client that shares its id (B3), and those it links to. */
  #addAnswer(span: SpanFact): void {
    if (!ANSWERING_KINDS.has(span.kind)) return;
    const links = span.record.span?.links ?? [];
    const keys = [span.parentKey, span.key, ...links.map((it) => spanKey(it.traceId, it.spanId))];
    for (const key of new Set(keys)) {
      if (key === "") continue;
      const answers = this.#answers.get(key);
      if (answers === undefined) this.#answers.set(key, [span]);
      else answers.push(span);
    }
  }

  #findEnd(): bigint {
    let last = 0n;
    for (const { lastNs, aheadNs } of this.participants.values()) {
      if (lastNs - aheadNs > last) last = lastNs - aheadNs;
    }
    return last < this.input.nowNs ? last : this.input.nowNs;
  }

  /** Logs are only counted, so that of them the time stands for the receipt. */
  #findLastReceived(): bigint {
    let last = this.endedNs;
    for (const { receivedNs } of this.spans) if (receivedNs > last) last = receivedNs;
    return last < this.input.nowNs ? last : this.input.nowNs;
  }
}

function findIndexedUntil({ busLag, nowNs }: VerdictInput): bigint {
  if (busLag === null) return 0n;
  if (busLag.messages === 0 && busLag.records === 0) return nowNs;
  return nowNs - BigInt(Math.ceil(Math.max(0, busLag.seconds) * Number(SECOND_NS)));
}
