/** What became of one letter that somebody wanted something done with. */
export interface Outcome {
  readonly id: string;
  readonly result: OutcomeResult;
  /** Why not, or what a dry run would do; empty where it was done. */
  readonly detail: string;
  /** Empty where none is known. */
  readonly transactionId: string;
}

export const OUTCOME_RESULTS = [
  /** Durable: the record is on its way to the store, or the letter is dealt with. */
  "done",
  /** A dry run: it would be done. */
  "possible",
  /** There is no such letter, or none any more. */
  "not-found",
  /** It can never be done as it was asked. */
  "refused",
  /** The bus did not take it: ask again. */
  "failed",
] as const;
export type OutcomeResult = (typeof OUTCOME_RESULTS)[number];
