import { sharedState } from "../shared-state.ts";
import type { HealthCheck, HealthState } from "./health-check.ts";

/** Checks of one process; beyond it the last ones are not kept. */
const CHECKS_MAX = 100;

const checks = sharedState("health-checks", () => new Map<string, HealthCheck>());

export function setCheck(check: HealthCheck): void {
  if (checks.has(check.name) || checks.size < CHECKS_MAX) checks.set(check.name, check);
}

/** Unless another has taken its place. */
export function removeCheck(check: HealthCheck): void {
  if (checks.get(check.name) === check) checks.delete(check.name);
}

export function allChecks(): HealthCheck[] {
  return [...checks.values()];
}

/** Name to state of every check, as last seen; asks those that are due. */
export function healthStates(): Record<string, HealthState> {
  for (const check of checks.values()) void check.refresh();
  return Object.fromEntries(allChecks().map((check) => [check.name, check.state]));
}
