import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { HEADER } from "@clew/instrumentation/names";
import { ClewError } from "../errors.ts";
import { type ShippedRecord, toLogsRequest } from "../lines/logs-request.ts";
import { reasonOf } from "./query-client.ts";

export interface ShipperOptions {
  readonly otlpUrl: string;
  readonly token: string | undefined;
  /** Overrides the service each line names. */
  readonly service: string | undefined;
  /** Told once when the collector goes away, once when it is back, and of each refused record. */
  readonly note: (text: string) => void;
  /** Ends all retries. */
  readonly signal: AbortSignal;
  /** From 0 to 1; spreads the retries of many shippers. */
  readonly random: () => number;
}

export interface Shipped {
  readonly acknowledged: number;
  readonly refused: number;
  /** Neither acknowledged nor refused: the collector may or may not have them. */
  readonly unsent: number;
}

const BATCH_RECORDS_MAX = 1000;
const BATCH_CHARS_MAX = 1024 * 1024;
const BATCHES_IN_FLIGHT_MAX = 2;
/** A line that nothing follows is not held back for longer. */
const BATCH_AGE_MS_MAX = 300;
const REQUEST_MS_MAX = 60_000;
const RETRY_MS_MIN = 250;
const RETRY_MS_MAX = 15_000;
/** An answer OTLP does not name as passing may still pass; but not for ever. */
const ODD_ANSWERS_MAX = 8;
const REFUSALS_NOTED_MAX = 5;
/** OTLP 1.11, "Retryable Response Codes", and a request that took too long to arrive. */
const RETRYABLE = new Set([408, 429, 502, 503, 504]);
const NOT_THIS_CONTENT = new Set([400, 413, 422]);

const compress = promisify(gzip);

/**
 * Sends records in batches, each until it is acknowledged: what was accepted is never dropped while
 * the collector is away. Memory is bounded: `accept` waits while as many batches are under way as
 * may be.
 */
export class RecordShipper {
  readonly #options: ShipperOptions;
  readonly #inFlight = new Set<Promise<void>>();
  #batch: ShippedRecord[] = [];
  #batchChars = 0;
  #ageTimer: NodeJS.Timeout | undefined;
  #fault: unknown;
  #isAway = false;
  #refusalsNoted = 0;
  #accepted = 0;
  #acknowledged = 0;
  #refused = 0;

  constructor(options: ShipperOptions) {
    this.#options = options;
  }

  /** @throws ClewError where the collector refuses everything: a wrong token, a wrong address. */
  async accept(record: ShippedRecord, chars: number): Promise<void> {
    if (this.#fault) throw this.#fault;
    this.#accepted++;
    this.#batch.push(record);
    this.#batchChars += chars;
    this.#ageTimer ??= setTimeout(() => this.#send(), BATCH_AGE_MS_MAX);
    if (this.#batch.length >= BATCH_RECORDS_MAX || this.#batchChars >= BATCH_CHARS_MAX) {
      this.#send();
    }
    while (this.#inFlight.size > BATCHES_IN_FLIGHT_MAX) await Promise.race(this.#inFlight);
  }

  /** Sends what is left, and resolves once nothing is under way any more. */
  async finish(): Promise<void> {
    this.#send();
    while (this.#inFlight.size > 0) await Promise.race(this.#inFlight);
    if (this.#fault) throw this.#fault;
  }

  get shipped(): Shipped {
    const acknowledged = this.#acknowledged;
    const refused = this.#refused;
    return { acknowledged, refused, unsent: this.#accepted - acknowledged - refused };
  }

  #send(): void {
    clearTimeout(this.#ageTimer);
    this.#ageTimer = undefined;
    const records = this.#batch;
    if (records.length === 0 || this.#fault) return;
    this.#batch = [];
    this.#batchChars = 0;
    const sending = this.#deliver(records)
      .catch((error: unknown) => {
        this.#fault ??= error;
      })
      .finally(() => this.#inFlight.delete(sending));
    this.#inFlight.add(sending);
  }

  async #deliver(records: readonly ShippedRecord[]): Promise<void> {
    const body = await compress(toLogsRequest(records, this.#options.service));
    let oddAnswers = 0;
    for (let attempt = 1; ; attempt++) {
      const answer = await this.#post(body, attempt);
      if (answer.status === 200) return this.#count(records, answer);
      if (NOT_THIS_CONTENT.has(answer.status)) return this.#deliverHalves(records, answer);
      const isPassing = answer.status === 0 || RETRYABLE.has(answer.status);
      if (!isPassing && (answer.status < 500 || ++oddAnswers > ODD_ANSWERS_MAX)) {
        throw new ClewError("BUS_UNAVAILABLE", `cannot ship to ${this.#url}: ${answer.reason}`);
      }
      await this.#pause(attempt, answer);
    }
  }

  /** One record that is refused must not take those beside it along. */
  async #deliverHalves(records: readonly ShippedRecord[], answer: Answer): Promise<void> {
    const [first] = records;
    if (records.length === 1 && first) {
      this.#refused++;
      this.#noteRefusal(`a line is refused (${answer.reason}): ${first.body.slice(0, 200)}`);
      return;
    }
    const middle = Math.ceil(records.length / 2);
    await this.#deliver(records.slice(0, middle));
    await this.#deliver(records.slice(middle));
  }

  #count(records: readonly ShippedRecord[], { rejected, reason }: Answer): void {
    this.#refused += rejected;
    this.#acknowledged += records.length - rejected;
    if (rejected > 0) this.#noteRefusal(`${rejected} lines are refused: ${reason}`);
    if (this.#isAway) this.#options.note("the collector is back");
    this.#isAway = false;
  }

  async #post(body: Buffer<ArrayBuffer>, attempt: number): Promise<Answer> {
    const { signal, token } = this.#options;
    const headers = new Headers({
      "content-type": "application/json",
      "content-encoding": "gzip",
    });
    if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
    if (attempt > 1) headers.set(HEADER.attempt, String(attempt));
    try {
      const response = await fetch(this.#url, {
        method: "POST",
        headers,
        body,
        redirect: "error",
        signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_MS_MAX)]),
      });
      return await readAnswer(response);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      return { status: 0, reason: reasonOf(error), rejected: 0, retryAfterMs: 0 };
    }
  }

  async #pause(attempt: number, answer: Answer): Promise<void> {
    if (!this.#isAway) {
      const why = `${this.#url} does not take lines now (${answer.reason})`;
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
    if (this.#refusalsNoted++ < REFUSALS_NOTED_MAX) this.#options.note(text);
  }

  get #url(): string {
    return `${this.#options.otlpUrl.replace(/\/+$/, "")}/v1/logs`;
  }
}

/** What came of one request; status 0 where nothing answered. */
interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly rejected: number;
  readonly retryAfterMs: number;
}

async function readAnswer(response: Response): Promise<Answer> {
  const text = await response.text();
  const { partialSuccess, message } = parseBody(text);
  const seconds = Number(response.headers.get("retry-after"));
  return {
    status: response.status,
    reason: partialSuccess?.errorMessage || message || `HTTP ${response.status}`,
    rejected: Number(partialSuccess?.rejectedLogRecords ?? 0),
    retryAfterMs: seconds > 0 ? Math.min(seconds * 1000, RETRY_MS_MAX) : 0,
  };
}

/** An `ExportLogsServiceResponse` or a `google.rpc.Status`; from something in between, nothing. */
function parseBody(text: string): {
  partialSuccess?: { rejectedLogRecords?: number | string; errorMessage?: string };
  message?: string;
} {
  try {
    return (JSON.parse(text) as object | null) ?? {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}
