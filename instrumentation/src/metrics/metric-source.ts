import { sharedState } from "../shared-state.ts";

/** One line of `/metrics`: its labels and its value. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** What the line's name has after its source's: `_bucket`, `_sum`, `_count` of a histogram. */
  readonly suffix?: string;
  readonly exemplar?: Exemplar;
}

/** One request as an example of those that a bucket counts (OpenMetrics 1.0, "Exemplars"). */
export interface Exemplar {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly unixSeconds: number;
}

/**
 * What is asked when somebody scrapes. The places that count keep plain numbers, because a
 * histogram of prom-client with four labels costs 0.4 to 0.6 µs each time, 0.8 with an exemplar.
 */
export interface MetricSource {
  /** As Prometheus knows it; a counter's ends in `_total`. */
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  collect(): readonly Sample[];
}

/** More than this package has; a bound, because whoever adds them may do so by mistake. */
const SOURCES_MAX = 200;

const { sources, listeners } = sharedState("metric-sources", () => ({
  sources: new Map<string, MetricSource>(),
  listeners: [] as ((source: MetricSource) => void)[],
}));

/** Shows it on `/metrics` from now on; a second one of that name is left out. */
export function addMetricSource(source: MetricSource): void {
  if (sources.has(source.name) || sources.size >= SOURCES_MAX) return;
  sources.set(source.name, source);
  for (const listener of listeners) listener(source);
}

/** Tells of every source there is, and of each that is added later. */
export function eachMetricSource(listener: (source: MetricSource) => void): void {
  for (const source of sources.values()) listener(source);
  listeners.push(listener);
}
