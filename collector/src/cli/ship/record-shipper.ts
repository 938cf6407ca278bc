import { setTimeout as wait } from "node:timers/promises";
import { VARIABLE } from "../../config.ts";
import { ClewError } from "../../errors.ts";
import { encodeLogsRequest, type ShippedRecord } from "../../lines/logs-request.ts";
import type { OtlpAnswer } from "./otlp-answer.ts";
import { OtlpPoster, type OtlpPosterOptions } from "./otlp-poster.ts";
import { type Outgoing, RecordBatch } from "./record-batch.ts";

export interface ShipperOptions extends OtlpPosterOptions {
  /** Overrides the service each line names. */
  readonly service: string | undefined;
  /** Told once when the collector goes away, once when it is back, and of each refused record. */
  readonly note: (text: string) => void;
  /** From 0 to 1; spreads the retries of many shippers. */
  readonly random: () => number;
  /** Awaited before a batch is first sent, with all that its records rest on. */
  readonly beforeSend?: () => Promise<void>;
  /** Called after a batch was acknowledged, or refused for good. */
  readonly onAcknowledged?: () => void;
  /** Called once where nothing can be sent any more. */
  readonly onFault?: () => void;
}

export interface Shipped {
  readonly acknowledged: number;
  readonly refused: number;
  /** Neither acknowledged nor refused: the collector may or may not have them. */
  readonly unsent: number;
}

const BATCHES_IN_FLIGHT_MAX = 2;
/** A line that nothing follows is not held back for longer. */
const BATCH_AGE_MS_MAX = 300;
const RETRY_MS_MIN = 250;
const RETRY_MS_MAX = 15_000;
/** An answer OTLP does not name as passing may still pass; but not for ever. */
const ODD_ANSWERS_MAX = 8;
const REFUSALS_NOTED_MAX = 5;
const REFUSED_CHARS_SHOWN = 200;
/** OTLP 1.11, "Retryable Response Codes", and a request that took too long to arrive. */
const RETRYABLE = new Set([408, 429, 502, 503, 504]);
const NOT_THIS_CONTENT = new Set([400, 413, 422]);
const UNAUTHENTICATED = 401;
const SCOPE = "clew ship";

/**
 * Sends records in batches, each until it is acknowledged: what was accepted is never dropped while
 * the collector is away. Memory is bounded: `accept` waits while as many batches are under way as
 * may be.
 */
export class RecordShipper {
  readonly #options: ShipperOptions;
  readonly #poster: OtlpPoster;
  readonly #inFlight = new Set<Promise<void>>();
  #batch = new RecordBatch();
  #ageTimer: NodeJS.Timeout | undefined;
  #fault: unknown;
  #isAway = false;
  #refusalsNoted = 0;
  #accepted = 0;
  #acknowledged = 0;
  #refused = 0;

  constructor(options: ShipperOptions) {
    this.#options = options;
    this.#poster = new OtlpPoster(options);
  }

  /** @throws ClewError where the collector refuses everything: a wrong token, a wrong address. */
  async accept(outgoing: Outgoing): Promise<void> {
    if (!this.offer(outgoing)) await this.room();
  }

  /** As `accept`, but where it answers false the caller must wait for `room` before the next. */
  offer(outgoing: Outgoing): boolean {
    if (this.#fault) throw this.#fault;
    this.#accepted++;
    this.#batch.add(outgoing);
    this.#ageTimer ??= setTimeout(() => this.#send(), BATCH_AGE_MS_MAX);
    if (this.#batch.isFull) this.#send();
    return this.#inFlight.size <= BATCHES_IN_FLIGHT_MAX;
  }

  async room(): Promise<void> {
    while (this.#inFlight.size > BATCHES_IN_FLIGHT_MAX) await Promise.race(this.#inFlight);
  }

  /** Sends what is left, and resolves once nothing is under way any more. */
  async finish(): Promise<void> {
    this.#send();
    while (this.#inFlight.size > 0) await Promise.race(this.#inFlight);
    this.#poster.stop();
    if (this.#fault) throw this.#fault;
  }

  get shipped(): Shipped {
    const acknowledged = this.#acknowledged;
    const refused = this.#refused;
    return { acknowledged, refused, unsent: this.#accepted - acknowledged - refused };
  }

  /** Why nothing can be sent any more. */
  get fault(): unknown {
    return this.#fault;
  }

  #send(): void {
    clearTimeout(this.#ageTimer);
    this.#ageTimer = undefined;
    const batch = this.#batch;
    if (batch.isEmpty || this.#fault) return;
    this.#batch = new RecordBatch();
    const sending = this.#sendBatch(batch)
      .catch((error: unknown) => {
        this.#fault ??= error;
        this.#options.onFault?.();
      })
      .finally(() => this.#inFlight.delete(sending));
    this.#inFlight.add(sending);
  }

  async #sendBatch(batch: RecordBatch): Promise<void> {
    await this.#options.beforeSend?.();
    await this.#deliver(batch.records, batch.mayRepeat);
    batch.acknowledge();
    this.#options.onAcknowledged?.();
  }

  async #deliver(records: readonly ShippedRecord[], mayRepeat: boolean): Promise<void> {
    const { service } = this.#options;
    const body = encodeLogsRequest(records, { service, scope: SCOPE });
    let oddAnswers = 0;
    for (let attempt = 1; ; attempt++) {
      const said = mayRepeat ? attempt + 1 : attempt;
      const answer = await this.#poster.post({ body, attempt: said });
      if (answer.status === 200) return this.#count(records, answer);
      if (NOT_THIS_CONTENT.has(answer.status)) {
        return this.#deliverHalves({ records, mayRepeat, answer });
      }
      const isPassing = answer.status === 0 || RETRYABLE.has(answer.status);
      if (!isPassing && (answer.status < 500 || ++oddAnswers > ODD_ANSWERS_MAX)) {
        throw this.#refusal(answer);
      }
      await this.#pause(attempt, answer);
    }
  }

  /** One record that is refused must not take those beside it along. */
  async #deliverHalves(refused: {
    records: readonly ShippedRecord[];
    mayRepeat: boolean;
    answer: OtlpAnswer;
  }): Promise<void> {
    const { records, mayRepeat, answer } = refused;
    const [first] = records;
    if (records.length === 1 && first) {
      this.#refused++;
      const text = first.body.slice(0, REFUSED_CHARS_SHOWN);
      this.#noteRefusal(`a line is refused (${answer.reason}): ${text}`);
      return;
    }
    const middle = Math.ceil(records.length / 2);
    await this.#deliver(records.slice(0, middle), mayRepeat);
    await this.#deliver(records.slice(middle), mayRepeat);
  }

  #count(records: readonly ShippedRecord[], { rejected, reason }: OtlpAnswer): void {
    this.#refused += rejected;
    this.#acknowledged += records.length - rejected;
    if (rejected > 0) this.#noteRefusal(`${rejected} lines are refused: ${reason}`);
    if (this.#isAway) this.#options.note("the collector is back");
    this.#isAway = false;
  }

  #refusal(answer: OtlpAnswer): ClewError {
    const why = `cannot ship to ${this.#poster.url}: ${answer.reason}`;
    if (answer.status !== UNAUTHENTICATED) return new ClewError("BUS_UNAVAILABLE", why);
    return new ClewError("UNAUTHENTICATED", `${why}; give its token in ${VARIABLE.ingestTokens}`);
  }

  async #pause(attempt: number, answer: OtlpAnswer): Promise<void> {
    if (!this.#isAway) {
      const why = `${this.#poster.url} does not take lines now (${answer.reason})`;
      this.#options.note(`${why}; trying again until it does, nothing is lost`);
    }
    this.#isAway = true;
    const backoffMs = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(attempt - 1, 16));
    const spreadMs = backoffMs * (0.5 + this.#options.random() / 2);
    const pauseMs = Math.max(spreadMs, answer.retryAfterMs);
    const { signal } = this.#options;
    await wait(pauseMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }

  #noteRefusal(text: string): void {
    if (++this.#refusalsNoted <= REFUSALS_NOTED_MAX) this.#options.note(text);
  }
}
