import { once } from "node:events";
import { Worker } from "node:worker_threads";

/** A batch of messages on its way into the worker, and how many of them are durable now. */
export interface QueueRequest {
  readonly value: Uint8Array;
}

/**
 * The alternative to the embedded bus that was not taken: a table of messages in SQLite (WAL,
 * `synchronous=FULL`) in a worker thread, with group commit. It is here to be measured only.
 */
export class SqliteQueue {
  readonly #worker: Worker;
  readonly #waiting: { resolve: () => void; reject: (reason: Error) => void }[] = [];

  static async open(file: string): Promise<SqliteQueue> {
    const worker = new Worker(new URL("./sqlite-queue-worker.ts", import.meta.url), {
      workerData: { file },
    });
    await once(worker, "message");
    return new SqliteQueue(worker);
  }

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on("message", (durable: number) => {
      for (const { resolve } of this.#waiting.splice(0, durable)) resolve();
    });
    worker.on("error", (error: Error) => {
      for (const { reject } of this.#waiting.splice(0)) reject(error);
    });
  }

  /** Resolves once the message is durable. The bytes are copied: the caller keeps its own. */
  publish(value: Uint8Array): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ resolve, reject });
    const copy = new Uint8Array(value);
    this.#worker.postMessage({ value: copy } satisfies QueueRequest, [copy.buffer]);
    return promise;
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }
}
