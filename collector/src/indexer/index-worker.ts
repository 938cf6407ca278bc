/** The index thread's entry: the embedded bus's consumer, the indexer and the store's writer. */
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { EmbeddedBusConsumer } from "../bus/embedded-bus-consumer.ts";
import { EMBEDDED_PARTITION } from "../bus/segment-format.ts";
import { describeDamage } from "../bus/segment-reader.ts";
import { toClewError } from "../errors.ts";
import { openEmbeddedStoreWriter } from "../store/embedded/embedded-store-writer.ts";
import type { StoreWriter } from "../store/store.ts";
import type { IndexWorkerData, IndexWorkerNews } from "./index-thread-messages.ts";
import { Indexer, type IndexerStats } from "./indexer.ts";
import { NewsThrottle } from "./news-throttle.ts";

const EXPIRE_INTERVAL_MS = 60 * 60 * 1000;
const DAY_MS = 24 * 60 * 60 * 1000;

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
  const { dataDir, busPort, transactionKeys } = data;
  const warn = (line: string) => tell({ kind: "report", line });
  const store = openEmbeddedStoreWriter({ dir: join(dataDir, "store"), warn });
  let consumer: EmbeddedBusConsumer | undefined;
  let expiry: NodeJS.Timeout | undefined;
  const news = new NewsThrottle<IndexerStats>((stats) => tell({ kind: "stats", stats }));
  try {
    const from = await store.positions();
    consumer = await EmbeddedBusConsumer.connect({
      dir: join(dataDir, "bus"),
      port: busPort,
      from,
      onDamage: (damage) => warn(describeDamage(damage)),
    });
    await commitStored(consumer, from);
    const indexer = new Indexer({
      consumer,
      store,
      transactionKeys,
      nowMs: () => performance.now(),
      random: Math.random,
      wait: (ms, signal) => wait(ms, undefined, { signal }),
      onProgress: (stats) => news.offer(stats),
    });
    parentPort?.on("message", () => void indexer.stop());
    await expire(store);
    expiry = setInterval(() => void expire(store), EXPIRE_INTERVAL_MS);
    tell({ kind: "ready" });
    await indexer.run();
  } finally {
    clearInterval(expiry);
    news.stop();
    await consumer?.stop();
    busPort.close();
    await store.stop();
  }
}

/**
 * After a crash between the store's commit and the bus's, the store knows better. Not where the
 * consumer begins elsewhere: then these positions were counted in another bus.
 */
async function commitStored(
  consumer: EmbeddedBusConsumer,
  from: ReadonlyMap<string, number>,
): Promise<void> {
  const offset = from.get(EMBEDDED_PARTITION);
  if (offset === undefined || offset !== consumer.nextOffset) return;
  await consumer.commit({ partition: EMBEDDED_PARTITION, offset });
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
