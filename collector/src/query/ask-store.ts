import { withDeadline } from "./deadline.ts";

/** The store has bounds of its own, far below; this is for one that does not answer at all. */
export const QUERY_MS_MAX = 35_000;

/** Any promise of the store, with the deadline of a query. */
export function ask<T>(answer: Promise<T>): Promise<T> {
  const deadline = { ms: QUERY_MS_MAX, code: "STORE_UNAVAILABLE", what: "ask the store" } as const;
  return withDeadline(answer, deadline);
}
