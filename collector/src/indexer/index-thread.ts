import { once } from "node:events";
import { extname, join } from "node:path";
import { Worker } from "node:worker_threads";
import { ClewError } from "../errors.ts";
import type { WriteFigures } from "../store/store.ts";
import type { BusReaderData } from "./bus-reader.ts";
import type {
  IndexWorkerData,
  IndexWorkerNews,
  IndexWorkerOrder,
} from "./index-thread-messages.ts";
import type { IndexerStats } from "./indexer.ts";
import type { StoreWriterData } from "./open-store-writer.ts";

/** A third of the memory of the default, at the same speed: `npm run bench -- embedded`. */
const YOUNG_GENERATION_MIB = 8;
/** Beside this file, and TypeScript or JavaScript as it is. */
const WORKER_FILE = `./index-worker${extname(import.meta.url)}`;
const STOP_TIMEOUT_MS = 10_000;
const RESTART_DELAY_MIN_MS = 200;
const RESTART_DELAY_MAX_MS = 10_000;

export interface IndexThreadStats extends IndexerStats {
  /** How often the thread ended unasked and was started again. */
  readonly restarts: number;
  /** False from such an end until the thread works again. */
  readonly isRunning: boolean;
  /** Of a store that is written over the network. */
  readonly writes: WriteFigures | undefined;
}

export interface IndexThreadOptions {
  /** The collector's data directory, with the folders `bus` and `store` if these are embedded. */
  readonly dataDir: string;
  /** Where it reads; called anew for each start of the thread. */
  readonly openBus: () => BusReaderData;
  /** Where it writes; the embedded store where absent. */
  readonly store?: StoreWriterData;
  readonly transactionKeys: readonly string[];
  readonly retentionDays: number;
  /** At most about ten times a second, each time something moved. */
  readonly onStats?: (stats: IndexThreadStats) => void;
  /** As `onStats`, where the store has more than before: for the live tail. */
  readonly onStored?: () => void;
  /** Hears one line each time something went wrong; standard error where absent. */
  readonly report?: (line: string) => void;
  /** Another worker in its place, for tests. */
  readonly workerUrl?: URL;
}

/** The index thread as the main thread sees it. Its end never ends the process. */
export class IndexThread {
  readonly #options: IndexThreadOptions;
  readonly #report: (line: string) => void;
  /** Totals of the threads before this one. */
  #before: IndexerStats = NOTHING;
  #now: IndexerStats = NOTHING;
  #writesBefore: WriteFigures | undefined;
  #writes: WriteFigures | undefined;
  #lastError: string | undefined;
  #busTrouble: string | undefined;
  #restarts = 0;
  #isRunning = false;
  #worker: Worker | undefined;
  #restart: NodeJS.Timeout | undefined;
  #restartDelayMs = RESTART_DELAY_MIN_MS;
  #stopping: Promise<void> | undefined;

  constructor(options: IndexThreadOptions) {
    this.#options = options;
    this.#report = options.report ?? ((line) => console.warn(line));
  }

  get stats(): IndexThreadStats {
    return {
      ...addStats(this.#before, this.#now),
      lastError: this.#lastError ?? this.#busTrouble ?? this.#now.lastError,
      restarts: this.#restarts,
      isRunning: this.#isRunning,
      writes: addFigures(this.#writesBefore, this.#writes),
    };
  }

  /** Resolves once the thread reads the bus. */
  async start(): Promise<void> {
    const { dataDir, transactionKeys, retentionDays, openBus, workerUrl } = this.#options;
    const bus = openBus();
    const { store = { kind: "embedded", dir: join(dataDir, "store") } } = this.#options;
    const workerData: IndexWorkerData = { dataDir, bus, store, transactionKeys, retentionDays };
    const url = workerUrl ?? new URL(WORKER_FILE, import.meta.url);
    const worker = new Worker(url, {
      name: "index",
      workerData,
      transferList: bus.kind === "embedded" ? [bus.port] : [],
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MIB },
    });
    this.#worker = worker;
    await new Promise<void>((resolve, reject) => {
      let failure: ClewError | undefined;
      worker.on("message", (news: IndexWorkerNews) => {
        if (news.kind === "failed") failure = new ClewError(news.code, news.message);
        else if (news.kind === "ready") resolve(this.#onReady());
        else this.#onNews(news);
      });
      worker.on("error", (error) => {
        failure = new ClewError("INTERNAL", `cannot index: ${error.message}`, { cause: error });
      });
      worker.on("exit", (exitCode) => {
        const why = `cannot index: the index thread ended with code ${exitCode}`;
        const error = failure ?? new ClewError("INTERNAL", why);
        reject(error);
        this.#onExit(error);
      });
    });
  }

  /** Resolves once the batch in hand is settled and the thread has ended. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    clearTimeout(this.#restart);
    const worker = this.#worker;
    if (worker === undefined) return;
    const ended = once(worker, "exit", { signal: AbortSignal.timeout(STOP_TIMEOUT_MS) });
    worker.postMessage({ kind: "stop" } satisfies IndexWorkerOrder);
    try {
      await ended;
    } catch {
      this.#report("the index thread did not end in time: ended by force, nothing is lost by it");
      await worker.terminate();
    }
  }

  #onReady(): void {
    this.#isRunning = true;
    this.#lastError = undefined;
    this.#options.onStats?.(this.stats);
  }

  #onNews(news: Extract<IndexWorkerNews, { kind: "stats" | "report" | "bus" }>): void {
    if (news.kind === "report") {
      this.#report(news.line);
      return;
    }
    if (news.kind === "bus") {
      this.#busTrouble = news.trouble;
      return;
    }
    const { stats, writes } = news;
    this.#writes = writes;
    const hasMore = stats.batches > this.#now.batches;
    // A thread that gets something done has earned a quick restart.
    if (hasMore) this.#restartDelayMs = RESTART_DELAY_MIN_MS;
    this.#now = stats;
    this.#options.onStats?.(this.stats);
    if (hasMore) this.#options.onStored?.();
  }

  #onExit(error: ClewError): void {
    const wasRunning = this.#isRunning || this.#restarts > 0;
    this.#before = addStats(this.#before, this.#now);
    this.#now = NOTHING;
    this.#writesBefore = addFigures(this.#writesBefore, this.#writes);
    this.#writes = undefined;
    this.#busTrouble = undefined;
    this.#isRunning = false;
    this.#worker = undefined;
    if (this.#stopping !== undefined || !wasRunning) return;
    this.#restarts++;
    this.#lastError = error.message;
    this.#report(`${error.message}; it starts again in ${this.#restartDelayMs} ms`);
    this.#options.onStats?.(this.stats);
    this.#restart = setTimeout(() => this.#startAgain(), this.#restartDelayMs);
    this.#restartDelayMs = Math.min(2 * this.#restartDelayMs, RESTART_DELAY_MAX_MS);
  }

  /** A start that fails ends in `#onExit`, which tries once more. */
  #startAgain(): void {
    this.start().catch((error: unknown) => {
      this.#lastError = error instanceof Error ? error.message : String(error);
    });
  }
}

/**
 * Starts the thread that moves records from the bus into the store.
 * @throws ClewError where it cannot begin at all; afterwards it is started again for ever.
 */
export async function startIndexThread(options: IndexThreadOptions): Promise<IndexThread> {
  const thread = new IndexThread(options);
  await thread.start();
  return thread;
}

const NOTHING: IndexerStats = {
  stored: { log: 0, span: 0 },
  existing: 0,
  deadLetters: { undecodable: 0, refused: 0 },
  projected: 0,
  batches: 0,
  busyMs: 0,
  ignoredTransactionIds: 0,
  lastError: undefined,
};

function addStats(a: IndexerStats, b: IndexerStats): IndexerStats {
  return {
    stored: { log: a.stored.log + b.stored.log, span: a.stored.span + b.stored.span },
    existing: a.existing + b.existing,
    deadLetters: {
      undecodable: a.deadLetters.undecodable + b.deadLetters.undecodable,
      refused: a.deadLetters.refused + b.deadLetters.refused,
    },
    projected: a.projected + b.projected,
    batches: a.batches + b.batches,
    busyMs: a.busyMs + b.busyMs,
    ignoredTransactionIds: a.ignoredTransactionIds + b.ignoredTransactionIds,
    lastError: b.lastError,
  };
}

/** Totals add up; how it is now is the later one's to say. */
function addFigures(
  a: WriteFigures | undefined,
  b: WriteFigures | undefined,
): WriteFigures | undefined {
  if (a === undefined || b === undefined) return b ?? (a && { ...a, inFlight: 0 });
  const { inFlight, wantedBytes } = b;
  return {
    requests: a.requests + b.requests,
    bytes: a.bytes + b.bytes,
    repeats: a.repeats + b.repeats,
    inFlight,
    wantedBytes,
  };
}
