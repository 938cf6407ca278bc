import { useCallback, useEffect, useState } from "react";
import { ApiError, fetchAnswer } from "./fetch-answer.ts";
import { useSession } from "./session.ts";

export interface Answer<T> {
  /** What was answered last; stays while a newer answer is on its way. */
  readonly data: T | undefined;
  readonly error: ApiError | undefined;
  readonly isLoading: boolean;
  readonly reload: () => void;
}

/** Asks for `path` and again whenever it or the token changes; null asks for nothing. */
export function useAnswer<T>(path: string | null): Answer<T> {
  const session = useSession();
  const [round, setRound] = useState(0);
  const [state, setState] = useState<Omit<Answer<T>, "reload">>(LOADING);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new token or round asks again.
  useEffect(() => {
    if (path === null) return;
    const abort = new AbortController();
    setState((last) => ({ ...last, isLoading: true }));
    fetchAnswer<T>(path, abort.signal).then(
      (data) => setState({ data, error: undefined, isLoading: false }),
      (thrown: unknown) => {
        if (abort.signal.aborted) return;
        setState((last) => ({ ...last, error: toApiError(thrown), isLoading: false }));
      },
    );
    return () => abort.abort();
  }, [path, session.round, round]);
  const reload = useCallback(() => setRound((last) => last + 1), []);
  return { ...state, reload };
}

export function toApiError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown;
  const detail = thrown instanceof Error ? thrown.message : String(thrown);
  return new ApiError({ status: 0, title: "The page failed", detail });
}

const LOADING = { data: undefined, error: undefined, isLoading: true } as const;
