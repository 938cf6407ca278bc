/** Stands for an index thread that ends unasked: it stores one record, says so, and dies. */
import { parentPort } from "node:worker_threads";
import type { IndexWorkerNews } from "../src/indexer/index-thread-messages.ts";

const news: IndexWorkerNews[] = [
  { kind: "ready" },
  {
    kind: "stats",
    writes: undefined,
    stats: {
      stored: { log: 1, span: 0 },
      existing: 0,
      deadLetters: { undecodable: 0, refused: 0 },
      projected: 0,
      batches: 1,
      busyMs: 1,
      ignoredTransactionIds: 0,
      lastError: undefined,
    },
  },
];
for (const each of news) parentPort?.postMessage(each);
throw new Error("out of luck");
