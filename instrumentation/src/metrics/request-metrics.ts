import { guard } from "../stats.ts";
import { LABEL, METRIC, PROMETHEUS } from "../wire-names.ts";
import { addMetricSource, type Sample } from "./metric-source.ts";
import type { RequestObserver } from "./request-observer.ts";
import { RequestSeries } from "./request-series.ts";

/**
 * Rate, errors and duration of requests in and out, under the names that semantic conventions have
 * in Prometheus's form. `error_type` stands only on what nobody expected, so that a rule about
 * failures needs no list of exceptions; expected errors have counters of their own.
 */
export function countRequests(): RequestObserver {
  const server = new RequestSeries({
    targetOf: (figures) => figures.route,
    labelsOf: (route) => ({ [LABEL.route]: route }),
  });
  const client = new RequestSeries({
    targetOf: (figures) => figures.peer,
    labelsOf: peerLabels,
  });
  addHistogram(PROMETHEUS.serverDuration, "Duration of HTTP requests taken.", () =>
    server.samples(),
  );
  addHistogram(PROMETHEUS.clientDuration, "Duration of HTTP requests made.", () =>
    client.samples(),
  );
  addCounter(METRIC.serverExpectedErrors, "Requests taken that ended in an expected error.", () =>
    server.expectedErrors(),
  );
  addCounter(METRIC.clientExpectedErrors, "Requests made that ended in an expected error.", () =>
    client.expectedErrors(),
  );
  return {
    server: guard("metrics", (figures) => server.observe(figures)),
    client: guard("metrics", (figures) => client.observe(figures)),
  };
}

function addHistogram(name: string, help: string, collect: () => Sample[]): void {
  addMetricSource({ name, help, type: "histogram", collect });
}

function addCounter(name: string, help: string, collect: () => Sample[]): void {
  addMetricSource({ name, help, type: "counter", collect });
}

/** `host:port`; an IPv6 address stands in brackets. */
function peerLabels(peer: string): Record<string, string> {
  const colon = peer.lastIndexOf(":");
  const port = peer.slice(colon + 1);
  if (colon === -1 || !/^\d+$/.test(port)) return { [LABEL.serverAddress]: peer };
  const host = peer.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  return { [LABEL.serverAddress]: host, [LABEL.serverPort]: port };
}
