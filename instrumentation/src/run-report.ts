import { clearTimeout, setTimeout } from "node:timers";
import { isMainThread } from "node:worker_threads";
import { breakerStates } from "./breaker/watched-breakers.ts";
import { healthStates } from "./health/health-checks.ts";
import { SEVERITY } from "./logging/log-record.ts";
import type { LoopDelayMonitor } from "./metrics/loop-delay.ts";
import { networkBytes } from "./metrics/network-bytes.ts";
import type { Recorder } from "./recorder.ts";
import { counts, guard, instrumentationStats, type SignalStats } from "./stats.ts";
import type { Scope } from "./tracing/recorded-span.ts";
import { EMPTY_CONTEXT, runIn } from "./transaction/transaction-context.ts";
import { ATTRIBUTE, EVENT, REPORT } from "./wire-names.ts";

/** Soon, so that the instance and its `/metrics` are known. */
const FIRST_REPORT_MS = 500;
const REPORT_INTERVAL_MS = 5000;
const MICROS_PER_SECOND = 1e6;

export interface RunReportParts {
  readonly recorder: Pick<Recorder, "log">;
  readonly scope: Scope;
  readonly loopDelay: Pick<LoopDelayMonitor, "read">;
  /** Whether spans are sent anywhere: else nobody must look for the numbers they have. */
  readonly makesSpans: boolean;
  /** `host:port` of this run's /metrics, once it listens. */
  readonly findMetricsAddress: () => string | undefined;
}

/**
 * What the verdict over a transaction is made of: how much this run has made and lost, told every
 * five seconds and at its end. Figures are cumulative, so that the report with the highest
 * `logsEmitted` says all; a run without a final one was killed, and has an open end.
 */
export class RunReports {
  readonly #parts: RunReportParts;
  #timer: NodeJS.Timeout | undefined;
  #hasReported = false;
  /** What had been made when the last final report was. */
  #finalAt: number | undefined;

  constructor(parts: RunReportParts) {
    this.#parts = parts;
  }

  start(): void {
    const tick = guard("run-report", () => {
      this.#plan(tick, REPORT_INTERVAL_MS);
      if (hasSomethingToSay(this.#parts)) this.#report(false);
    });
    this.#plan(tick, FIRST_REPORT_MS);
  }

  /** A program that made nothing and ends before its first report has nothing to say. */
  get isFinalDue(): boolean {
    return this.#finalAt !== made() && (this.#hasReported || made() > 0);
  }

  /** The last report. Where more is made after it (an `exit` listener logs), one more is due. */
  readonly final = guard("run-report", () => {
    if (!this.isFinalDue) return;
    this.#report(true);
    this.#finalAt = made();
  });

  #plan(tick: () => void, delayMs: number): void {
    clearTimeout(this.#timer);
    // Made outside of any transaction: a timer keeps the context it was made in.
    this.#timer = runIn(EMPTY_CONTEXT, () => setTimeout(tick, delayMs).unref());
  }

  #report(isFinal: boolean): void {
    const { recorder, scope } = this.#parts;
    const attributes = describeRun(this.#parts, isFinal);
    this.#hasReported = true;
    runIn(EMPTY_CONTEXT, () => {
      recorder.log({
        scope,
        severity: SEVERITY.info,
        body: "Run report",
        attributes: [attributes],
      });
    });
  }
}

/** Threads that only help (pino's transports) make nothing, and need not be known. */
function hasSomethingToSay({ findMetricsAddress }: RunReportParts): boolean {
  return isMainThread || made() > 0 || findMetricsAddress() !== undefined;
}

function made(): number {
  return counts.logs.made + counts.traces.made;
}

function describeRun(parts: RunReportParts, isFinal: boolean): Record<string, unknown> {
  const stats = instrumentationStats();
  const network = networkBytes();
  const delay = parts.loopDelay.read();
  const dropped = stats.droppedTransactionIds;
  return {
    [ATTRIBUTE.eventName]: EVENT.instanceReport,
    [REPORT.final]: isFinal,
    // The report is a record as well, the next one: its number is the highest of all so far.
    [REPORT.logsEmitted]: stats.logs.made + 1,
    [REPORT.spansEmitted]: parts.makesSpans ? stats.traces.made : 0,
    [REPORT.logsDropped]: lostOf(stats.logs),
    [REPORT.spansDropped]: lostOf(stats.traces),
    [REPORT.droppedTransactions]: dropped.length === 0 ? undefined : dropped,
    [REPORT.droppedTransactionsCut]: stats.droppedTransactionIdsCut || undefined,
    [REPORT.metricsAddress]: parts.findMetricsAddress(),
    ...describeProcess(),
    [REPORT.heapUsedBytes]: process.memoryUsage().heapUsed,
    [REPORT.eventLoopDelayP99Ms]: delay === undefined ? undefined : delay.p99 * 1000,
    [REPORT.networkReceivedBytes]: network.received,
    [REPORT.networkSentBytes]: network.sent,
    [REPORT.breakers]: unlessEmpty(breakerStates()),
    [REPORT.health]: unlessEmpty(healthStates()),
  };
}

/** What will never arrive; the collector itself does not number what it refused. */
function lostOf({ dropped, refused }: SignalStats): number {
  return dropped + refused;
}

/** The process's own figures stand in its main thread's reports alone: added up, they are right. */
function describeProcess(): Record<string, number> {
  if (!isMainThread) return {};
  const { user, system } = process.cpuUsage();
  return {
    [REPORT.cpuSeconds]: (user + system) / MICROS_PER_SECOND,
    [REPORT.rssBytes]: process.memoryUsage.rss(),
  };
}

function unlessEmpty(states: Record<string, string>): Record<string, string> | undefined {
  return Object.keys(states).length === 0 ? undefined : states;
}
