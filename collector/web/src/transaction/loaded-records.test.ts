import { expect, test } from "vitest";
import { sampleLog } from "../record/record-samples.ts";
import { BATCH_RECORDS_MAX, type RecordsState, recordsReducer } from "./loaded-records.ts";

const start = recordsReducer<Error>(undefined, { act: "restart" });
const page = (from: number, to: number, cursor: string | null) => ({
  act: "page" as const,
  records: Array.from({ length: to - from }, (_, i) => sampleLog({ id: `r${from + i}` })),
  cursor,
});

test("a failure ends the loading and keeps what is there", () => {
  const half = recordsReducer(start, page(0, 3, "3"));
  const failed = recordsReducer(half, { act: "fail", error: new Error("gone") });
  expect(failed).toMatchObject({ isLoading: false, isWhole: false, error: new Error("gone") });
  expect(failed.records).toHaveLength(3);
  const again = recordsReducer(failed, { act: "more" });
  expect(again).toMatchObject({ isLoading: true, cursor: "3", error: undefined });
});

test("pages follow each other until nothing follows", () => {
  const first = recordsReducer(start, page(0, 3, "3"));
  expect(first).toMatchObject({ isLoading: true, isWhole: false, cursor: "3" });
  const last = recordsReducer(first, page(3, 5, null));
  expect(last).toMatchObject({ isLoading: false, isWhole: true });
  expect(last.records.map(({ id }) => id)).toEqual(["r0", "r1", "r2", "r3", "r4"]);
  expect(recordsReducer(last, { act: "more" }).isLoading).toBe(false);
});

test("a record that comes twice is shown once", () => {
  const state = recordsReducer(recordsReducer(start, page(0, 3, "x")), page(2, 4, null));
  expect(state.records.map(({ id }) => id)).toEqual(["r0", "r1", "r2", "r3"]);
});

test("loading pauses at its bound, and goes on when asked", () => {
  const full = recordsReducer(start, page(0, BATCH_RECORDS_MAX, "next"));
  expect(full).toMatchObject({ isLoading: false, isWhole: false });
  const more = recordsReducer(full, { act: "more" });
  expect(more).toMatchObject({ isLoading: true, wantedRecords: BATCH_RECORDS_MAX * 2 });
});

test("a restart shows the old records until the first new page is there", () => {
  const whole = recordsReducer(start, page(0, 3, null));
  const restarted: RecordsState<Error> = recordsReducer(whole, { act: "restart" });
  expect(restarted.records).toHaveLength(3);
  expect(restarted).toMatchObject({ isLoading: true, cursor: null });
  expect(restarted.generation).toBeGreaterThan(whole.generation);
  const fresh = recordsReducer(restarted, page(1, 2, null));
  expect(fresh.records.map(({ id }) => id)).toEqual(["r1"]);
});
