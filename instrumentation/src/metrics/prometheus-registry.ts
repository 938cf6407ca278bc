import type { Metric, OpenMetricsContentType, Registry } from "prom-client";
import { sharedState } from "../shared-state.ts";
import { countFault } from "../stats.ts";
import { PROMETHEUS } from "../wire-names.ts";
import { eachMetricSource, type MetricSource, type Sample } from "./metric-source.ts";
import { toPrometheusText, writeBoundsCanonically } from "./prometheus-text.ts";

/** A registry of prom-client that shows what it holds on this service's `/metrics`. */
export type MetricsRegistry = Registry<OpenMetricsContentType>;

/** What prom-client's registry asks of a metric. */
interface RegisteredMetric {
  readonly name?: string;
  get(): Promise<object>;
}

/** A metric of prom-client, of whatever copy and version, made by the service. */
export interface OwnMetric {
  get(): Promise<object>;
}

/** prom-client must be told some time; its own monitor of the event loop is not used. */
const UNUSED_MONITOR_MS = 3_600_000;
/** Of these we have better ones (loop-delay.ts and gc-durations.ts say why), or none. */
const REPLACED = [...Object.values(PROMETHEUS), "nodejs_eventloop_lag_stddev_seconds"];
const TOTAL = /_total$/;
const OWN_METRICS_MAX = 1000;

interface RegistryState {
  readonly own: OwnMetric[];
  opened?: Promise<MetricsRegistry>;
  scrape?: Promise<string> | undefined;
}

const state = sharedState<RegistryState>("registry", () => ({ own: [] }));

/** prom-client takes 20 to 40 ms to load, so that it waits for the first who asks. */
export function openRegistry(): Promise<MetricsRegistry> {
  state.opened ??= makeRegistry();
  return state.opened;
}

/** Shows a metric that the service made with `registers: []`; see `metrics.add`. */
export function addOwnMetric(metric: OwnMetric): void {
  const { own, opened } = state;
  if (own.includes(metric) || own.length >= OWN_METRICS_MAX) return;
  own.push(metric);
  void opened?.then(
    (registry) => register(registry, adaptOwn(metric)),
    (error: unknown) => countFault("metrics", error),
  );
}

/** Every metric, as text. Those who ask at the same time are told the same. */
export async function writeMetrics(format: "openmetrics" | "prometheus"): Promise<string> {
  state.scrape ??= collect().finally(() => {
    state.scrape = undefined;
  });
  const text = await state.scrape;
  return format === "openmetrics" ? text : toPrometheusText(text);
}

async function collect(): Promise<string> {
  const registry = await openRegistry();
  return writeBoundsCanonically(await registry.metrics());
}

async function makeRegistry(): Promise<MetricsRegistry> {
  const { collectDefaultMetrics, Registry } = await import("prom-client");
  const registry = new Registry<OpenMetricsContentType>();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: UNUSED_MONITOR_MS });
  for (const name of REPLACED) registry.removeSingleMetric(name);
  eachMetricSource((source) => register(registry, adapt(source)));
  for (const metric of state.own) register(registry, adaptOwn(metric));
  return registry;
}

function register(registry: MetricsRegistry, metric: RegisteredMetric): void {
  try {
    registry.registerMetric(metric as Metric);
  } catch (error) {
    countFault("metrics", error); // The service has two metrics of one name: the first is shown.
  }
}

/** Counters are told without their `_total`: for OpenMetrics, prom-client puts it there. */
function adapt(source: MetricSource): RegisteredMetric {
  const { help, type } = source;
  const name = source.name.replace(TOTAL, "");
  const get = async () => {
    const values = samplesOf(source).map((sample) => ({
      labels: sample.labels,
      value: sample.value,
      metricName: name + (sample.suffix ?? ""),
      exemplar: sample.exemplar && {
        labelSet: sample.exemplar.labels,
        value: sample.exemplar.value,
        timestamp: sample.exemplar.unixSeconds,
      },
    }));
    return { name, help, type, values, aggregator: "sum" };
  };
  return { name, get };
}

/** One source that fails must not take the others with it. */
function samplesOf(source: MetricSource): readonly Sample[] {
  try {
    return source.collect();
  } catch (error) {
    countFault("metrics", error);
    return [];
  }
}

/**
 * The metric itself would be renamed by our registry, and so in the service's own registry as
 * well; so it is asked through an object of ours.
 */
function adaptOwn(metric: OwnMetric): RegisteredMetric {
  const named = "name" in metric ? String(metric.name) : "";
  const name = named.replace(TOTAL, "");
  const get = async () => {
    try {
      return { ...(await metric.get()), name };
    } catch (error) {
      countFault("metrics", error);
      return { name, help: "This metric could not be read.", type: "gauge", values: [] };
    }
  };
  return { name, get };
}
