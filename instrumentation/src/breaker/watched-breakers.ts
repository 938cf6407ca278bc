import { addMetricSource, type Sample } from "../metrics/metric-source.ts";
import { sharedState } from "../shared-state.ts";
import { METRIC } from "../wire-names.ts";
import { type BreakerState, stateOf, type WatchableBreaker } from "./breaker-shape.ts";

/** What one breaker did so far. */
export interface BreakerCounts {
  trips: number;
  rejections: number;
  timeouts: number;
  fallbacks: number;
  successes: number;
  /** Failures that nobody expected, and those that somebody did. */
  unexpected: number;
  expected: number;
}

interface Watched {
  readonly breaker: WatchableBreaker;
  readonly counts: BreakerCounts;
}

/** Breakers with figures; one that is made per request must not fill the memory. */
const WATCHED_MAX = 200;
const STATES: readonly BreakerState[] = ["closed", "half-open", "open"];

/** By a name that is theirs alone. */
const watched = sharedState("breakers", () => new Map<string, Watched>());

/**
 * Shows the breaker's figures from now on.
 *
 * @returns its name in the figures: of a second breaker of one name, that name with a number
 */
export function addWatched(breaker: WatchableBreaker, counts: BreakerCounts): string {
  showBreakers();
  let name = breaker.name;
  for (let number = 2; watched.has(name) && number <= WATCHED_MAX; number++) {
    name = `${breaker.name}-${number}`;
  }
  if (watched.size < WATCHED_MAX && !watched.has(name)) watched.set(name, { breaker, counts });
  return name;
}

export function removeWatched(name: string): void {
  watched.delete(name);
}

/** Name to state of every breaker that is watched. */
export function breakerStates(): Record<string, BreakerState> {
  return Object.fromEntries([...watched].map(([name, { breaker }]) => [name, stateOf(breaker)]));
}

function showBreakers(): void {
  addMetricSource({
    name: METRIC.breakerState,
    help: "1 for the state that the breaker is in, 0 for the others.",
    type: "gauge",
    collect: () =>
      [...watched].flatMap(([breaker, of]) =>
        STATES.map((state) => ({
          labels: { breaker, state },
          value: stateOf(of.breaker) === state ? 1 : 0,
        })),
      ),
  });
  addCounter(METRIC.breakerTrips, "How often the breaker opened.", "trips");
  addCounter(METRIC.breakerRejections, "Calls refused: open, or too many at once.", "rejections");
  addCounter(METRIC.breakerTimeouts, "Calls given up because they took too long.", "timeouts");
  addCounter(METRIC.breakerFallbacks, "Calls that the fallback answered.", "fallbacks");
  addCounter(METRIC.breakerSuccesses, "Calls that went well.", "successes");
  addMetricSource({
    name: METRIC.breakerFailures,
    help: "Calls that failed, by whether the error was expected.",
    type: "counter",
    collect: () =>
      [...watched].flatMap(([breaker, { counts }]) => [
        { labels: { breaker, expected: "false" }, value: counts.unexpected },
        { labels: { breaker, expected: "true" }, value: counts.expected },
      ]),
  });
}

function addCounter(name: string, help: string, key: keyof BreakerCounts): void {
  const collect = (): Sample[] =>
    [...watched].map(([breaker, { counts }]) => ({ labels: { breaker }, value: counts[key] }));
  addMetricSource({ name, help, type: "counter", collect });
}
