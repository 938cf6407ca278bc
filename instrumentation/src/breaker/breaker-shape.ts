/**
 * What is used of a circuit breaker: opossum's, of any version that has these. Only the shape is
 * asked for, so that this package does not depend on it.
 */
export interface WatchableBreaker {
  readonly name: string;
  readonly opened: boolean;
  readonly halfOpen: boolean;
  on(event: string, listener: (...args: never[]) => void): unknown;
}

export type BreakerState = "closed" | "half-open" | "open";

export function stateOf(breaker: WatchableBreaker): BreakerState {
  if (breaker.opened) return "open";
  return breaker.halfOpen ? "half-open" : "closed";
}

/** opossum's options, which hold the filter that tells expected errors. */
export interface FilterHolder {
  errorFilter: (...args: unknown[]) => unknown;
}

export function findFilterHolder(breaker: object): FilterHolder | undefined {
  const options: unknown = "options" in breaker ? breaker.options : undefined;
  if (typeof options !== "object" || options === null || !("errorFilter" in options)) {
    return undefined;
  }
  return typeof options.errorFilter === "function" ? (options as FilterHolder) : undefined;
}
