import { type RefObject, useCallback, useEffect, useState } from "react";
import type { StoredRecord } from "../../../src/record.ts";
import { readEventStream } from "../api/event-stream.ts";
import { ApiError, openStream } from "../api/fetch-answer.ts";
import { useSession } from "../api/session.ts";
import { toApiError } from "../api/use-answer.ts";
import { NO_LINES, released, tailed } from "./tail-lines.ts";

const RETRY_MS_MIN = 1000;
const RETRY_MS_MAX = 15_000;
/** Lines are drawn in batches: a busy collector sends thousands per second. */
const DRAW_MS = 150;

/** A live tail: opens the stream again after a break, where it stopped. Null follows nothing. */
export function useTail(path: string | null, isHeld: RefObject<boolean>) {
  const { round } = useSession();
  const [lines, setLines] = useState(NO_LINES);
  const [error, setError] = useState<ApiError>();
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new token opens the stream anew.
  useEffect(() => {
    setLines(NO_LINES);
    setError(undefined);
    if (path === null) return;
    const abort = new AbortController();
    let fresh: StoredRecord[] = [];
    const drawing = setInterval(() => {
      if (fresh.length === 0) return;
      const batch = fresh;
      fresh = [];
      setLines((last) => tailed(last, { fresh: batch, isHeld: isHeld.current }));
    }, DRAW_MS);
    void follow(path, {
      signal: abort.signal,
      onRecord: (record) => fresh.push(record),
      onState: setError,
    });
    return () => {
      abort.abort();
      clearInterval(drawing);
    };
  }, [path, round, isHeld]);
  const release = useCallback(() => setLines(released), []);
  return { lines, error, release };
}

interface Follower {
  readonly signal: AbortSignal;
  readonly onRecord: (record: StoredRecord) => void;
  /** Undefined: the stream is open. */
  readonly onState: (error: ApiError | undefined) => void;
}

async function follow(path: string, follower: Follower): Promise<void> {
  const { signal, onState } = follower;
  const place = { lastEventId: "" };
  let retryMs = RETRY_MS_MIN;
  while (!signal.aborted) {
    try {
      const stream = await openStream(path, { signal, ...place });
      onState(undefined);
      retryMs = RETRY_MS_MIN;
      await readRecords(stream, { place, follower });
    } catch (thrown) {
      if (signal.aborted) return;
      const error = toApiError(thrown);
      onState(error);
      // Neither a wrong search nor a refused token gets better by asking again.
      if (error.status >= 400 && error.status < 500) return;
    }
    await pause(retryMs, signal);
    retryMs = Math.min(retryMs * 2, RETRY_MS_MAX);
  }
}

async function readRecords(
  stream: ReadableStream<Uint8Array>,
  { place, follower }: { readonly place: { lastEventId: string }; readonly follower: Follower },
): Promise<void> {
  for await (const { event, data, lastEventId } of readEventStream(stream)) {
    place.lastEventId = lastEventId;
    if (event === "message") follower.onRecord(JSON.parse(data) as StoredRecord);
    if (event !== "problem") continue;
    const {
      status,
      title,
      detail = "",
    } = JSON.parse(data) as {
      status: number;
      title: string;
      detail?: string;
    };
    throw new ApiError({ status, title, detail });
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
