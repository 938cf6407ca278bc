import cluster from "node:cluster";
import { isMainThread } from "node:worker_threads";
import { countFault } from "../stats.ts";
import type { MetricsSettings } from "./config.ts";
import { countGcDurations } from "./gc-durations.ts";
import { showInstrumentation } from "./instrumentation-metrics.ts";
import { LoopDelayMonitor, showLoopDelay } from "./loop-delay.ts";
import { eachMetricSource } from "./metric-source.ts";
import { setMetricsAddress } from "./metrics.ts";
import { MetricsServer } from "./metrics-server.ts";
import { countNetworkBytes } from "./network-bytes.ts";
import { countRequests } from "./request-metrics.ts";
import { type RequestFigures, setRequestObserver } from "./request-observer.ts";

export interface MetricsOptions {
  readonly settings: MetricsSettings;
  readonly instance: {
    readonly serviceName: string;
    readonly instanceId: string;
    readonly runId: string;
  };
  /** Told, as a sentence, what the operator should know. */
  readonly report: (message: string) => void;
}

/**
 * Counts what `/metrics` shows, and opens it. A worker thread opens its own once it has figures of
 * its own (a request, a breaker, a health check, a metric): many threads only help another, as
 * pino's transports do, and nobody wants to scrape those.
 */
export function startMetrics(options: MetricsOptions): { readonly loopDelay: LoopDelayMonitor } {
  const loopDelay = new LoopDelayMonitor();
  showInstrumentation(options.instance);
  showLoopDelay(loopDelay);
  countGcDurations();
  countNetworkBytes();
  const observer = countRequests();
  const open = once(() => openServer(options));
  if (isMainThread) {
    setRequestObserver(observer);
    open();
    return { loopDelay };
  }
  const first = (side: "server" | "client") => (figures: RequestFigures) => {
    setRequestObserver(observer);
    open();
    observer[side](figures);
  };
  setRequestObserver({ server: first("server"), client: first("client") });
  let isOwn = false;
  eachMetricSource(() => {
    if (isOwn) open();
  });
  isOwn = true;
  return { loopDelay };
}

function openServer({ settings, report }: MetricsOptions): void {
  const { host, port } = settings;
  if (port === undefined) return;
  const server = new MetricsServer(host);
  setMetricsAddress(() => server.address);
  server.start(port).then(
    () => {
      const isMoved = port !== 0 && server.address?.endsWith(`:${port}`) === false;
      // The workers of a cluster and threads share a port's neighbourhood by design.
      if (!isMoved || !isMainThread || cluster.isWorker) return;
      report(`port ${port} is taken, /metrics is on ${server.address}`);
    },
    (error: unknown) => {
      countFault("metrics", error);
      report(`cannot listen for /metrics on ${host}: ${String(error)}`);
    },
  );
}

function once(body: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    body();
  };
}
