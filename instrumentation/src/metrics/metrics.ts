import { sharedState } from "../shared-state.ts";
import type { MetricsRegistry, OwnMetric } from "./prometheus-registry.ts";
import { addOwnMetric, openRegistry, writeMetrics } from "./prometheus-registry.ts";

interface MetricsApi {
  /** `host:port` of this run's `/metrics`, or undefined where it does not listen (yet). */
  readonly address: string | undefined;
  /**
   * What `/metrics` shows, to be served by the service itself. Prometheus's text format 0.0.4, or
   * OpenMetrics 1.0, which has exemplars.
   */
  text(format?: "prometheus" | "openmetrics"): Promise<string>;
  /**
   * Shows metrics of prom-client on `/metrics`, whichever copy or version made them; make them with
   * `registers: []` to have them there alone. Nothing of the metric is changed.
   */
  add(...own: readonly OwnMetric[]): void;
  /** The private registry behind `/metrics`. Loads prom-client on the first call. */
  registry(): Promise<MetricsRegistry>;
}

const told = sharedState<{ findAddress?: () => string | undefined }>("address", () => ({}));

export const metrics: MetricsApi = {
  get address() {
    return told.findAddress?.();
  },
  text: (format = "prometheus") => writeMetrics(format),
  add: (...own) => {
    for (const metric of own) addOwnMetric(metric);
  },
  registry: openRegistry,
};

/** Tells where this run's `/metrics` is found. */
export function setMetricsAddress(find: () => string | undefined): void {
  told.findAddress = find;
}
