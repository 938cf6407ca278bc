import type { ServiceOverview, StoreReader } from "../../store/store.ts";
import { CONSUMER_KNOWN_NS, SECOND_NS } from "./settle-times.ts";
import type { TopicConsumer } from "./verdict-input.ts";

/** Figures are kept by the minute and change slowly. */
const FRESH_MS = 10_000;
const WINDOWS_MAX = 64;
/** Windows end at multiples of this, so that neighbours share their answers. */
const GRAIN_NS = 300n * SECOND_NS;
/** A transaction may send for days; the windows of so many of its messages are looked at. */
const WINDOWS_ASKED_MAX = 8;

/** `process orders`, as such a span is named by convention; until version 1.23 `orders process`. */
const WORK = /^(?:process (?<topic>\S+)|(?<oldTopic>\S+) process)$/;

interface Kept {
  readonly consumers: Promise<readonly TopicConsumer[]>;
  readonly untilMs: number;
}

export interface TopicConsumersParts {
  readonly reader: Pick<StoreReader, "services">;
  /** Milliseconds of a clock that only goes forward. */
  readonly nowMs: () => number;
}

/**
 * Which services worked on which topics before something was sent, by the names of their
 * operations. One that began later need not take what was sent before.
 */
export class TopicConsumers {
  readonly #parts: TopicConsumersParts;
  readonly #kept = new Map<bigint, Kept>();

  constructor(parts: TopicConsumersParts) {
    this.#parts = parts;
  }

  /** @param sentNs when messages were sent; those of many times are looked at in part */
  async find(sentNs: readonly bigint[]): Promise<readonly TopicConsumer[]> {
    const ends = new Set(sentNs.map((ns) => ns - (ns % GRAIN_NS)));
    const asked = [...ends].slice(0, WINDOWS_ASKED_MAX).map((untilNs) => this.#findUntil(untilNs));
    return (await Promise.all(asked)).flat();
  }

  #findUntil(untilNs: bigint): Promise<readonly TopicConsumer[]> {
    const nowMs = this.#parts.nowMs();
    const kept = this.#kept.get(untilNs);
    if (kept !== undefined && kept.untilMs >= nowMs) return kept.consumers;
    const consumers = this.#ask(untilNs);
    this.#kept.delete(untilNs);
    if (this.#kept.size >= WINDOWS_MAX) this.#kept.delete(this.#kept.keys().next().value ?? 0n);
    this.#kept.set(untilNs, { consumers, untilMs: nowMs + FRESH_MS });
    // A failure is not kept; whoever asked is told.
    consumers.catch(() => this.#kept.delete(untilNs));
    return consumers;
  }

  async #ask(untilNs: bigint): Promise<readonly TopicConsumer[]> {
    const fromNs = untilNs - CONSUMER_KNOWN_NS;
    return findConsumers(await this.#parts.reader.services({ fromNs, toNs: untilNs }));
  }
}

export function findConsumers(services: readonly ServiceOverview[]): TopicConsumer[] {
  return services.flatMap(({ service, operations }) =>
    operations.flatMap(({ operation }) => {
      const { topic, oldTopic } = WORK.exec(operation)?.groups ?? {};
      const name = topic ?? oldTopic;
      return name === undefined ? [] : [{ topic: name, service }];
    }),
  );
}
