import type { Position } from "../bus.ts";
import type { GenerationGuard } from "./generation-guard.ts";

export interface KafkaConsumerCommitsOptions {
  readonly guard: GenerationGuard;
  /** Tells the broker, once; rejects where it did not take it. */
  readonly send: (offsets: ReadonlyMap<string, number>) => Promise<void>;
  /** Resolves after a while, or at once when everything ends. */
  readonly wait: () => Promise<void>;
  /** The broker has these, of partitions that are still ours. */
  readonly onCommitted?: (offsets: ReadonlyMap<string, number>) => void;
}

/**
 * Brings what the reader said is safe to the group: one request at a time, with the latest offset
 * of each partition that is still ours. What the broker does not take is tried again, unless its
 * partition was taken away meanwhile: then it is read again by whoever has it, and stored once.
 */
export class KafkaConsumerCommits {
  readonly #options: KafkaConsumerCommitsOptions;
  readonly #wanted = new Map<string, number>();
  #callers: Array<() => void> = [];
  #isSending = false;
  #isStopped = false;

  constructor(options: KafkaConsumerCommitsOptions) {
    this.#options = options;
  }

  /**
   * Resolves after the next attempt, whatever came of it: the reader need not stand still while
   * the broker is away, for nothing is lost where the group is behind.
   */
  add({ partition, offset }: Position): Promise<void> {
    this.#wanted.set(partition, Math.max(offset, this.#wanted.get(partition) ?? 0));
    return new Promise((resolve) => {
      this.#callers.push(resolve);
      void this.#sendAll();
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#wanted.clear();
    this.#answerAll();
  }

  async #sendAll(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    while (this.#wanted.size > 0 && !this.#isStopped) {
      const callers = this.#callers.splice(0);
      const isTaken = await this.#attempt();
      for (const resolve of callers) resolve();
      if (!isTaken) await this.#options.wait();
    }
    this.#isSending = false;
    this.#answerAll();
  }

  async #attempt(): Promise<boolean> {
    const { guard, send } = this.#options;
    const offsets = new Map<string, number>();
    for (const [partition, offset] of this.#wanted) {
      if (guard.mayCommit(partition, offset)) offsets.set(partition, offset);
    }
    this.#wanted.clear();
    if (offsets.size === 0) return true;
    const { generation } = guard;
    try {
      await send(offsets);
      if (generation !== guard.generation) return true;
      for (const [partition, offset] of offsets) guard.committed(partition, offset);
      this.#options.onCommitted?.(offsets);
      return true;
    } catch {
      // The session that reads hears of the same trouble, and tells it.
      for (const [partition, offset] of offsets) {
        this.#wanted.set(partition, Math.max(offset, this.#wanted.get(partition) ?? 0));
      }
      return false;
    }
  }

  #answerAll(): void {
    for (const resolve of this.#callers.splice(0)) resolve();
  }
}
