import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import type { SignalTarget } from "../otlp/config.ts";
import { findTransactionIds } from "../otlp/transaction-scan.ts";
import { countFault, type Signal } from "../stats.ts";
import { HEADER } from "../wire-names.ts";
import { countDelivered, countRefused } from "./count-lost.ts";
import { isRetryable } from "./otlp-post.ts";
import type { Batch, Outbox } from "./outbox.ts";

/** How long a process that is already exiting may be held up. */
export const EXIT_FLUSH_MS_MAX = 1000;
/** Requests posted side by side at the end, and their bytes; what is beyond stays. */
const EXIT_REQUESTS_MAX = 256;
const EXIT_BYTES_MAX = 64 * 1024 * 1024;

type Targets = Readonly<Record<Signal, SignalTarget>>;

export interface ExitFlushInput {
  readonly requests: readonly {
    readonly url: string;
    readonly tls: SignalTarget["tls"];
    readonly headers: Record<string, string>;
    readonly body: Uint8Array;
  }[];
  readonly results: SharedArrayBuffer;
  readonly timeoutMs: number;
}

interface LastPost {
  readonly batch: Batch;
  readonly body: Uint8Array;
}

/**
 * Delivers what is left from inside an `exit` handler, where the event loop has ended: a worker
 * thread posts it while this thread waits for it, at most a second. Measured with the collector up:
 * 40 to 50 ms. What the collector took or refused leaves the outbox, the rest stays in it.
 */
export function flushAtExit(outbox: Outbox, targets: Targets): void {
  const posts = loadRest(outbox);
  if (posts.length === 0) return;
  const results = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT * (posts.length + 1));
  const shared = new Int32Array(results);
  post(posts, targets, shared);
  posts.forEach(({ batch, body }, index) => {
    const status = Atomics.load(shared, index + 1);
    if (isRetryable({ status })) return;
    outbox.remove(batch);
    if (status >= 200 && status < 300) countDelivered(batch, batch.records);
    else countRefused(batch, batch.records, findTransactionIds([body]));
  });
}

function loadRest(outbox: Outbox): LastPost[] {
  const posts: LastPost[] = [];
  let bytes = 0;
  for (const batch of outbox.takeRest()) {
    bytes += batch.bytes;
    if (posts.length >= EXIT_REQUESTS_MAX || bytes > EXIT_BYTES_MAX) break;
    try {
      const body = Buffer.concat(batch.loadNow());
      if (body.length > 0) posts.push({ batch, body });
    } catch (error) {
      countFault("exit-flush", error);
    }
  }
  return posts;
}

function post(
  posts: readonly LastPost[],
  targets: Targets,
  shared: Int32Array<SharedArrayBuffer>,
): void {
  const input: ExitFlushInput = {
    requests: posts.map(({ batch, body }) => ({
      url: targets[batch.signal].url,
      tls: targets[batch.signal].tls,
      headers: {
        ...targets[batch.signal].headers,
        "content-type": "application/x-protobuf",
        [HEADER.attempt]: String(++batch.attempts),
      },
      body,
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
    if (finished >= posts.length) return;
    Atomics.wait(shared, 0, finished, left);
  }
}
