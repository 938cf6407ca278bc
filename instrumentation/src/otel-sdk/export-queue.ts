import { clearTimeout, setTimeout } from "node:timers";
import { type ExportResult, ExportResultCode } from "@opentelemetry/core";
import { countDropped, countFault, type Signal, type SignalStats } from "../stats.ts";
import { EMPTY_CONTEXT, runIn } from "../transaction/transaction-context.ts";
import type { BatchSettings } from "./config.ts";
import { judgeFailure } from "./export-failure.ts";

/** How long a batch rests that could not be delivered: doubled between the two, with jitter. */
const RETRY_DELAY_MS_MIN = 500;
const RETRY_DELAY_MS_MAX = 30_000;
/** How often a batch is tried whose failure says nothing about whether it will pass. */
const UNCLEAR_ATTEMPTS_MAX = 8;

/** What the SDK's span and log record exporters have in common. */
export interface RecordExporter<T> {
  export(records: T[], done: (result: ExportResult) => void): void;
  shutdown(): Promise<void>;
}

export interface ExportQueueOptions<T> {
  /** For messages to the operator, as `otlp-grpc`. */
  readonly name: string;
  readonly signal: Signal;
  readonly exporter: RecordExporter<T>;
  readonly batches: BatchSettings;
  /** Where its deliveries and losses are counted. */
  readonly stats: SignalStats;
  /** The transaction a record belongs to; undefined where another path delivers it as well. */
  readonly transactionIdOf: ((record: T) => string | undefined) | undefined;
  /** One sentence for the operator; each kind of trouble is told once. */
  readonly report: (message: string) => void;
  readonly random?: () => number;
}

/** Our own requests are never traced. */
const SUPPRESSED = EMPTY_CONTEXT.with({ suppressed: true });

/**
 * Stands between the recorder and an exporter of OpenTelemetry's SDK, in the place of its
 * BatchSpanProcessor, which drops without counting. The queue is bounded: beyond `queueRecords` the
 * oldest go, counted. A batch that fails is tried again until there is no room for it any more.
 */
export class ExportQueue<T> {
  readonly #options: ExportQueueOptions<T>;
  #waiting: T[] = [];
  #sending: T[] = [];
  #current: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Failures one after the other, and those of them that were unclear. */
  #failures = 0;
  #unclear = 0;
  #restUntilMs = 0;
  #isStopped = false;
  readonly #reported = new Set<string>();

  constructor(options: ExportQueueOptions<T>) {
    this.#options = options;
  }

  push(record: T): void {
    if (this.#isStopped) {
      this.#drop([record]);
      return;
    }
    this.#waiting.push(record);
    this.#evict();
    const { batchRecords, delayMs } = this.#options.batches;
    if (this.#waiting.length >= batchRecords) this.#plan(0);
    else if (this.#timer === undefined) this.#plan(delayMs);
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0 && this.#sending.length === 0;
  }

  /** Sends what waits until nothing does, a batch fails, or the time is over. */
  async drain(deadlineMs: number): Promise<void> {
    const until = performance.now() + deadlineMs;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const over = Promise.withResolvers<void>();
    const timer = setTimeout(over.resolve, deadlineMs);
    await Promise.race([this.#sendAll(until), over.promise]);
    clearTimeout(timer);
  }

  /** Counts what is still here as dropped: the process ends. Says how many records that were. */
  abandon(): number {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    const left = [...this.#sending, ...this.#waiting];
    this.#waiting = [];
    this.#sending = [];
    this.#drop(left);
    return left.length;
  }

  async #sendAll(until: number): Promise<void> {
    await this.#current;
    const failuresBefore = this.#failures;
    while (performance.now() < until && this.#failures <= failuresBefore) {
      if (this.#waiting.length === 0) return;
      await this.#send();
    }
  }

  #plan(delayMs: number): void {
    if (this.#current !== undefined || this.#isStopped) return;
    clearTimeout(this.#timer);
    const rest = this.#failures > 0 ? this.#restUntilMs - performance.now() : 0;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        void this.#send();
      },
      Math.max(delayMs, rest, 0),
    ).unref();
  }

  #send(): Promise<void> {
    this.#current ??= this.#sendBatch()
      .catch((error: unknown) => countFault("otel-sdk", error))
      .then(() => {
        this.#current = undefined;
        if (this.#waiting.length === 0) return;
        const isFull = this.#waiting.length >= this.#options.batches.batchRecords;
        this.#plan(isFull ? 0 : this.#options.batches.delayMs);
      });
    return this.#current;
  }

  async #sendBatch(): Promise<void> {
    const { batches, stats } = this.#options;
    this.#sending = this.#waiting.splice(0, batches.batchRecords);
    if (this.#sending.length === 0) return;
    if (this.#failures > 0) stats.resent++;
    const error = await this.#export(this.#sending);
    // What was abandoned while it was on its way has been counted already.
    const sent = this.#sending;
    this.#sending = [];
    if (error === undefined) {
      stats.delivered += sent.length;
      this.#failures = 0;
      this.#unclear = 0;
      return;
    }
    this.#settleFailure(sent, error);
  }

  /** What went wrong, or undefined where the records were delivered. Never rejects. */
  #export(records: T[]): Promise<unknown> {
    const { exporter, batches } = this.#options;
    const done = Promise.withResolvers<unknown>();
    const fail = (error: unknown) => done.resolve(error ?? new Error("no reason was given"));
    const late = Object.assign(new Error(`no answer within ${batches.timeoutMs} ms`), {
      code: "ETIMEDOUT",
    });
    const timer = setTimeout(() => fail(late), batches.timeoutMs).unref();
    try {
      runIn(SUPPRESSED, () =>
        exporter.export(records, (result) => {
          if (result.code === ExportResultCode.SUCCESS) done.resolve(undefined);
          else fail(result.error);
        }),
      );
    } catch (error) {
      fail(error);
    }
    return done.promise.finally(() => clearTimeout(timer));
  }

  #settleFailure(records: T[], error: unknown): void {
    const { name, signal, stats, report } = this.#options;
    const { kind, why } = judgeFailure(error);
    this.#unclear = kind === "unclear" ? this.#unclear + 1 : 0;
    if (kind === "refused" || this.#unclear >= UNCLEAR_ATTEMPTS_MAX) {
      this.#failures = 0;
      this.#unclear = 0;
      stats.refused += records.length;
      this.#noteLost(records);
      this.#once("refused", `${name} refused ${records.length} ${signal} records: ${why}`, report);
      return;
    }
    this.#failures++;
    const step = Math.min(RETRY_DELAY_MS_MAX, RETRY_DELAY_MS_MIN * 2 ** (this.#failures - 1));
    const random = (this.#options.random ?? Math.random)();
    this.#restUntilMs = performance.now() + step / 2 + (random * step) / 2;
    if (this.#isStopped) {
      this.#drop(records);
      return;
    }
    this.#waiting = [...records, ...this.#waiting];
    this.#evict();
    this.#once("waiting", `cannot deliver ${signal} by ${name}: ${why}; records wait`, report);
  }

  #evict(): void {
    const over = this.#waiting.length - this.#options.batches.queueRecords;
    if (over <= 0) return;
    this.#drop(this.#waiting.splice(0, over));
    const { name, signal, report } = this.#options;
    this.#once("full", `the queue of ${name} is full, the oldest ${signal} go, counted`, report);
  }

  #drop(records: readonly T[]): void {
    this.#options.stats.dropped += records.length;
    this.#noteLost(records);
  }

  /** Names the transactions that are incomplete now. */
  #noteLost(records: readonly T[]): void {
    const { transactionIdOf, signal } = this.#options;
    if (transactionIdOf === undefined) return;
    const ids = records.map(transactionIdOf).filter((id) => id !== undefined);
    countDropped(signal, 0, ids);
  }

  #once(kind: string, message: string, report: (message: string) => void): void {
    if (this.#reported.has(kind)) return;
    this.#reported.add(kind);
    report(message);
  }
}
