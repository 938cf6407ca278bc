import { setTimeout as wait } from "node:timers/promises";
import type { ClewError } from "../../errors.ts";
import {
  KafkaConsumerSession,
  type KafkaConsumerSessionOptions,
} from "./kafka-consumer-session.ts";
import type { KafkaConsumerTrouble } from "./kafka-consumer-trouble.ts";
import { toKafkaError } from "./kafka-errors.ts";

export interface KafkaConsumerSessionsOptions {
  readonly session: KafkaConsumerSessionOptions;
  readonly trouble: KafkaConsumerTrouble;
}

const RETRY_DELAY_MIN_MS = 200;
const RETRY_DELAY_MAX_MS = 5_000;
/** A session that held for so long has earned a quick restart. */
const SESSION_STEADY_MS = 30_000;

/** One session after another, for ever: kafkajs ends its consumer at many errors. */
export class KafkaConsumerSessions {
  readonly #options: KafkaConsumerSessionsOptions;
  readonly #abort = new AbortController();
  readonly #opened = Promise.withResolvers<void>();
  #isOpen = false;
  #current: KafkaConsumerSession | undefined;
  #running: Promise<void> | undefined;

  constructor(options: KafkaConsumerSessionsOptions) {
    this.#options = options;
  }

  /** Undefined between two. */
  get current(): KafkaConsumerSession | undefined {
    return this.#current;
  }

  get isStopped(): boolean {
    return this.#abort.signal.aborted;
  }

  /** Resolves once a first session has begun, or the broker is away; rejects with BUS_REFUSED. */
  open(): Promise<void> {
    this.#running ??= this.#run();
    return this.#opened.promise;
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }

  toError(cause: unknown): ClewError {
    const { groupId, topicPrefix, topics } = this.#options.session;
    const names = topics.map((topic) => `${topicPrefix}.${topic}`).join(", ");
    return toKafkaError(cause, { act: "read from Kafka", resource: `${names} as ${groupId}` });
  }

  /** Resolves after so long, or at `stop`. */
  async pause(ms: number = RETRY_DELAY_MIN_MS): Promise<void> {
    // It rejects where `stop` ends it early, which is as good an end as any.
    await wait(ms, undefined, { signal: this.#abort.signal }).catch(() => undefined);
  }

  async #run(): Promise<void> {
    let delayMs = RETRY_DELAY_MIN_MS;
    while (!this.isStopped) {
      const startedMs = performance.now();
      const error = await this.#readUntilFault();
      if (error === undefined) break;
      // Who opens it can be told that it is in vain; later a person's act is waited for.
      if (error.code === "BUS_REFUSED" && !this.#isOpen) return this.#opened.reject(error);
      this.#open();
      this.#options.trouble.tell(error);
      if (performance.now() - startedMs > SESSION_STEADY_MS) delayMs = RETRY_DELAY_MIN_MS;
      await this.pause(delayMs);
      delayMs = Math.min(2 * delayMs, RETRY_DELAY_MAX_MS);
    }
    this.#open();
  }

  /** @returns undefined after `stop`. */
  async #readUntilFault(): Promise<ClewError | undefined> {
    const { session: options } = this.#options;
    const session = new KafkaConsumerSession(options);
    const stopped = Promise.withResolvers<undefined>();
    const onAbort = () => stopped.resolve(undefined);
    this.#abort.signal.addEventListener("abort", onAbort);
    this.#current = session;
    let cause: unknown;
    try {
      await Promise.race([session.start(), stopped.promise]);
      if (!this.isStopped) this.#open();
      cause = await Promise.race([session.ended, stopped.promise]);
    } catch (thrown) {
      cause = thrown;
    }
    this.#abort.signal.removeEventListener("abort", onAbort);
    options.onRevoked();
    this.#current = undefined;
    await session.stop();
    return this.isStopped ? undefined : this.toError(cause);
  }

  #open(): void {
    this.#isOpen = true;
    this.#opened.resolve();
  }
}
