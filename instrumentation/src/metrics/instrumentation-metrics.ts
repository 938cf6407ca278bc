import { counts, instrumentationStats, type SignalStats } from "../stats.ts";
import { LABEL, METRIC, PROMETHEUS } from "../wire-names.ts";
import { addMetricSource, type Sample } from "./metric-source.ts";

/** What the instrumentation itself did, and who it is: much of `instrumentationStats()`. */
export function showInstrumentation(instance: {
  readonly serviceName: string;
  readonly instanceId: string;
  readonly runId: string;
}): void {
  addMetricSource({
    name: PROMETHEUS.targetInfo,
    help: "The service that these figures are of.",
    type: "gauge",
    collect: () => [
      {
        labels: {
          [LABEL.serviceName]: instance.serviceName,
          [LABEL.serviceInstanceId]: instance.instanceId,
          [LABEL.runId]: instance.runId,
        },
        value: 1,
      },
    ],
  });
  addPerSignal("made", METRIC.madeRecords, "Records made.");
  addPerSignal("delivered", METRIC.deliveredRecords, "Records that the collector acknowledged.");
  addPerSignal("refused", METRIC.refusedRecords, "Records that the collector refused for good.");
  addPerSignal("dropped", METRIC.droppedRecords, "Records dropped here, never to arrive.");
  addPerSignal("resent", METRIC.resentRequests, "Export requests that were sent again.");
  addMetricSource({
    name: METRIC.waitingBytes,
    help: "Bytes held until the collector takes them.",
    type: "gauge",
    collect: () => [{ labels: {}, value: counts.waitingBytes }],
  });
  addCounter(METRIC.mintedTransactions, "Transaction IDs made here.", () => [
    { labels: {}, value: counts.minted },
  ]);
  addCounter(
    METRIC.rejectedTransactions,
    "Transaction IDs from outside that were replaced.",
    () => [{ labels: {}, value: counts.rejected }],
  );
  addCounter(METRIC.faults, "Faults of our own hooks, kept from the service.", () =>
    Object.entries(instrumentationStats().faults).map(([hook, value]) => ({
      labels: { hook },
      value,
    })),
  );
}

function addPerSignal(key: keyof SignalStats, name: string, help: string): void {
  addCounter(name, help, () => [
    { labels: { signal: "logs" }, value: counts.logs[key] },
    { labels: { signal: "traces" }, value: counts.traces[key] },
  ]);
}

function addCounter(name: string, help: string, collect: () => Sample[]): void {
  addMetricSource({ name, help, type: "counter", collect });
}
