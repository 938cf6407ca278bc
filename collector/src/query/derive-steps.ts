import { ATTRIBUTE, EVENT, SEMANTIC } from "@clew/instrumentation/names";
import type { StoredRecord } from "../record.ts";
import { findRfc3339 } from "./rfc3339.ts";

export type StepStatus = "running" | "done" | "failed" | "compensated";

/** A passage of time that services told the beginning, the end, or both of. */
interface Work<S extends string> {
  readonly service: string;
  readonly status: S;
  readonly startedAt: string;
  /** Null while it runs, or because whoever did it never came to an end. */
  readonly endedAt: string | null;
  readonly durationMs: number | null;
  /** What was thrown; null where nothing was. */
  readonly error: string | null;
}

export type Compensation = Work<"running" | "done" | "failed">;

/** One attempt at a step of a transaction, as `GET /transactions/{id}` gives it. */
export interface Step extends Work<StepStatus> {
  readonly name: string;
  /** The last attempt at undoing it; null where nobody tried. */
  readonly compensation: Compensation | null;
}

/** More are not shown; a person could not read them either. */
export const STEPS_MAX = 1000;
const TEXT_CHARS_MAX = 256;

/**
 * Steps of one transaction from what services told of it (EVENT.transactionStep and
 * EVENT.transactionCompensation), by their start. A beginning and an end belong together where they
 * were made under the same span. An end without a beginning is a step that took no time.
 *
 * A compensation is of the latest step of its name that began before it and is not compensated yet,
 * one of the same service before others: a coordinator may undo what another service did. Where no
 * such step is known the compensation stands for it.
 */
export function deriveSteps(records: readonly StoredRecord[]): { steps: Step[]; isCut: boolean } {
  const told = records.flatMap((record) => findTold(record) ?? []).toSorted(compareTold);
  const steps: RunningStep[] = pair(told, EVENT.transactionStep).map((work) => ({
    ...work,
    compensation: null,
  }));
  for (const compensation of pair(told, EVENT.transactionCompensation)) {
    const step = findUndone(steps, compensation);
    if (step !== undefined) step.compensation = compensation;
    else steps.push({ ...compensation, compensation });
  }
  const shown = steps.toSorted((a, b) => compare(a.startedAt, b.startedAt));
  return { steps: shown.slice(0, STEPS_MAX).map(toStep), isCut: shown.length > STEPS_MAX };
}

interface Told {
  readonly event: string;
  readonly name: string;
  readonly service: string;
  readonly progress: Compensation["status"];
  readonly time: string;
  /** Of the span it was told under, or empty. */
  readonly span: string;
  readonly error: string | null;
}

interface RunningWork {
  readonly name: string;
  readonly service: string;
  readonly span: string;
  readonly startedAt: string;
  status: Compensation["status"];
  endedAt: string | null;
  error: string | null;
}

interface RunningStep extends RunningWork {
  compensation: RunningWork | null;
}

function findTold(record: StoredRecord): Told | undefined {
  const { attributes, service, time, traceId, spanId } = record;
  const name = attributes[ATTRIBUTE.transactionStep];
  const event = attributes[ATTRIBUTE.eventName];
  if (typeof name !== "string" || name === "" || typeof event !== "string") return undefined;
  const said = attributes[ATTRIBUTE.transactionStepStatus];
  const progress = said === "running" || said === "failed" ? said : "done";
  const span = traceId && spanId ? `${traceId}:${spanId}` : "";
  const error = progress === "failed" ? errorOf(record) : null;
  return { event, name: cut(name), service, progress, time, span, error };
}

/** Within one service times of two records may be equal, and a beginning comes first. */
function compareTold(a: Told, b: Told): number {
  return (
    compare(a.time, b.time) || Number(b.progress === "running") - Number(a.progress === "running")
  );
}

/** Beginnings and ends of one event, put together. */
function pair(told: readonly Told[], event: string): RunningWork[] {
  const works: RunningWork[] = [];
  const open = new Map<string, RunningWork[]>();
  for (const one of told) {
    if (one.event !== event) continue;
    const key = JSON.stringify([one.service, one.name, one.span]);
    if (one.progress === "running") {
      const work = begin(one);
      works.push(work);
      open.set(key, [...(open.get(key) ?? []), work]);
      continue;
    }
    const begun = open.get(key)?.pop();
    if (begun !== undefined) Object.assign(begun, end(one));
    else works.push({ ...begin(one), ...end(one) });
  }
  return works;
}

function begin({ name, service, span, time }: Told): RunningWork {
  const unfinished = { status: "running", endedAt: null, error: null } as const;
  return { name, service, span, startedAt: time, ...unfinished };
}

function end({ progress, time, error }: Told) {
  return { status: progress, endedAt: time, error };
}

function findUndone(steps: readonly RunningStep[], undoing: RunningWork): RunningStep | undefined {
  const undoable = steps.filter(
    ({ name, compensation }) => name === undoing.name && compensation?.status !== "done",
  );
  const before = undoable.filter(({ startedAt }) => startedAt <= undoing.startedAt);
  // Two clocks differ: then the step seems to begin after it was undone.
  const candidates = before.length > 0 ? before : undoable.slice(0, 1);
  return candidates.findLast(({ service }) => service === undoing.service) ?? candidates.at(-1);
}

function toStep(step: RunningStep): Step {
  const { name, compensation } = step;
  const isCompensated = compensation?.status === "done";
  return {
    name,
    ...toWork(step),
    status: isCompensated ? "compensated" : step.status,
    compensation: compensation === null ? null : toWork(compensation),
  };
}

function toWork({ service, status, startedAt, endedAt, error }: RunningWork): Compensation {
  return { service, status, startedAt, endedAt, durationMs: between(startedAt, endedAt), error };
}

function between(startedAt: string, endedAt: string | null): number | null {
  const startNs = findRfc3339(startedAt);
  const endNs = endedAt === null ? undefined : findRfc3339(endedAt);
  if (startNs === undefined || endNs === undefined) return null;
  return Math.max(0, Number(endNs - startNs) / 1e6);
}

function errorOf({ attributes }: StoredRecord): string {
  const message = attributes[SEMANTIC.exceptionMessage];
  const type = attributes[SEMANTIC.exceptionType];
  if (typeof message === "string" && message !== "") return cut(message);
  return typeof type === "string" && type !== "" ? cut(type) : "it did not say why";
}

/** Times as stored have one length and one zone, so that texts compare as times do. */
function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

function cut(text: string): string {
  return text.length > TEXT_CHARS_MAX ? `${text.slice(0, TEXT_CHARS_MAX - 1)}…` : text;
}
