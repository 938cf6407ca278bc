import { useCallback, useEffect, useReducer, useRef } from "react";
import { type ApiError, fetchAnswer, type RecordList } from "../api/fetch-answer.ts";
import { queryString } from "../api/query-string.ts";
import { useSession } from "../api/session.ts";
import { toApiError } from "../api/use-answer.ts";
import { type LoadedRecords, recordsReducer } from "./loaded-records.ts";

const PAGE_RECORDS = 1000;

export interface Records extends LoadedRecords {
  readonly error: ApiError | undefined;
  /** Loads the next batch of pages; for transactions larger than one batch. */
  readonly loadMore: () => void;
  /** Reads everything anew: records may have come since, anywhere in the order. */
  readonly reload: () => void;
}

/** All records of a transaction in order, page by page, up to a bound; more on demand. */
export function useRecords(path: string): Records {
  const { round } = useSession();
  const [state, dispatch] = useReducer(recordsReducer<ApiError>, undefined, () =>
    recordsReducer<ApiError>(undefined, { act: "restart" }),
  );
  const abort = useRef(new AbortController());
  // biome-ignore lint/correctness/useExhaustiveDependencies: another path or token starts anew.
  useEffect(() => {
    dispatch({ act: "restart" });
  }, [path, round]);
  const { cursor, isLoading, generation } = state;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a restart asks for page one again.
  useEffect(() => {
    if (!isLoading) return;
    const controller = new AbortController();
    abort.current = controller;
    const query = queryString({ limit: PAGE_RECORDS, cursor });
    fetchAnswer<RecordList>(`${path}/records${query}`, controller.signal).then(
      (answer) => dispatch({ act: "page", records: answer.records, cursor: answer.cursor }),
      (thrown: unknown) => {
        if (!controller.signal.aborted) dispatch({ act: "fail", error: toApiError(thrown) });
      },
    );
    return () => controller.abort();
  }, [path, cursor, isLoading, generation]);
  const loadMore = useCallback(() => dispatch({ act: "more" }), []);
  const reload = useCallback(() => dispatch({ act: "restart" }), []);
  return { ...state, loadMore, reload };
}
