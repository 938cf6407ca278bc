import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { ClewError } from "../errors.ts";
import type { QueryAnswer, QueryCall, QueryMethod } from "./query-worker.ts";
import type { StoreReader } from "./store.ts";

/** Beside this file, and TypeScript or JavaScript as it is. */
const WORKER_FILE = `./query-worker${extname(import.meta.url)}`;
const IDLE_STOP_MS = 60_000;
/** Several times what one query may take in the thread, as calls wait for each other. */
const CALL_TIME_LIMIT_MS = 30_000;
const CALLS_WAITING_MAX = 256;

export interface QueryThreadOptions {
  /** Of the embedded store. */
  readonly dir: string;
  /** The thread is stopped when it had nothing to do for so long; the next call starts it anew. */
  readonly idleStopMs?: number;
  readonly callTimeLimitMs?: number;
}

/**
 * A reader of the embedded store that works in a thread of its own. The thread starts at the first
 * call, and again after it died; a call that was under way then rejects with STORE_UNAVAILABLE.
 */
export function createQueryThread(options: QueryThreadOptions): StoreReader {
  const thread = new QueryThread(options);
  return {
    findTransaction: (transactionId) => thread.call("findTransaction", transactionId),
    listTransactions: (filter) => thread.call("listTransactions", filter),
    transactionRecords: (filter) => thread.call("transactionRecords", filter),
    searchLogs: (filter) => thread.call("searchLogs", filter),
    traceSpans: (filter) => thread.call("traceSpans", filter),
    sourcedSpans: (filter) => thread.call("sourcedSpans", filter),
    services: (window) => thread.call("services", window),
    runs: (filter) => thread.call("runs", filter),
    findRun: (runId) => thread.call("findRun", runId),
    countSpanLogs: (transactionId) => thread.call("countSpanLogs", transactionId),
    ledgers: (asked) => thread.call("ledgers", asked),
    listRunIds: (filter) => thread.call("listRunIds", filter),
    deadLetters: (filter) => thread.call("deadLetters", filter),
    deadLetterGroups: (filter) => thread.call("deadLetterGroups", filter),
    findDeadLetter: (id) => thread.call("findDeadLetter", id),
    check: () => thread.call("check", undefined),
    stop: () => thread.stop(),
  };
}

type Result<M extends QueryMethod> = Awaited<ReturnType<StoreReader[M]>>;

interface Waiting {
  readonly settle: (answer: QueryAnswer) => void;
  readonly fail: (error: ClewError) => void;
  readonly timer: NodeJS.Timeout;
}

class QueryThread {
  private readonly dir: string;
  private readonly idleStopMs: number;
  private readonly callTimeLimitMs: number;
  private readonly waiting = new Map<number, Waiting>();
  private worker: Worker | undefined;
  private idleTimer: NodeJS.Timeout | undefined;
  private lastCall = 0;
  private answers = 0;
  private isStopped = false;

  constructor(options: QueryThreadOptions) {
    this.dir = options.dir;
    this.idleStopMs = options.idleStopMs ?? IDLE_STOP_MS;
    this.callTimeLimitMs = options.callTimeLimitMs ?? CALL_TIME_LIMIT_MS;
  }

  call<M extends QueryMethod>(method: M, argument: Parameters<StoreReader[M]>[0]) {
    return new Promise<Result<M>>((resolve, reject) => {
      const refusal = this.findRefusal();
      if (refusal !== undefined) {
        reject(refusal);
        return;
      }
      const call = ++this.lastCall;
      const answersBefore = this.answers;
      const timer = setTimeout(() => this.giveUp(call, answersBefore), this.callTimeLimitMs);
      const settle = (answer: QueryAnswer) => {
        // What the thread answers to a method is what the port says it returns.
        if ("result" in answer) resolve(answer.result as Result<M>);
        else reject(new ClewError(answer.code, answer.message));
      };
      this.waiting.set(call, { settle, fail: reject, timer });
      this.runningWorker().postMessage({ call, method, argument } satisfies QueryCall);
    });
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    await this.end(new ClewError("STORE_STOPPED", "cannot query: the store stopped"));
  }

  private findRefusal(): ClewError | undefined {
    if (this.isStopped) return new ClewError("STORE_STOPPED", "cannot query: the store stopped");
    if (this.waiting.size < CALLS_WAITING_MAX) return undefined;
    const why = `${CALLS_WAITING_MAX} queries wait already`;
    return new ClewError("STORE_UNAVAILABLE", `cannot query: ${why}`);
  }

  private runningWorker(): Worker {
    clearTimeout(this.idleTimer);
    if (this.worker === undefined) {
      const worker = new Worker(new URL(WORKER_FILE, import.meta.url), {
        name: "query",
        workerData: { dir: this.dir },
      });
      worker.on("message", (answer: QueryAnswer) => this.receive(answer));
      worker.on("error", (cause) => this.died(worker, cause));
      worker.on("exit", () => this.died(worker));
      this.worker = worker;
    }
    this.worker.ref();
    return this.worker;
  }

  private receive(answer: QueryAnswer): void {
    this.answers++;
    const waiting = this.take(answer.call);
    if (this.waiting.size === 0) this.rest();
    waiting?.settle(answer);
  }

  /** The process may end while the thread only waits, and the thread after a while. */
  private rest(): void {
    this.worker?.unref();
    clearTimeout(this.idleTimer);
    this.idleTimer = setTimeout(() => {
      const worker = this.worker;
      this.worker = undefined;
      void worker?.terminate();
    }, this.idleStopMs).unref();
  }

  /** One call was too slow; where none was answered meanwhile, the thread itself hangs. */
  private giveUp(call: number, answersBefore: number): void {
    const why = `no answer within ${this.callTimeLimitMs} ms`;
    const error = new ClewError("STORE_UNAVAILABLE", `cannot query: ${why}`);
    this.take(call)?.fail(error);
    if (this.answers === answersBefore) void this.end(error);
    else if (this.waiting.size === 0) this.rest();
  }

  private died(worker: Worker, cause?: unknown): void {
    if (worker !== this.worker) return;
    this.worker = undefined;
    const message = "cannot query: the query thread died";
    this.failAll(new ClewError("STORE_UNAVAILABLE", message, { cause }));
  }

  private async end(error: ClewError): Promise<void> {
    const worker = this.worker;
    this.worker = undefined;
    clearTimeout(this.idleTimer);
    this.failAll(error);
    await worker?.terminate();
  }

  private failAll(error: ClewError): void {
    for (const call of [...this.waiting.keys()]) this.take(call)?.fail(error);
  }

  private take(call: number): Waiting | undefined {
    const waiting = this.waiting.get(call);
    clearTimeout(waiting?.timer);
    this.waiting.delete(call);
    return waiting;
  }
}
