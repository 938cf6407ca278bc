import type { IncomingMessage, ServerResponse } from "node:http";
import { describeException } from "../logging/exception.ts";
import { SEVERITY } from "../logging/log-record.ts";
import { addMetricSource } from "../metrics/metric-source.ts";
import { findRecorder } from "../recorder-holder.ts";
import { guard } from "../stats.ts";
import { ATTRIBUTE, EVENT, METRIC } from "../wire-names.ts";
import { answerHealth } from "./health-answer.ts";
import { HealthCheck, type HealthCheckOptions, type HealthProbe } from "./health-check.ts";
import { allChecks, removeCheck, setCheck } from "./health-checks.ts";

const SCOPE = { name: "@clew/instrumentation/health", version: "" };

interface HealthApi {
  /**
   * A check of something the service needs, under a name of its own; a second one of the name takes
   * the first one's place. It runs when `/readyz`, `/metrics` or a run report asks, at most every
   * `intervalMs` (5000) and at most once at a time; after `timeoutMs` (2000) it counts as failed.
   * Unless `critical` is false, `/readyz` answers 503 while it fails. What it throws goes nowhere
   * but into the log record of the change.
   *
   * @returns a function that takes the check away again
   * @throws TypeError where the name is empty or `probe` is no function
   */
  check(name: string, probe: HealthProbe, options?: HealthCheckOptions): () => void;
  /**
   * For a server of the service's own: answers `/healthz` and `/readyz`, by GET or HEAD.
   *
   * @returns whether the request was one of these, and is being answered
   */
  handle(request: IncomingMessage, response: ServerResponse): Promise<boolean>;
}

export const health: HealthApi = { check: addCheck, handle: answerHealth };

function addCheck(name: string, probe: HealthProbe, options: HealthCheckOptions = {}): () => void {
  if (typeof name !== "string" || name === "") {
    throw new TypeError("cannot add the health check: its name is empty");
  }
  if (typeof probe !== "function") {
    throw new TypeError(`cannot add the health check ${name}: it is no function`);
  }
  addMetricSource(GAUGE);
  const check = new HealthCheck({ name, probe, options, onChange: tellChange });
  setCheck(check);
  return () => removeCheck(check);
}

/** A scrape does not wait for slow checks: it shows the last result and asks for a new one. */
const GAUGE = {
  name: METRIC.healthCheckUp,
  help: "1 where the health check was well when it last ran, else 0.",
  type: "gauge",
  collect: () => {
    for (const check of allChecks()) void check.refresh();
    return allChecks()
      .filter((check) => check.state !== "unknown")
      .map((check) => ({
        labels: { check: check.name },
        value: check.state === "ok" ? 1 : 0,
      }));
  },
} as const;

const tellChange = guard("health", (check: HealthCheck) => {
  const isOk = check.state === "ok";
  findRecorder()?.log({
    scope: SCOPE,
    severity: isOk ? SEVERITY.info : SEVERITY.warn,
    body: isOk ? `The health check ${check.name} is well again` : `${check.name} is not healthy`,
    attributes: [
      {
        [ATTRIBUTE.eventName]: EVENT.health,
        [ATTRIBUTE.healthCheck]: check.name,
        [ATTRIBUTE.healthState]: check.state,
      },
      isOk ? {} : describeException(check.error),
    ],
  });
});
