/** Two copies of this package in one process must know each other's marks. */
const MARKED_KEY = Symbol.for("clew.expected-errors");
const shared = globalThis as { [MARKED_KEY]?: WeakSet<object> };
shared[MARKED_KEY] ??= new WeakSet();
const marked = shared[MARKED_KEY];

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
