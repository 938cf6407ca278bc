import { monitorEventLoopDelay } from "node:perf_hooks";
import { PROMETHEUS } from "../wire-names.ts";
import { addMetricSource } from "./metric-source.ts";

/** How often the loop is looked at. */
const RESOLUTION_MS = 20;
/** A window is closed when it is read and this old: what is read covers at least so long. */
const WINDOW_MS = 5000;
const NS_PER_SECOND = 1e9;

type IntervalHistogram = ReturnType<typeof monitorEventLoopDelay>;

/** Lateness of the event loop during one window, in seconds. */
export interface LoopDelay {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

/**
 * How late the event loop is, beyond the 20 ms that each look waits by itself. All that ask within
 * a window are told the same: two scrapers and the run report do not take figures from each other.
 */
export class LoopDelayMonitor {
  readonly #histogram: IntervalHistogram;
  readonly #nowMs: () => number;
  #openedMs: number;
  #last: LoopDelay | undefined;

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
    this.#histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.#histogram.enable();
    this.#openedMs = nowMs();
  }

  /** Of the last full window, or of the first one so far; undefined before the first look. */
  read(): LoopDelay | undefined {
    const isOver = this.#nowMs() - this.#openedMs >= WINDOW_MS;
    if (!isOver && this.#last !== undefined) return this.#last;
    if (this.#histogram.count === 0) return this.#last;
    const delay = describe(this.#histogram);
    if (isOver) {
      this.#last = delay;
      this.#histogram.reset();
      this.#openedMs = this.#nowMs();
    }
    return delay;
  }

  stop(): void {
    this.#histogram.disable();
  }
}

/** Shows it under the names that prom-client's own metrics of the event loop have. */
export function showLoopDelay(monitor: LoopDelayMonitor): void {
  const add = (name: string, key: keyof LoopDelay) =>
    addMetricSource({
      name,
      help: `Lateness of the event loop in its last window: ${key}.`,
      type: "gauge",
      collect: () => {
        const delay = monitor.read();
        return delay === undefined ? [] : [{ labels: {}, value: delay[key] }];
      },
    });
  add(PROMETHEUS.loopLagMin, "min");
  add(PROMETHEUS.loopLagMax, "max");
  add(PROMETHEUS.loopLagMean, "mean");
  add(PROMETHEUS.loopLagP50, "p50");
  add(PROMETHEUS.loopLagP90, "p90");
  add(PROMETHEUS.loopLagP99, "p99");
}

function describe(histogram: IntervalHistogram): LoopDelay {
  const late = (ns: number) => Math.max(0, ns / NS_PER_SECOND - RESOLUTION_MS / 1000);
  return {
    min: late(histogram.min),
    max: late(histogram.max),
    mean: late(histogram.mean),
    p50: late(histogram.percentile(50)),
    p90: late(histogram.percentile(90)),
    p99: late(histogram.percentile(99)),
  };
}
