import { sharedState } from "./shared-state.ts";

/**
 * What instruments this thread. Everything and IDs only, in any order, loaded twice or out of two
 * copies of this package: each request and line is taken once.
 */
export const running = sharedState<{
  isEverything: boolean;
  /** Set while only IDs are carried. */
  stopCorrelation?: (() => void) | undefined;
}>("running", () => ({ isEverything: false }));
