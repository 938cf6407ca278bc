import { ClewError, toClewError } from "../errors.ts";
import type { StoredRecord } from "../record.ts";
import type { LogFilter, Page, StoreReader } from "../store/store.ts";
import { ask } from "./ask-store.ts";
import { toProblem } from "./problem.ts";

/** Says that the store has new records; `onStored` answers how to stop listening. */
export interface StoreNews {
  onStored(listener: () => void): () => void;
}

export interface TailRequest {
  readonly filter: Pick<LogFilter, "query" | "service" | "minSeverityNumber" | "withReports">;
  /** Records from this time on; now, where neither this nor a cursor is given. */
  readonly fromNs?: bigint;
  /** What the client last saw: the id of an event. */
  readonly cursor?: string;
  readonly signal: AbortSignal;
  /** Ends the connection of a client that takes nothing any more. */
  readonly cutOff: () => void;
}

export const TAILS_MAX = 64;
const PAGE_RECORDS = 200;
/** One search answers everything that was stored meanwhile, however often the store says "new". */
const SEARCH_INTERVAL_MS_MIN = 200;
export const HEARTBEAT_MS = 10_000;
const STALL_MS_MAX = 60_000;
const CLIENT_RETRY_MS = 2000;

/**
 * Live tails as server-sent events (HTML Living Standard §9.2). Each client reads the store at its
 * own pace, one page at a time, and only once it took the page before: nothing is queued for it and
 * nothing is left out. Each event is one record; the last of a page carries the cursor as its id,
 * so that a client which comes back with `Last-Event-ID` gets at most one page again.
 */
export class LogTails {
  readonly #reader: StoreReader;
  readonly #news: StoreNews;
  readonly #nowNs: () => bigint;
  readonly #stopping = new AbortController();
  #open = 0;

  constructor(parts: { reader: StoreReader; news: StoreNews; nowNs: () => bigint }) {
    this.#reader = parts.reader;
    this.#news = parts.news;
    this.#nowNs = parts.nowNs;
  }

  /**
   * The first search is made before the answer begins, so that its errors have a status.
   * @throws ClewError QUERY_OVERLOADED beyond `TAILS_MAX` clients; those of the store.
   */
  async open(request: TailRequest): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    if (this.#open >= TAILS_MAX) {
      throw new ClewError("QUERY_OVERLOADED", `cannot open a live tail: ${TAILS_MAX} are open`);
    }
    this.#open++;
    const signal = AbortSignal.any([request.signal, this.#stopping.signal]);
    const bell = new Bell(this.#news, signal);
    // Also for a stream that nobody ever read: its generator then never ran, and never ends.
    const release = once(() => {
      this.#open--;
      bell.stop();
    });
    request.signal.addEventListener("abort", release, { once: true });
    try {
      const fromNs = request.fromNs ?? this.#nowNs();
      const first = await this.#search(request, { cursor: request.cursor, fromNs });
      const events = this.#events({ request, bell, first, signal, fromNs });
      return toStream({ events, cutOff: request.cutOff, release });
    } catch (error) {
      release();
      throw error;
    }
  }

  stop(): void {
    this.#stopping.abort();
  }

  #search(request: TailRequest, at: { cursor: string | undefined; fromNs: bigint }) {
    return ask(
      this.#reader.searchLogs({
        ...request.filter,
        ...(at.cursor === undefined ? { fromNs: at.fromNs } : { cursor: at.cursor }),
        limit: PAGE_RECORDS,
        order: "oldest",
      }),
    );
  }

  async *#events({ request, bell, first, signal, fromNs }: RunningTail): AsyncGenerator<string> {
    let page = first;
    let cursor = request.cursor;
    try {
      yield `retry: ${CLIENT_RETRY_MS}\n\n`;
      while (!signal.aborted) {
        const hasMoved = page.cursor !== null && page.cursor !== cursor;
        cursor = page.cursor ?? cursor;
        // An id without data moves the client's place and shows nothing.
        if (page.items.length > 0) yield toEvents(page.items, cursor);
        else if (hasMoved) yield `id: ${cursor}\n\n`;
        const mayHaveMore = page.isCut || page.items.length === PAGE_RECORDS;
        if (!(hasMoved && mayHaveMore) && !(await bell.rings(HEARTBEAT_MS))) {
          yield ": heartbeat\n\n";
        }
        if (signal.aborted) break;
        bell.reset();
        page = await this.#search(request, { cursor, fromNs });
      }
    } catch (error) {
      yield `event: problem\ndata: ${JSON.stringify(toProblem(toClewError(error)))}\n\n`;
    }
  }
}

interface RunningTail {
  readonly request: TailRequest;
  readonly bell: Bell;
  readonly first: Page<StoredRecord>;
  readonly signal: AbortSignal;
  readonly fromNs: bigint;
}

/** Waits for news from the store, but not less than the shortest interval between searches. */
class Bell {
  readonly #signal: AbortSignal;
  readonly #stopListening: () => void;
  #hasRung = false;
  #wake: (() => void) | undefined;

  constructor(news: StoreNews, signal: AbortSignal) {
    this.#signal = signal;
    this.#stopListening = news.onStored(() => {
      this.#hasRung = true;
      this.#wake?.();
    });
    signal.addEventListener("abort", this.#end);
  }

  reset(): void {
    this.#hasRung = false;
  }

  /** False where nothing was stored within `ms`. */
  async rings(ms: number): Promise<boolean> {
    await this.#wait(SEARCH_INTERVAL_MS_MIN, () => this.#signal.aborted);
    await this.#wait(ms, () => this.#hasRung || this.#signal.aborted);
    return this.#hasRung || this.#signal.aborted;
  }

  stop(): void {
    this.#stopListening();
    this.#signal.removeEventListener("abort", this.#end);
  }

  readonly #end = () => this.#wake?.();

  async #wait(ms: number, isDone: () => boolean): Promise<void> {
    if (isDone()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    this.#wake = () => {
      if (isDone()) resolve();
    };
    await promise;
    clearTimeout(timer);
    this.#wake = undefined;
  }
}

function toEvents(records: readonly StoredRecord[], cursor: string | undefined): string {
  let text = "";
  records.forEach((record, i) => {
    const isLast = i === records.length - 1;
    const id = isLast && cursor !== undefined ? `id: ${cursor}\n` : "";
    text += `${id}data: ${JSON.stringify(record)}\n\n`;
  });
  return text;
}

/** Pulled, never pushed: the next event is made only when the last one was taken. */
function toStream({
  events,
  cutOff,
  release,
}: {
  events: AsyncGenerator<string>;
  cutOff: () => void;
  release: () => void;
}): ReadableStream<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder();
  let stalled: NodeJS.Timeout | undefined;
  return new ReadableStream(
    {
      async pull(controller) {
        clearTimeout(stalled);
        const { done, value } = await events.next();
        if (done) {
          release();
          return controller.close();
        }
        controller.enqueue(encoder.encode(value));
        stalled = setTimeout(cutOff, STALL_MS_MAX);
        stalled.unref();
      },
      async cancel() {
        clearTimeout(stalled);
        release();
        await events.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}

function once(act: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) act();
    isDone = true;
  };
}
