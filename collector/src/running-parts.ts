import { setTimeout as wait } from "node:timers/promises";
import type { Bus } from "./bus/bus.ts";
import type { FolderBytes } from "./folder-bytes.ts";
import type { IndexThread } from "./indexer/index-thread.ts";
import type { StoreReader } from "./store/store.ts";

/** Whatever takes records in, or answers: it can be told to end. */
export interface Stoppable {
  stop(): Promise<void>;
}

/** What is in the bus is durable and indexed after the next start, so this is only courtesy. */
const INDEX_DRAIN_MS_MAX = 3000;
const INDEX_DRAIN_POLL_MS = 20;

/** Everything that was started, and the order in which it ends: against the stream of records. */
export class RunningParts {
  readonly receivers: Stoppable[] = [];
  bus: Bus | undefined;
  indexer: IndexThread | undefined;
  /** Of the port that people and their tools ask. */
  server: Stoppable | undefined;
  /** Of the port that a Jaeger asks. */
  jaeger: Stoppable | undefined;
  reader: StoreReader | undefined;
  /** Of the client that only looks whether the store is there. */
  storeWatch: Stoppable | undefined;
  stored: FolderBytes | undefined;
  #stopped: Promise<void> | undefined;

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.stored?.stop();
    await Promise.all(this.receivers.map((receiver) => receiver.stop()));
    if (this.receivers.length > 0 && this.bus && this.indexer) await drain(this.bus, this.indexer);
    await Promise.all([this.server?.stop(), this.jaeger?.stop()]);
    await this.indexer?.stop();
    await this.reader?.stop();
    await this.storeWatch?.stop();
    await this.bus?.stop();
  }
}

/** Gives the indexer a bounded time for what is in the bus, while it gets on. */
async function drain(bus: Bus, indexer: IndexThread): Promise<void> {
  const endMs = performance.now() + INDEX_DRAIN_MS_MAX;
  while (performance.now() < endMs && indexer.stats.isRunning) {
    // A bus that is away cannot be read either.
    const lag = await bus.lag().catch(() => undefined);
    if (lag === undefined || lag.messages === 0) return;
    await wait(INDEX_DRAIN_POLL_MS);
  }
}
