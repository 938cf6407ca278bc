import type { BusConsumer, DeliveredMessage, Position } from "../bus/bus.ts";
import { type ClewError, toClewError } from "../errors.ts";
import type { RecordKind } from "../record.ts";
import type { DeadLetter } from "../store/dead-letter.ts";
import type { StoreWriter, WriteBatch, WriteResult } from "../store/store.ts";
import { decodeDeadLetterMessage } from "./dead-letter-message.ts";
import type { DeadLetterSink } from "./dead-letter-sink.ts";
import { type Decoded, EMPTY_BATCH, IndexBatch } from "./index-batch.ts";
import { MessageDecoder } from "./message-decoder.ts";
import { RefusalClock } from "./refusal-clock.ts";
import { letterOfMessage, letterOfRecord } from "./refused-letters.ts";
import { TransactionKeys } from "./transaction-keys.ts";

/** What one write takes where the store says nothing: more would hold more memory, for nothing. */
const BATCH_MAX = { bytes: 1 * 1024 * 1024, records: 4000 };
const RETRY_DELAY_MIN_MS = 100;
const RETRY_DELAY_MAX_MS = 5000;
/** How often a whole batch is tried that the store says it can never take. */
const PERMANENT_ATTEMPTS_MAX = 3;

/** Totals since the start, and how it goes now. */
export interface IndexerStats {
  /** Records the store has, by kind: new ones and those that were there. */
  readonly stored: Readonly<Record<RecordKind, number>>;
  /** Of these, the ones that were there already. */
  readonly existing: number;
  readonly deadLetters: { readonly undecodable: number; readonly refused: number };
  /** Dead letters and acts upon them from the bus, brought into the store for searching. */
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
  /** Where dead letters go first; absent: to the store, in one act with the positions. */
  readonly deadLetterSink?: DeadLetterSink;
  /** Unix time. */
  readonly nowNs: () => bigint;
  /** Any clock that does not go back. */
  readonly nowMs: () => number;
  /** From 0 to 1. */
  readonly random: () => number;
  /** Resolves after so long, or rejects once the signal aborts. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<unknown>;
  /** After each batch, and each time something failed. */
  readonly onProgress: (stats: IndexerStats) => void;
}

/**
 * Moves records from the bus into the store. An offset is committed only after the store has, or a
 * dead letter durably holds, every record before it; until then it tries again, for ever.
 */
export class Indexer {
  readonly #options: IndexerOptions;
  readonly #keys: TransactionKeys;
  readonly #decoder: MessageDecoder;
  readonly #refusalClock: RefusalClock;
  readonly #batchMax: { readonly bytes: number; readonly records: number };
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
    this.#refusalClock = new RefusalClock(options.nowNs);
    this.#batchMax = options.store.batch ?? BATCH_MAX;
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
        const messages = await consumer.read({ maxBytes: this.#batchMax.bytes, signal });
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
    let batch = new IndexBatch(this.#options.nowMs());
    for (const message of messages) {
      this.#refusalClock.hear(message.headers.replayedNs);
      for (const decoded of this.#decode(message)) {
        batch.add(decoded);
        if (batch.records < this.#batchMax.records) continue;
        await this.#settle(batch, signal);
        batch = new IndexBatch(this.#options.nowMs());
      }
      batch.move(message);
    }
    await this.#settle(batch, signal);
  }

  /** What cannot be decoded becomes a dead letter, with the bytes as they came. */
  *#decode(message: DeliveredMessage): Generator<Decoded> {
    try {
      if (message.topic === "dead-letters") {
        yield decodeDeadLetterMessage(message.value);
        this.#counts.projected++;
        return;
      }
      const lists = this.#decoder.decode(message, this.#batchMax.records);
      for (const records of lists) yield { records };
    } catch (thrown) {
      this.#deadLetters.undecodable++;
      const refusal = { error: toClewError(thrown), refusedNs: this.#refusalClock.now() };
      yield { undecodable: letterOfMessage(message, refusal) };
    }
  }

  /** Resolves once everything of the batch is safe and its offsets on the way to the bus. */
  async #settle(batch: IndexBatch, signal: AbortSignal): Promise<void> {
    const whole = batch.toWrite(await this.#post(batch.undecodable, signal));
    await this.#write(whole, { signal, isWhole: true });
    if (whole.nextPositions.length > 0) await this.#commit(whole.nextPositions);
    this.#counts.batches++;
    this.#counts.busyMs += this.#options.nowMs() - batch.startedMs;
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
    const { records } = batch;
    const half = Math.ceil(records.length / 2);
    const part = { signal: how.signal, isWhole: false };
    if (records.length > 1) {
      await this.#write({ ...EMPTY_BATCH, records: records.slice(0, half) }, part);
      return this.#write({ ...batch, records: records.slice(half) }, part);
    }
    const why = { why: result.message, status: null, refusedNs: this.#refusalClock.now() };
    const letters = await this.#refuse(
      records.map((record) => letterOfRecord(record, why)),
      how.signal,
    );
    const deadLetters = [...batch.deadLetters, ...letters];
    return this.#write({ ...batch, records: [], deadLetters }, part);
  }

  /** Refused records become dead letters, in the one act that also moves the positions. */
  async #countStored(batch: WriteBatch, result: WriteResult, signal: AbortSignal): Promise<void> {
    const blamed = new Set(result.refused.map(({ index }) => index));
    batch.records.forEach((record, index) => {
      if (!blamed.has(index)) this.#stored[record.kind]++;
    });
    this.#counts.existing += result.existing;
    if (result.refused.length === 0) return;
    const refusedNs = this.#refusalClock.now();
    const letters = result.refused.flatMap(({ index, reason: why, status }) => {
      const record = batch.records[index];
      return record === undefined ? [] : [letterOfRecord(record, { why, status, refusedNs })];
    });
    const deadLetters = await this.#refuse(letters, signal);
    const { nextPositions } = batch;
    await this.#write({ ...EMPTY_BATCH, deadLetters, nextPositions }, { signal, isWhole: false });
  }

  #refuse(letters: readonly DeadLetter[], signal: AbortSignal): Promise<readonly DeadLetter[]> {
    this.#deadLetters.refused += letters.length;
    return this.#post(letters, signal);
  }

  /**
   * Resolves once the letters are durable where they go first, however long that takes: until then
   * nothing moves. Answers those that the store has to hold itself.
   */
  async #post(letters: readonly DeadLetter[], signal: AbortSignal): Promise<readonly DeadLetter[]> {
    const { deadLetterSink } = this.#options;
    if (deadLetterSink === undefined || letters.length === 0) return letters;
    for (let attempt = 1; ; attempt++) {
      signal.throwIfAborted();
      try {
        await deadLetterSink.publish(letters);
        this.#lastError = undefined;
        return [];
      } catch (thrown) {
        await this.#wait(attempt, toClewError(thrown), signal);
      }
    }
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
        await this.#wait(attempt, error, signal);
      }
    }
  }

  /** Says why nothing moves, and waits for longer each time. */
  async #wait(attempt: number, error: ClewError, signal: AbortSignal): Promise<void> {
    this.#lastError = error.message;
    this.#options.onProgress(this.stats());
    await this.#options.wait(this.#retryDelayMs(attempt), signal);
  }

  #retryDelayMs(attempt: number): number {
    const delayMs = Math.min(RETRY_DELAY_MAX_MS, RETRY_DELAY_MIN_MS * 2 ** Math.min(attempt, 16));
    return delayMs * (0.5 + this.#options.random() / 2);
  }
}
