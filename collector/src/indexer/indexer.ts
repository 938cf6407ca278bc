import type { BusConsumer, DeliveredMessage, Position } from "../bus/bus.ts";
import { type ClewError, toClewError } from "../errors.ts";
import type { IncomingRecord, RecordKind } from "../record.ts";
import type { DeadLetter, StoreWriter, WriteBatch, WriteResult } from "../store/store.ts";
import { decodeDeadLetter } from "./dead-letter-message.ts";
import { MessageDecoder } from "./message-decoder.ts";
import { recordRequest } from "./record-request.ts";
import { TransactionKeys } from "./transaction-keys.ts";

/** One transaction of the store; more would hold more memory and hardly be faster. */
const BATCH_BYTES_MAX = 1 * 1024 * 1024;
const BATCH_RECORDS_MAX = 4000;
const RETRY_DELAY_MIN_MS = 100;
const RETRY_DELAY_MAX_MS = 5000;
/** How often a whole batch is tried that the store says it can never take. */
const PERMANENT_ATTEMPTS_MAX = 3;
const DETAIL_CHARACTERS_MAX = 1024;

/** Totals since the start, and how it goes now. */
export interface IndexerStats {
  /** Records the store has, by kind: new ones and those that were there. */
  readonly stored: Readonly<Record<RecordKind, number>>;
  /** Of these, the ones that were there already. */
  readonly existing: number;
  readonly deadLetters: { readonly undecodable: number; readonly refused: number };
  /** Dead letters from the bus, brought into the store for searching. */
  readonly projected: number;
  readonly batches: number;
  /** Time from a batch's first record to its commit. */
  readonly busyMs: number;
  /** Values under a transaction key that are no transaction IDs. */
  readonly ignoredTransactionIds: number;
  /** Why the last attempt failed; undefined once one succeeded. */
  readonly lastError: string | undefined;
}

export interface IndexerOptions {
  readonly consumer: BusConsumer;
  readonly store: StoreWriter;
  readonly transactionKeys: readonly string[];
  /** Any clock that does not go back. */
  readonly nowMs: () => number;
  /** From 0 to 1. */
  readonly random: () => number;
  /** Resolves after so long, or rejects once the signal aborts. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<unknown>;
  /** After each batch, and each time something failed. */
  readonly onProgress: (stats: IndexerStats) => void;
}

interface Batch {
  readonly records: IncomingRecord[];
  readonly deadLetters: DeadLetter[];
  /** Next offset by partition: a message moves it once its last record is in the batch. */
  readonly nextOffsets: Map<string, number>;
  readonly startedMs: number;
}

/** A part of a message, or what became of it. */
interface Decoded {
  readonly records: readonly IncomingRecord[];
  readonly deadLetters: readonly DeadLetter[];
}

/**
 * Moves records from the bus into the store. An offset is committed only after the store has, or a
 * dead letter durably holds, every record before it; until then it tries again, for ever.
 */
export class Indexer {
  readonly #options: IndexerOptions;
  readonly #keys: TransactionKeys;
  readonly #decoder: MessageDecoder;
  readonly #abort = new AbortController();
  readonly #stored = { log: 0, span: 0 };
  readonly #deadLetters = { undecodable: 0, refused: 0 };
  #counts = { existing: 0, projected: 0, batches: 0, busyMs: 0 };
  #lastError: string | undefined;
  #running: Promise<void> | undefined;
  #committing: Promise<unknown> | undefined;

  constructor(options: IndexerOptions) {
    this.#options = options;
    this.#keys = new TransactionKeys(options.transactionKeys);
    this.#decoder = new MessageDecoder(this.#keys);
  }

  stats(): IndexerStats {
    return {
      stored: { ...this.#stored },
      deadLetters: { ...this.#deadLetters },
      ...this.#counts,
      ignoredTransactionIds: this.#keys.ignored,
      lastError: this.#lastError,
    };
  }

  /** Resolves after `stop`, or once the consumer ends. Rejects where the bus cannot be read. */
  run(): Promise<void> {
    this.#running ??= this.#run(this.#abort.signal);
    return this.#running;
  }

  /** Resolves once the batch in hand is settled or given back to the bus. */
  async stop(): Promise<void> {
    this.#abort.abort();
    // Whoever called `run` hears why it failed.
    await this.#running?.catch(() => undefined);
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { consumer } = this.#options;
    try {
      while (!signal.aborted) {
        const messages = await consumer.read({ maxBytes: BATCH_BYTES_MAX, signal });
        if (messages.length === 0) break;
        await this.#index(messages, signal);
      }
      await this.#committing;
    } catch (error) {
      // A bus that stops first delivers again what was not committed.
      if (signal.aborted || toClewError(error).code === "BUS_STOPPED") return;
      throw error;
    }
  }

  async #index(messages: readonly DeliveredMessage[], signal: AbortSignal): Promise<void> {
    let batch = this.#emptyBatch();
    for (const message of messages) {
      for (const { records, deadLetters } of this.#decode(message)) {
        for (const record of records) batch.records.push(record);
        for (const letter of deadLetters) batch.deadLetters.push(letter);
        if (batch.records.length < BATCH_RECORDS_MAX) continue;
        await this.#settle(batch, signal);
        batch = this.#emptyBatch();
      }
      batch.nextOffsets.set(message.partition, message.offset + 1);
    }
    await this.#settle(batch, signal);
  }

  /** What cannot be decoded becomes a dead letter, with the bytes as they came. */
  *#decode(message: DeliveredMessage): Generator<Decoded> {
    try {
      if (message.topic === "dead-letters") {
        yield { records: [], deadLetters: [decodeDeadLetter(message.value)] };
        this.#counts.projected++;
        return;
      }
      for (const records of this.#decoder.decode(message, BATCH_RECORDS_MAX)) {
        yield { records, deadLetters: [] };
      }
    } catch (error) {
      this.#deadLetters.undecodable++;
      yield { records: [], deadLetters: [undecodable(message, toClewError(error))] };
    }
  }

  /** Resolves once everything of the batch is safe and its offsets on the way to the bus. */
  async #settle(batch: Batch, signal: AbortSignal): Promise<void> {
    const { nowMs } = this.#options;
    const { records, deadLetters, nextOffsets } = batch;
    const nextPositions = [...nextOffsets].map(([partition, offset]) => ({ partition, offset }));
    await this.#write({ records, deadLetters, nextPositions }, { signal, isWhole: true });
    if (nextPositions.length > 0) await this.#commit(nextPositions);
    this.#counts.batches++;
    this.#counts.busyMs += nowMs() - batch.startedMs;
    this.#options.onProgress(this.stats());
  }

  /**
   * Waits for the bus's answer to the commit before this one only: the bus may be busy receiving,
   * and the store need not stand still for that. A crash between delivers again what is stored.
   */
  async #commit(nextPositions: readonly Position[]): Promise<void> {
    const { consumer } = this.#options;
    const before = this.#committing;
    this.#committing = Promise.all(nextPositions.map((position) => consumer.commit(position)));
    // Whoever waits for it, at the next batch or the end, hears why it failed.
    this.#committing.catch(() => undefined);
    await before;
  }

  /**
   * Writes until every record is stored or a dead letter. Where the store says that a batch can
   * never be written, halves find the record that is to blame.
   */
  async #write(
    batch: WriteBatch,
    how: { readonly signal: AbortSignal; readonly isWhole: boolean },
  ): Promise<void> {
    const result = await this.#attempt(batch, how);
    if (!("code" in result)) return this.#countStored(batch, result, how.signal);
    const { records, deadLetters, nextPositions } = batch;
    const half = Math.ceil(records.length / 2);
    const rest = { records: records.slice(half), deadLetters, nextPositions };
    const part = { signal: how.signal, isWhole: false };
    if (records.length > 1) {
      const firstHalf = { records: records.slice(0, half), deadLetters: [], nextPositions: [] };
      await this.#write(firstHalf, part);
      return this.#write(rest, part);
    }
    const letters = records.map((record) => refused(record, result.message));
    this.#deadLetters.refused += letters.length;
    return this.#write({ ...rest, deadLetters: [...deadLetters, ...letters] }, part);
  }

  /** Refused records become dead letters, in the one act that also moves the positions. */
  async #countStored(batch: WriteBatch, result: WriteResult, signal: AbortSignal): Promise<void> {
    const blamed = new Set(result.refused.map(({ index }) => index));
    batch.records.forEach((record, index) => {
      if (!blamed.has(index)) this.#stored[record.kind]++;
    });
    this.#counts.existing += result.existing;
    if (result.refused.length === 0) return;
    const deadLetters = result.refused.flatMap(({ index, reason }) => {
      const record = batch.records[index];
      return record === undefined ? [] : [refused(record, reason)];
    });
    this.#deadLetters.refused += deadLetters.length;
    const { nextPositions } = batch;
    await this.#write({ records: [], deadLetters, nextPositions }, { signal, isWhole: false });
  }

  /** The store's answer, or the error that says the batch can never be written. */
  async #attempt(
    batch: WriteBatch,
    { signal, isWhole }: { readonly signal: AbortSignal; readonly isWhole: boolean },
  ): Promise<WriteResult | ClewError> {
    for (let attempt = 1; ; attempt++) {
      signal.throwIfAborted();
      try {
        const result = await this.#options.store.write(batch);
        this.#lastError = undefined;
        return result;
      } catch (thrown) {
        const error = toClewError(thrown);
        const attemptsMax = isWhole ? PERMANENT_ATTEMPTS_MAX : 1;
        // Without records there is nobody to blame: dead letters and positions must get through.
        const canBlame = !error.kind.isRetryable && batch.records.length > 0;
        if (canBlame && attempt >= attemptsMax) return error;
        this.#lastError = error.message;
        this.#options.onProgress(this.stats());
        await this.#options.wait(this.#retryDelayMs(attempt), signal);
      }
    }
  }

  #emptyBatch(): Batch {
    const startedMs = this.#options.nowMs();
    return { records: [], deadLetters: [], nextOffsets: new Map(), startedMs };
  }

  #retryDelayMs(attempt: number): number {
    const delayMs = Math.min(RETRY_DELAY_MAX_MS, RETRY_DELAY_MIN_MS * 2 ** Math.min(attempt, 16));
    return delayMs * (0.5 + this.#options.random() / 2);
  }
}

function undecodable(message: DeliveredMessage, error: ClewError): DeadLetter {
  const { headers, topic, value } = message;
  return {
    id: `${headers.requestId}-${headers.part}`,
    receivedNs: headers.receivedNs,
    transactionId: "",
    service: "",
    reason: "undecodable",
    detail: error.message.slice(0, DETAIL_CHARACTERS_MAX),
    topic,
    original: value,
  };
}

function refused(record: IncomingRecord, why: string): DeadLetter {
  return {
    id: record.id,
    receivedNs: record.receivedNs,
    transactionId: record.transactionId,
    service: record.service,
    reason: "refused",
    detail: why.slice(0, DETAIL_CHARACTERS_MAX),
    topic: record.kind === "log" ? "logs" : "traces",
    original: recordRequest(record),
  };
}
