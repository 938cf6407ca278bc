import type { Admin } from "kafkajs";
import { ClewError } from "../../errors.ts";
import { toKafkaError } from "./kafka-errors.ts";
import type { TopicLimits } from "./topic-limits.ts";

export interface BrokerWatchOptions {
  readonly admin: Admin;
  /** The topics that must be there, by their names at the broker. */
  readonly topics: readonly string[];
  readonly limits: TopicLimits;
  /** Connects whatever else is to be connected before the bus can be used. */
  readonly connect: () => Promise<void>;
  /** Hears one line when trouble begins, changes, and ends. */
  readonly report: (line: string) => void;
}

export interface Trouble {
  readonly error: ClewError;
  readonly sinceMs: number;
}

const LOOK_EVERY_MS = 2_000;
const LOOK_EVERY_MS_IN_TROUBLE = 500;
/** A broker that is frozen keeps its connections and answers nothing. */
const LOOK_TIMEOUT_MS = 3_000;
/** After a message that was refused, traffic may try again. */
const REFUSAL_MEMORY_MS = 5_000;

/**
 * Looks every few seconds whether Kafka answers us and has all topics, so that a collector tells
 * of trouble before it has a message to send, and of its end without one.
 */
export class BrokerWatch {
  readonly #options: BrokerWatchOptions;
  #trouble: Trouble | undefined;
  /** What a look cannot see, as a right to write that was taken away. */
  #refusal: { readonly error: ClewError; readonly atMs: number } | undefined;
  #told: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #isStarted = false;
  #isStopped = false;

  constructor(options: BrokerWatchOptions) {
    this.#options = options;
  }

  /** What the last look found in the way of messages. */
  get trouble(): Trouble | undefined {
    return this.#trouble;
  }

  /** The same, or what a message met in the last seconds. */
  get error(): ClewError | undefined {
    if (this.#trouble) return this.#trouble.error;
    const refusal = this.#refusal;
    const isFresh = refusal && performance.now() - refusal.atMs < REFUSAL_MEMORY_MS;
    return isFresh ? refusal.error : undefined;
  }

  /**
   * Looks for the first time, then again and again. Trouble that may pass is only reported.
   * @throws ClewError BUS_REFUSED: a person has to change something.
   */
  async start(): Promise<void> {
    await this.#lookOnce();
    if (this.#trouble?.error.code === "BUS_REFUSED") {
      this.#isStopped = true;
      throw this.#trouble.error;
    }
    this.#isStarted = true;
    this.#plan();
  }

  /** A message met trouble: it is looked again at once. */
  suspect(error: ClewError): void {
    this.#refusal = { error, atMs: performance.now() };
    if (!this.#trouble) this.#tell(error);
    this.#plan(0);
  }

  /** A message was taken. */
  delivered(): void {
    if (this.#refusal === undefined) return;
    this.#refusal = undefined;
    if (!this.#trouble) this.#tell(undefined);
  }

  /** Resolves once no look is under way, or will not end soon. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    if (this.#looking) await Promise.allSettled([withDeadline(this.#looking)]);
  }

  #plan(inMs = this.#trouble ? LOOK_EVERY_MS_IN_TROUBLE : LOOK_EVERY_MS): void {
    if (this.#isStopped) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(async () => {
      await this.#lookOnce();
      this.#plan();
    }, inMs);
  }

  /** Never two at once: one that does not end is waited for again. */
  async #lookOnce(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    try {
      await withDeadline(this.#looking);
      this.#note(undefined);
    } catch (error) {
      this.#note(toKafkaError(error, { act: "use Kafka" }));
    }
  }

  async #look(): Promise<void> {
    const { admin, topics, limits, connect } = this.#options;
    try {
      await admin.connect();
      await connect();
    } catch (error) {
      throw toKafkaError(error, { act: "use Kafka" });
    }
    for (const topic of topics) {
      try {
        await admin.fetchTopicMetadata({ topics: [topic] });
      } catch (error) {
        throw toKafkaError(error, {
          act: "use Kafka",
          resource: `topic ${topic}`,
          right: "Describe",
        });
      }
    }
    await limits.refresh(admin);
  }

  #note(error: ClewError | undefined): void {
    if (this.#isStopped) return;
    const before = this.#trouble;
    if (error !== undefined) {
      this.#trouble = { error, sinceMs: before?.sinceMs ?? performance.now() };
      this.#tell(error);
    } else if (before !== undefined) {
      this.#trouble = undefined;
      this.#refusal = undefined;
      this.#tell(undefined);
    }
  }

  /** One line when trouble begins or becomes another, and one when it ends. */
  #tell(error: ClewError | undefined): void {
    const why = error?.message.replace(/^cannot [^:]+: /, "");
    if (why === this.#told || this.#isStopped) return;
    // Whoever starts it is told by what `start` throws.
    if (!this.#isStarted && error?.code === "BUS_REFUSED") return;
    this.#told = why;
    this.#options.report(error ? error.message : "Kafka takes messages again");
  }
}

async function withDeadline(work: Promise<void>): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const why = `cannot use Kafka: it has not answered for ${LOOK_TIMEOUT_MS} ms`;
  const late = new ClewError("BUS_UNAVAILABLE", why);
  const timer = setTimeout(() => reject(late), LOOK_TIMEOUT_MS);
  try {
    await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
