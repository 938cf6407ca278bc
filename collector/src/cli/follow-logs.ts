import { ClewError } from "../errors.ts";
import type { StoredRecord } from "../record.ts";
import type { QueryClient } from "./query-client.ts";
import { readEvents } from "./read-events.ts";

export interface FollowRequest {
  readonly client: QueryClient;
  readonly parameters: Readonly<Record<string, string | undefined>>;
  readonly show: (record: StoredRecord) => void;
  readonly note: (text: string) => void;
}

const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 10_000;
/** Heartbeats come every 10 s; a connection without any is dead, though nobody said so. */
const SILENCE_MS_MAX = 35_000;
/** At most one page comes again after a broken connection. */
const REMEMBERED_IDS_MAX = 1000;

/**
 * Shows new logs until SIGINT or SIGTERM, and goes on where it was after a broken connection.
 * @throws ClewError where the first connection fails, or the collector refuses for good.
 */
export async function followLogs(request: FollowRequest): Promise<void> {
  const ending = new AbortController();
  const end = () => ending.abort();
  process.once("SIGINT", end);
  process.once("SIGTERM", end);
  const place: Place = { lastEventId: undefined, shown: new Set(), hasConnected: false };
  let retryMs = RETRY_MS_MIN;
  while (!ending.signal.aborted) {
    try {
      if (await followOnce({ ...request, place, ending: ending.signal })) retryMs = RETRY_MS_MIN;
    } catch (error) {
      if (ending.signal.aborted) break;
      if (!place.hasConnected || !isPassing(error)) throw error;
      request.note(`the collector is away; trying again in ${retryMs} ms`);
    }
    await pause(retryMs, ending.signal);
    retryMs = Math.min(RETRY_MS_MAX, retryMs * 2);
  }
}

/** Where a follower is: what to ask for next, and what it has shown since. */
interface Place {
  lastEventId: string | undefined;
  hasConnected: boolean;
  readonly shown: Set<string>;
}

/** Follows one connection to its end; true where it gave records. */
async function followOnce(
  following: FollowRequest & { place: Place; ending: AbortSignal },
): Promise<boolean> {
  const { client, parameters, show, place, ending } = following;
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(), SILENCE_MS_MAX);
  const signal = AbortSignal.any([ending, silence.signal]);
  const { lastEventId } = place;
  const path = "/logs/tail";
  let hasShown = false;
  try {
    const stream = await client.openStream({ path, parameters, lastEventId, signal });
    place.hasConnected = true;
    for await (const event of readEvents(stream, () => timer.refresh())) {
      if (event.event === "problem") break;
      if (event.event === "message") {
        const record = JSON.parse(event.data) as StoredRecord;
        if (!place.shown.has(record.id)) show(record);
        hasShown = true;
        remember(place, record.id);
      }
      if (event.id) place.lastEventId = event.id;
    }
  } catch (error) {
    // A connection that broke is opened again; one that was never made is for the caller to judge.
    if (error instanceof ClewError) throw error;
  } finally {
    clearTimeout(timer);
  }
  return hasShown;
}

/** The oldest is forgotten first: it lies before the place to come back to. */
function remember({ shown }: Place, id: string): void {
  const [oldest] = shown;
  if (shown.size >= REMEMBERED_IDS_MAX && oldest !== undefined) shown.delete(oldest);
  shown.add(id);
}

/** Ends early, and without an error, where there is nothing to wait for any more. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = () => resolve();
  const timer = setTimeout(end, signal.aborted ? 0 : ms);
  signal.addEventListener("abort", end);
  await promise;
  clearTimeout(timer);
  signal.removeEventListener("abort", end);
}

function isPassing(error: unknown): boolean {
  return error instanceof ClewError && error.kind.isRetryable;
}
