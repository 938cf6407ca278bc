import type { Admin, Kafka } from "kafkajs";
import { ClewError } from "../../errors.ts";
import type { BusLag, MessageHeaders, Position, Topic } from "../bus.ts";
import { toKafkaError } from "./kafka-errors.ts";
import { readGroupOffsets } from "./kafka-group-offsets.ts";
import { KafkaLagLedger } from "./kafka-lag-ledger.ts";
import { sampleMessages } from "./kafka-lag-sample.ts";

export interface KafkaLagOptions {
  readonly client: Kafka;
  /** Connected by whoever has it. */
  readonly admin: Admin;
  readonly groupId: string;
  readonly topicPrefix: string;
  readonly topics: readonly Topic[];
  readonly nowNs?: () => bigint;
}

/** What waits in one partition. */
interface Waiting {
  readonly begin: number;
  readonly end: number;
  readonly known: number;
  readonly records: number;
  readonly oldestNs: bigint | undefined;
}

const READ_TIMEOUT_MS = 5_000;
/** Between two looks at messages that others published. */
const SAMPLE_INTERVAL_MS = 60_000;

/**
 * How far the consumer group is behind. `messages` is exact, by offsets. `records` and `seconds`
 * are exact for what this process published, and for what a sample of the oldest messages showed;
 * what else waits is counted with the mean of those, and is as old as it was first seen here.
 */
export class KafkaLag {
  readonly #options: KafkaLagOptions;
  readonly #nowNs: () => bigint;
  readonly #ledgers = new Map<string, KafkaLagLedger>();
  /** Where each partition ended, and since when its first message waits, at the read before. */
  #before = new Map<string, { begin: number; end: number; seenNs: bigint }>();
  #published = { messages: 0, records: 0 };
  #reading: Promise<BusLag> | undefined;
  #sampling: Promise<void> | undefined;
  #sampledMs = Number.NEGATIVE_INFINITY;

  constructor(options: KafkaLagOptions) {
    this.#options = options;
    this.#nowNs = options.nowNs ?? (() => BigInt(Date.now()) * 1_000_000n);
  }

  /** This process published a message, there. */
  published({ partition, offset }: Position, { records, receivedNs }: MessageHeaders): void {
    this.#note(partition, { offset, records, receivedNs });
  }

  /** @throws ClewError BUS_UNAVAILABLE where Kafka does not answer in time. */
  async read(): Promise<BusLag> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    try {
      return await withDeadline(this.#reading);
    } catch (cause) {
      throw toKafkaError(cause, { act: "read the lag", resource: this.#options.groupId });
    }
  }

  async #read(): Promise<BusLag> {
    const waiting = await this.#readWaiting();
    const isUnseen = ([name, { begin, end, known }]: [string, Waiting]) => {
      const endBefore = this.#before.get(name)?.end ?? end;
      return known < end - begin && begin < endBefore;
    };
    const unseen = new Map([...waiting].filter(isUnseen));
    this.#remember(waiting);
    if (unseen.size === 0) return this.#sum(waiting);
    // Only the first is waited for: joining a group takes seconds on a cluster of its own.
    const isFirst = this.#sampledMs === Number.NEGATIVE_INFINITY;
    const sampling = this.#sample(unseen);
    if (!isFirst) return this.#sum(waiting);
    await sampling;
    return this.#sum(await this.#readWaiting());
  }

  async #readWaiting(): Promise<Map<string, Waiting>> {
    const waiting = new Map<string, Waiting>();
    for (const [name, { low, end, committed }] of await readGroupOffsets(this.#options)) {
      const begin = Math.min(end, Math.max(low, committed ?? 0));
      const pending = this.#ledgers.get(name)?.pending({ begin, end });
      const { messages: known = 0, records = 0, oldestNs } = pending ?? {};
      waiting.set(name, { begin, end, known, records, oldestNs });
    }
    return waiting;
  }

  #sum(waiting: ReadonlyMap<string, Waiting>): BusLag {
    const { messages: seen, records: counted } = this.#published;
    const mean = seen === 0 ? 1 : counted / seen;
    const nowNs = this.#nowNs();
    let messages = 0;
    let records = 0;
    let oldestNs = nowNs;
    for (const [name, each] of waiting) {
      const count = each.end - each.begin;
      if (count === 0) continue;
      messages += count;
      records += each.records + Math.round(mean * Math.max(0, count - each.known));
      const since = each.oldestNs ?? this.#before.get(name)?.seenNs ?? nowNs;
      if (since < oldestNs) oldestNs = since;
    }
    return { messages, records, seconds: Number(nowNs - oldestNs) / 1e9 };
  }

  #remember(waiting: ReadonlyMap<string, Waiting>): void {
    const nowNs = this.#nowNs();
    const entries = [...waiting].map(([name, { begin, end }]) => {
      const before = this.#before.get(name);
      const seenNs = before?.begin === begin && begin < end ? before.seenNs : nowNs;
      return [name, { begin, end, seenNs }] as const;
    });
    this.#before = new Map(entries);
  }

  /** Looks at messages nobody here knows of: from before this process, or of other producers. */
  #sample(ranges: ReadonlyMap<string, Waiting>): Promise<void> {
    if (this.#sampling) return this.#sampling;
    if (performance.now() - this.#sampledMs < SAMPLE_INTERVAL_MS) return Promise.resolve();
    this.#sampledMs = performance.now();
    this.#sampling = sampleMessages({
      ...this.#options,
      ranges,
      onMessage: (partition, entry) => this.#note(partition, entry),
    })
      // Without the right to join such a group the figures are estimates, as the docs say.
      .catch(() => undefined)
      .finally(() => {
        this.#sampling = undefined;
      });
    return this.#sampling;
  }

  #note(partition: string, entry: { offset: number; records: number; receivedNs: bigint }): void {
    let ledger = this.#ledgers.get(partition);
    if (ledger === undefined) {
      ledger = new KafkaLagLedger();
      this.#ledgers.set(partition, ledger);
    }
    ledger.add(entry);
    this.#published.messages++;
    this.#published.records += entry.records;
  }
}

async function withDeadline<T>(work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const why = `cannot read the lag: Kafka has not answered for ${READ_TIMEOUT_MS} ms`;
  const timer = setTimeout(() => reject(new ClewError("BUS_UNAVAILABLE", why)), READ_TIMEOUT_MS);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
