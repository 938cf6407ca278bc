import type { ClewError } from "../../errors.ts";

export interface KafkaConsumerTroubleOptions {
  readonly report: (line: string) => void;
  readonly onTrouble?: ((why: string | undefined) => void) | undefined;
}

/** Kinds that are remembered; more of them at once and some are told twice. */
const TOLD_MAX = 32;

/** Tells each kind of trouble once, however often it comes back before it works again. */
export class KafkaConsumerTrouble {
  readonly #options: KafkaConsumerTroubleOptions;
  readonly #told = new Set<string>();

  constructor(options: KafkaConsumerTroubleOptions) {
    this.#options = options;
  }

  tell({ message }: ClewError): void {
    this.#options.onTrouble?.(message);
    if (this.#told.has(message)) return;
    if (this.#told.size === TOLD_MAX) this.#told.clear();
    this.#told.add(message);
    this.#options.report(message);
  }

  /** Messages are read, or can be. */
  over(): void {
    if (this.#told.size === 0) return;
    this.#told.clear();
    this.#options.onTrouble?.(undefined);
    this.#options.report("Kafka is read again");
  }
}
