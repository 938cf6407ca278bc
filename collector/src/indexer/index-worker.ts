/** The index thread's entry: the bus's consumer, the indexer and the store's writer. */
import { setTimeout as wait } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import type { BusConsumer } from "../bus/bus.ts";
import { toClewError } from "../errors.ts";
import type { StoreWriter } from "../store/store.ts";
import { openBusReader } from "./bus-reader.ts";
import type { IndexWorkerData, IndexWorkerNews } from "./index-thread-messages.ts";
import { Indexer, type IndexerStats } from "./indexer.ts";
import { NewsThrottle } from "./news-throttle.ts";
import { openDeadLetterSink } from "./open-dead-letter-sink.ts";
import { openStoreWriter } from "./open-store-writer.ts";

const EXPIRE_INTERVAL_MS = 60 * 60 * 1000;
const DAY_MS = 24 * 60 * 60 * 1000;
/** A bus that does not answer to the last commit is not waited for longer. */
const LAST_COMMIT_MS_MAX = 4000;

const data: IndexWorkerData = workerData;
try {
  await main();
} catch (error) {
  const { code, message } = toClewError(error);
  tell({ kind: "failed", code, message });
} finally {
  parentPort?.close();
}

async function main(): Promise<void> {
  const { dataDir, bus, transactionKeys } = data;
  const warn = (line: string) => tell({ kind: "report", line });
  const { store, keepsPositions } = await openStoreWriter(data.store, { warn });
  const letters = openDeadLetterSink({ bus, keepsPositions, report: warn });
  let consumer: BusConsumer | undefined;
  let expiry: NodeJS.Timeout | undefined;
  let lastCommit: NodeJS.Timeout | undefined;
  const news = new NewsThrottle<IndexerStats>((stats) =>
    tell({ kind: "stats", stats, writes: store.figures?.() }),
  );
  try {
    const from = await store.positions();
    const reader = await openBusReader(bus, {
      ...{ dataDir, from, keepsPositions, report: warn },
      onTrouble: (why) => tell({ kind: "bus", trouble: why }),
    });
    consumer = reader;
    const indexer = new Indexer({
      consumer: reader,
      store,
      transactionKeys,
      ...(letters.sink && { deadLetterSink: letters.sink }),
      nowNs: () => BigInt(Date.now()) * 1_000_000n,
      nowMs: () => performance.now(),
      random: Math.random,
      wait: (ms, signal) => wait(ms, undefined, { signal }),
      onProgress: (stats) => news.offer(stats),
    });
    parentPort?.once("message", () => {
      lastCommit = setTimeout(() => void reader.stop(), LAST_COMMIT_MS_MAX);
      void indexer.stop();
    });
    await expire(store);
    expiry = setInterval(() => void expire(store), EXPIRE_INTERVAL_MS);
    tell({ kind: "ready" });
    await indexer.run();
  } finally {
    clearInterval(expiry);
    clearTimeout(lastCommit);
    news.stop();
    await consumer?.stop();
    if (bus.kind === "embedded") bus.port.close();
    await letters.stop();
    await store.stop();
  }
}

/** Deletes the days beyond retention, by day of receipt (UTC). What fails is tried in an hour. */
async function expire(store: StoreWriter): Promise<void> {
  const oldest = new Date(Date.now() - data.retentionDays * DAY_MS);
  try {
    const days = await store.expire(oldest.toISOString().slice(0, 10));
    if (days.length > 0) tell({ kind: "report", line: `deleted ${days.join(", ")}: retention` });
  } catch (error) {
    tell({ kind: "report", line: toClewError(error).message });
  }
}

function tell(news: IndexWorkerNews): void {
  parentPort?.postMessage(news);
}
