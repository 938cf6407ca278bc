import { sharedState } from "./shared-state.ts";

const marked = sharedState("expected-errors", () => new WeakSet());

/**
 * Says that an error belongs to the business (a declined card, a voucher that has run out) and
 * nobody is to be woken for it: spans and log records that carry it say
 * `clew.error.expected` and are not counted as failures. Returns the error, so that one can write
 * `throw markExpected(new CardDeclined())`. What is no object is returned as it is.
 */
export function markExpected<E>(error: E): E {
  if (typeof error === "object" && error !== null) marked.add(error);
  return error;
}

/** Whether the error, or what it says was its cause, was marked. */
export function isExpectedError(error: unknown): boolean {
  let at = error;
  for (let depth = 0; depth < CAUSES_MAX; depth++) {
    if (typeof at !== "object" || at === null) return false;
    if (marked.has(at)) return true;
    at = "cause" in at ? at.cause : undefined;
  }
  return false;
}

const CAUSES_MAX = 8;
