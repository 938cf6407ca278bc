import type { Span } from "@opentelemetry/api";
import { isExpectedError } from "../expected-error.ts";
import { describeException } from "../logging/exception.ts";
import { SEVERITY } from "../logging/log-record.ts";
import { countFault, counts, guard } from "../stats.ts";
import { findTracer } from "../tracing/tracer-holder.ts";
import { ATTRIBUTE, EVENT, SEMANTIC } from "../wire-names.ts";
import { activeContext, runIn, type TransactionContext } from "./transaction-context.ts";
import { isInTransaction, tellEvent } from "./transaction-events.ts";

/** The API's status code of an error. */
const STATUS_ERROR = 2;
const STEP_CHARACTERS_MAX = 256;

/** A piece of the transaction's work, or its undoing. */
export interface TransactionWork<R> {
  readonly kind: Kind;
  readonly step: string;
  readonly body: () => R;
}

type Kind = "step" | "compensate";
type Progress = "running" | "done" | "failed";

const EVENT_OF = {
  step: EVENT.transactionStep,
  compensate: EVENT.transactionCompensation,
} as const;

const SENTENCE = {
  step: { running: "begins", done: "is done", failed: "failed" },
  compensate: {
    running: "is being compensated",
    done: "is compensated",
    failed: "could not be compensated",
  },
} as const;

/** Says that a step is done, or was undone, without any work around it. */
export function markWork(kind: Kind, step: string): void {
  const name = acceptStep(kind, step);
  if (name !== undefined) tellProgress({ kind, step: name, progress: "done" });
}

/**
 * Runs `body` with a span of its own around it and says when it begins and how it ends. What it
 * returns, rejects with or throws passes unchanged; where there is nothing to mark it just runs.
 */
export function runWork<R>({ kind, step, body }: TransactionWork<R>): R {
  const name = acceptStep(kind, step);
  if (name === undefined) return body();
  const running = new RunningWork(kind, name);
  let result: R;
  try {
    result = runIn(running.context, body);
  } catch (error) {
    running.fail(error);
    throw error;
  }
  if (!isThenable(result)) {
    running.end();
    return result;
  }
  return result.then(
    (value) => {
      running.end();
      return value;
    },
    (error: unknown) => {
      running.fail(error);
      throw error;
    },
  ) as R;
}

class RunningWork {
  readonly context: TransactionContext;
  readonly #kind: Kind;
  readonly #step: string;
  readonly #span: Span | undefined;

  constructor(kind: Kind, step: string) {
    this.#kind = kind;
    this.#step = step;
    this.#span = startSpan(kind, step);
    const outer = activeContext();
    this.context = this.#span === undefined ? outer : outer.with({ span: this.#span });
    this.#tell("running");
  }

  end(): void {
    this.#tell("done");
    this.#span?.end();
  }

  fail(error: unknown): void {
    this.#tell("failed", error);
    markFailed(this.#span, error);
    this.#span?.end();
  }

  /** Under the span, whose id tells the collector which beginning belongs to which end. */
  #tell(progress: Progress, error?: unknown): void {
    const told = { kind: this.#kind, step: this.#step, progress, error };
    runIn(this.context, () => tellProgress(told));
  }
}

function startSpan(kind: Kind, step: string): Span | undefined {
  try {
    return findTracer()?.startSpan(`${kind} ${step}`, {
      attributes: { [ATTRIBUTE.transactionStep]: step },
    });
  } catch (error) {
    countFault("transaction-events", error);
    return undefined;
  }
}

interface Told {
  readonly kind: Kind;
  readonly step: string;
  readonly progress: Progress;
  readonly error?: unknown;
}

/** What was thrown may itself throw when it is looked at; the user's error passes all the same. */
const tellProgress = guard("transaction-events", (told: Told) => {
  const { kind, step, progress, error } = told;
  const isFailed = progress === "failed";
  const isExpected = isFailed && isExpectedError(error);
  tellEvent({
    name: EVENT_OF[kind],
    body: `step ${step} ${SENTENCE[kind][progress]}${isFailed ? reasonOf(error) : ""}`,
    attributes: {
      [ATTRIBUTE.transactionStep]: step,
      [ATTRIBUTE.transactionStepStatus]: progress,
      ...(isExpected ? { [ATTRIBUTE.errorExpected]: true } : {}),
    },
    ...(isFailed ? { error, severity: isExpected ? SEVERITY.info : SEVERITY.error } : {}),
  });
});

/** `: card declined`, or nothing where nothing readable was thrown. */
export function reasonOf(error: unknown): string {
  if (error === undefined) return "";
  const message = describeException(error)[SEMANTIC.exceptionMessage];
  return message ? `: ${message}` : "";
}

const markFailed = guard("transaction-events", (span: Span | undefined, error: unknown) => {
  if (span === undefined) return;
  const { [SEMANTIC.exceptionType]: type = "_OTHER", [SEMANTIC.exceptionMessage]: message = "" } =
    describeException(error);
  span.setAttribute(SEMANTIC.errorType, type);
  if (isExpectedError(error)) span.setAttribute(ATTRIBUTE.errorExpected, true);
  else span.setStatus({ code: STATUS_ERROR, message });
  if (error instanceof Error) span.recordException(error);
});

/** The step's name, cut; undefined where there is none, or no transaction that it could be of. */
function acceptStep(kind: Kind, step: unknown): string | undefined {
  if (!isInTransaction(`transaction.${kind}()`)) return undefined;
  if (typeof step === "string" && step !== "") return step.slice(0, STEP_CHARACTERS_MAX);
  counts.ignoredCalls++;
  return undefined;
}

/** Also what is none of Node's own promises: a query builder runs when it is awaited. */
function isThenable(value: unknown): value is PromiseLike<unknown> {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  try {
    return "then" in value && typeof value.then === "function";
  } catch (error) {
    countFault("transaction-events", error);
    return false;
  }
}
