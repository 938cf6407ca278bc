import { type RefObject, useCallback, useEffect, useRef, useState } from "react";
import { type ApiError, fetchAnswer, type TransactionList } from "../api/fetch-answer.ts";
import { queryString } from "../api/query-string.ts";
import { useSession } from "../api/session.ts";
import { toApiError } from "../api/use-answer.ts";
import { useDebounced } from "../parts/use-debounced.ts";
import { useInterval } from "../parts/use-interval.ts";
import { appendedRows, mergedRows, type ShownRows, shownRows } from "./merged-rows.ts";

const REFRESH_MS = 3000;
const TYPING_PAUSE_MS = 250;
const PAGE_ROWS = 50;
const NONE: ShownRows = { rows: [], cursor: null, waiting: 0, isCut: false };

type Filters = Readonly<Record<string, string>>;

/** The list for some filters: its first page, refreshed, and older pages on demand. */
export function useTransactions(filters: Filters, isHeld: RefObject<boolean>) {
  const { round } = useSession();
  const query = useDebounced(queryString({ ...filters, limit: PAGE_ROWS }), TYPING_PAUSE_MS);
  const [shown, setShown] = useState(NONE);
  const [error, setError] = useState<ApiError>();
  const [isLoading, setIsLoading] = useState(true);
  const [isLoadingMore, setIsLoadingMore] = useState(false);
  const [isRefreshing, setIsRefreshing] = useState(true);
  const abort = useRef(new AbortController());
  const isBusy = useRef(false);

  const load = useCallback(
    async (merge: (shown: ShownRows, fresh: TransactionList) => ShownRows, cursor = "") => {
      const { signal } = abort.current;
      isBusy.current = true;
      try {
        const page = cursor === "" ? "" : `&${new URLSearchParams({ cursor })}`;
        const answer = await fetchAnswer<TransactionList>(`/transactions${query}${page}`, signal);
        setShown((last) => merge(last, answer));
        setError(undefined);
      } catch (thrown) {
        if (!signal.aborted) setError(toApiError(thrown));
      }
      if (signal.aborted) return;
      isBusy.current = false;
      setIsLoading(false);
      setIsLoadingMore(false);
    },
    [query],
  );
  const start = useCallback(() => {
    setIsLoading(true);
    void load((_, fresh) => shownRows(fresh));
  }, [load]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new token starts anew.
  useEffect(() => {
    abort.current = new AbortController();
    start();
    return () => abort.current.abort();
  }, [start, round]);
  const refresh = (held: boolean) => {
    if (!isBusy.current) void load((last, fresh) => mergedRows(last, { fresh, isHeld: held }));
  };
  useInterval(() => refresh(isHeld.current), isRefreshing ? REFRESH_MS : null);
  const loadMore = () => {
    if (shown.cursor === null || isBusy.current) return;
    setIsLoadingMore(true);
    void load(appendedRows, shown.cursor);
  };
  const showWaiting = () => refresh(false);
  return {
    shown,
    error,
    isLoading,
    isLoadingMore,
    loadMore,
    showWaiting,
    reload: start,
    setIsRefreshing,
  };
}
