import type { Json } from "./http-service.ts";

/** More than a customer would wait for; beyond it `add` refuses. */
const JOBS_WAITING_MAX = 10_000;

/**
 * Jobs that are worked off later in this process. A timer per job is started by the request that
 * brought it, so the job runs in that request's asynchronous context, as in any Node program.
 */
export class DispatchQueue {
  readonly #delayMs: number;
  readonly #work: (job: Json) => Promise<void>;
  readonly #waiting = new Set<Promise<void>>();

  constructor({ delayMs, work }: { delayMs: number; work: (job: Json) => Promise<void> }) {
    this.#delayMs = delayMs;
    this.#work = work;
  }

  /** False where too many wait. `work` must not reject. */
  add(job: Json): boolean {
    if (this.#waiting.size >= JOBS_WAITING_MAX) return false;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(promise);
    setTimeout(() => {
      this.#work(job).finally(() => {
        this.#waiting.delete(promise);
        resolve();
      });
    }, this.#delayMs);
    return true;
  }

  /** Resolves once no job waits. */
  async drain(): Promise<void> {
    while (this.#waiting.size > 0) await Promise.all(this.#waiting);
  }
}
