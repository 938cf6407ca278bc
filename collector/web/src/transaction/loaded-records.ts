import type { StoredRecord } from "../../../src/record.ts";

/** Records that are loaded without being asked for; and again this many per "load more". */
export const BATCH_RECORDS_MAX = 10_000;

export interface LoadedRecords {
  readonly records: readonly StoredRecord[];
  /** Of the page that comes next; null where nothing follows, or at the very start. */
  readonly cursor: string | null;
  readonly isLoading: boolean;
  /** Every record of the transaction is here. */
  readonly isWhole: boolean;
}

export interface RecordsState<Failure> extends LoadedRecords {
  readonly error: Failure | undefined;
  /** Grows with each restart. */
  readonly generation: number;
  /** Loading pauses at this many. */
  readonly wantedRecords: number;
  /** A restart keeps showing the old records until its first page is there. */
  readonly isFirstPage: boolean;
}

export type RecordsEvent<Failure> =
  | { readonly act: "restart" }
  | { readonly act: "more" }
  | {
      readonly act: "page";
      readonly records: readonly StoredRecord[];
      readonly cursor: string | null;
    }
  | { readonly act: "fail"; readonly error: Failure };

/** How the records of one transaction come in, page after page. */
export function recordsReducer<Failure>(
  state: RecordsState<Failure> | undefined,
  event: RecordsEvent<Failure>,
): RecordsState<Failure> {
  if (state === undefined || event.act === "restart") {
    return {
      records: state?.records ?? [],
      cursor: null,
      isLoading: true,
      isWhole: false,
      error: undefined,
      generation: (state?.generation ?? 0) + 1,
      wantedRecords: state?.wantedRecords ?? BATCH_RECORDS_MAX,
      isFirstPage: true,
    };
  }
  if (event.act === "fail") return { ...state, error: event.error, isLoading: false };
  if (event.act === "more") {
    const wantedRecords = state.records.length + BATCH_RECORDS_MAX;
    return { ...state, wantedRecords, error: undefined, isLoading: !state.isWhole };
  }
  const records = state.isFirstPage ? event.records : withoutRepeats(state.records, event.records);
  const isWhole = event.cursor === null;
  return {
    ...state,
    records,
    cursor: event.cursor,
    isWhole,
    isFirstPage: false,
    error: undefined,
    isLoading: !isWhole && records.length < state.wantedRecords,
  };
}

/** A page may repeat a record where one was stored between two requests. */
function withoutRepeats(
  records: readonly StoredRecord[],
  added: readonly StoredRecord[],
): readonly StoredRecord[] {
  const known = new Set(records.map(({ id }) => id));
  return [...records, ...added.filter(({ id }) => !known.has(id))];
}
