import { clearTimeout, setTimeout } from "node:timers";
import type { SignalTarget } from "../otlp/config.ts";
import { findTransactionIds } from "../otlp/transaction-scan.ts";
import { countFault, counts, type Signal } from "../stats.ts";
import { countDelivered, countRefused } from "./count-lost.ts";
import { type Answer, isRetryable, postBatch } from "./otlp-post.ts";
import type { Batch, Outbox } from "./outbox.ts";

/** How long a failed batch rests: doubled from the first value up to the second, with jitter. */
const RETRY_DELAY_MS_MIN = 100;
const RETRY_DELAY_MS_MAX = 10_000;
const RETRY_AFTER_MS_MAX = 120_000;

export interface OtlpSenderOptions {
  readonly outbox: Outbox;
  readonly targets: Readonly<Record<Signal, SignalTarget>>;
  /** One sentence for the operator; each kind of trouble is told once. */
  readonly report: (message: string) => void;
  readonly random?: () => number;
}

interface Lane {
  readonly signal: Signal;
  timer: NodeJS.Timeout | undefined;
  /** The batch that is on its way. */
  sending: Promise<void> | undefined;
  failures: number;
  /** Not before this time is anything sent again. */
  restUntilMs: number;
}

/**
 * Carries batches from the outbox to the collector, one request per signal at a time. A batch
 * leaves the outbox on a 2xx; on a connection error, 408, 429 or 5xx it is sent again for ever,
 * saying which attempt it is. Timers and sockets never keep the process alive.
 */
export class OtlpSender {
  readonly #options: OtlpSenderOptions;
  readonly #lanes: Record<Signal, Lane> = { logs: newLane("logs"), traces: newLane("traces") };
  readonly #reported = new Set<string>();
  #isStopped = false;

  constructor(options: OtlpSenderOptions) {
    this.#options = options;
  }

  /** Plans the next request of a signal; cheap where one is planned or on its way already. */
  poke(signal: Signal, urgent: boolean): void {
    const lane = this.#lanes[signal];
    if (lane.sending !== undefined || this.#isStopped) return;
    if (lane.timer !== undefined && (!urgent || lane.failures > 0)) return;
    this.#plan(lane);
  }

  /**
   * Sends what waits until nothing does, the collector fails once, or the time is over. For the
   * end of a process: it takes no rest between attempts, and while it lasts the event loop lives.
   */
  async drain(deadlineMs: number): Promise<void> {
    const until = performance.now() + deadlineMs;
    const lanes = Object.values(this.#lanes);
    const over = Promise.withResolvers<void>();
    const timer = setTimeout(over.resolve, deadlineMs);
    const drained = Promise.all(lanes.map((lane) => this.#drainLane(lane, until)));
    await Promise.race([drained, over.promise]);
    clearTimeout(timer);
  }

  /** Whether the last request of either signal failed. */
  get isFailing(): boolean {
    return Object.values(this.#lanes).some((lane) => lane.failures > 0);
  }

  stop(): void {
    this.#isStopped = true;
    for (const lane of Object.values(this.#lanes)) clearTimeout(lane.timer);
  }

  #plan(lane: Lane): void {
    clearTimeout(lane.timer);
    lane.timer = undefined;
    const due = this.#options.outbox.dueInMs(lane.signal);
    if (due === undefined || this.#isStopped) return;
    const rest = lane.failures > 0 ? lane.restUntilMs - performance.now() : 0;
    lane.timer = setTimeout(
      () => {
        lane.timer = undefined;
        this.#send(lane);
      },
      Math.max(due, rest, 0),
    ).unref();
  }

  #send(lane: Lane): Promise<void> | undefined {
    if (lane.sending !== undefined) return lane.sending;
    const batch = this.#options.outbox.take(lane.signal);
    if (batch === undefined) return undefined;
    lane.sending = this.#deliver(lane, batch)
      .catch((error: unknown) => {
        countFault("exporter", error);
        this.#options.outbox.giveBack(batch);
        this.#rest(lane, undefined);
      })
      .then(() => {
        lane.sending = undefined;
        this.#plan(lane);
      });
    return lane.sending;
  }

  async #deliver(lane: Lane, batch: Batch): Promise<void> {
    const { outbox, targets } = this.#options;
    const parts = await batch.load();
    if (parts.length === 0) return outbox.remove(batch);
    batch.attempts++;
    if (batch.attempts > 1) counts[batch.signal].resent++;
    const answer = await postBatch(targets[batch.signal], { parts, attempt: batch.attempts });
    if (isRetryable(answer)) {
      outbox.giveBack(batch);
      this.#rest(lane, answer.retryAfterMs);
      this.#reportOnce("waiting", `cannot deliver to ${answer.to}: ${answer.why}; records wait`);
      return;
    }
    outbox.remove(batch);
    lane.failures = 0;
    this.#settle(batch, { answer, parts });
  }

  #settle(batch: Batch, of: { answer: Answer; parts: readonly Uint8Array[] }): void {
    const { answer, parts } = of;
    const isAccepted = answer.status >= 200 && answer.status < 300;
    const refused = isAccepted ? Math.min(answer.rejected, batch.records) : batch.records;
    countDelivered(batch, batch.records - refused);
    if (refused === 0) return;
    // Which records of a partly accepted request were refused is not said: all are in doubt.
    countRefused(batch, refused, findTransactionIds(parts));
    const why = isAccepted ? answer.why : `status ${answer.status} ${answer.why}`;
    this.#reportOnce(
      isAccepted ? "partial" : `refused-${answer.status}`,
      `${answer.to} refused ${refused} ${batch.signal} records for good: ${why}`,
    );
  }

  #rest(lane: Lane, retryAfterMs: number | undefined): void {
    lane.failures++;
    const step = Math.min(RETRY_DELAY_MS_MAX, RETRY_DELAY_MS_MIN * 2 ** (lane.failures - 1));
    const random = (this.#options.random ?? Math.random)();
    const backoff = step / 2 + (random * step) / 2;
    const asked = Math.min(retryAfterMs ?? 0, RETRY_AFTER_MS_MAX);
    lane.restUntilMs = performance.now() + Math.max(backoff, asked);
  }

  async #drainLane(lane: Lane, until: number): Promise<void> {
    clearTimeout(lane.timer);
    lane.timer = undefined;
    await lane.sending;
    const failuresBefore = lane.failures;
    while (performance.now() < until && lane.failures <= failuresBefore) {
      const sending = this.#send(lane);
      if (sending === undefined) return;
      await sending;
    }
  }

  /** Kinds of trouble are a small fixed set, so this set stays small. */
  #reportOnce(kind: string, message: string): void {
    if (this.#reported.has(kind)) return;
    this.#reported.add(kind);
    this.#options.report(message);
  }
}

function newLane(signal: Signal): Lane {
  return { signal, timer: undefined, sending: undefined, failures: 0, restUntilMs: 0 };
}
