import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import type { SignalTarget } from "../otlp/config.ts";
import { findTransactionIds } from "../otlp/transaction-scan.ts";
import { countDropped, counts, type Signal } from "../stats.ts";
import { HEADER } from "../wire-names.ts";
import type { Batch } from "./outbox.ts";

/** How long a process that is already exiting may be held up. */
export const EXIT_FLUSH_MS_MAX = 1000;
/** Requests posted side by side at the end; what is beyond is counted as dropped. */
const EXIT_REQUESTS_MAX = 256;

type Targets = Readonly<Record<Signal, SignalTarget>>;

export interface ExitFlushInput {
  readonly requests: readonly {
    readonly url: string;
    readonly headers: Record<string, string>;
    readonly body: Uint8Array;
  }[];
  readonly results: SharedArrayBuffer;
  readonly timeoutMs: number;
}

/**
 * Delivers batches from inside an `exit` handler, where the event loop has ended: a worker thread
 * posts them while this thread waits for it, at most a second. Measured with the collector up:
 * 40 to 50 ms. Counts what was delivered and what was not.
 *
 * @returns how many records were not delivered
 */
export function flushAtExit(
  batches: readonly Batch[],
  to: { readonly targets: Targets; readonly isReachable: boolean },
): number {
  const sent = to.isReachable ? batches.slice(0, EXIT_REQUESTS_MAX) : [];
  const results = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT * (sent.length + 1));
  const shared = new Int32Array(results);
  if (sent.length > 0) post(sent, to.targets, shared);
  let lost = 0;
  for (const [index, batch] of batches.entries()) {
    const status = index < sent.length ? Atomics.load(shared, index + 1) : 0;
    if (status >= 200 && status < 300) {
      counts[batch.signal].delivered += batch.records;
      continue;
    }
    lost += batch.records;
    countDropped(batch.signal, batch.records, findTransactionIds(batch.parts));
  }
  return lost;
}

function post(
  batches: readonly Batch[],
  targets: Targets,
  shared: Int32Array<SharedArrayBuffer>,
): void {
  const input: ExitFlushInput = {
    requests: batches.map((batch) => ({
      url: targets[batch.signal].url,
      headers: {
        ...targets[batch.signal].headers,
        "content-type": "application/x-protobuf",
        [HEADER.attempt]: String(++batch.attempts),
      },
      body: Buffer.concat(batch.parts),
    })),
    results: shared.buffer,
    timeoutMs: EXIT_FLUSH_MS_MAX,
  };
  // Built packages hold .js where the sources hold .ts: the worker's file ends as this one does.
  const file = new URL(`./exit-flush-worker${extname(import.meta.url)}`, import.meta.url);
  // Without the parent's flags: the worker must not load this package, or the service's hooks.
  const worker = new Worker(file, { workerData: input, execArgv: [], env: {} });
  worker.unref();
  const until = performance.now() + EXIT_FLUSH_MS_MAX;
  for (let left = EXIT_FLUSH_MS_MAX; left > 0; left = until - performance.now()) {
    const finished = Atomics.load(shared, 0);
    if (finished >= batches.length) return;
    Atomics.wait(shared, 0, finished, left);
  }
}
