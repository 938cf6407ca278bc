import { isExpectedError } from "../expected-error.ts";
import { SEVERITY } from "../logging/log-record.ts";
import { counts, guard } from "../stats.ts";
import { ATTRIBUTE, EVENT } from "../wire-names.ts";
import {
  acceptTransaction,
  activeContext,
  findContext,
  mintTransaction,
  runIn,
} from "./transaction-context.ts";
import { isInTransaction, tellEvent } from "./transaction-events.ts";
import { markWork, reasonOf, runWork } from "./transaction-work.ts";

/**
 * The business transaction the running code belongs to. What is said of it here is found in the
 * collector, whichever services say it: each needs no more than the ID that came with its request
 * or message. Outside of any transaction nothing is recorded; that is counted in
 * `instrumentationStats().transactions.outside` and said on stderr once. Nothing here throws,
 * except for what a `body` throws itself.
 */
interface TransactionApi {
  /** The ID of the transaction the running code belongs to, or undefined outside of any. */
  id(): string | undefined;

  /**
   * Runs `body` as part of a transaction, and returns or throws what it does. Without an ID a new
   * one is minted; an ID that is not acceptable (DESIGN: "Transaction ID") is replaced by a new
   * one and counted in `instrumentationStats().transactions.rejected`.
   */
  run<R>(body: () => R): R;
  run<R>(id: string | undefined, body: () => R): R;

  /**
   * Marks a step of the transaction as done: `transaction.step("charge-card")`. Use few, fixed
   * names; what varies belongs into a log line.
   */
  step(name: string): void;
  /**
   * Runs `body` as a step: a span `step charge-card` around it, the step `running` until `body`
   * returns or its promise settles, then `done`, or `failed` with the error. Returns or throws what
   * `body` does. A step that is tried again is listed once per attempt.
   */
  step<R>(name: string, body: () => R): R;

  /**
   * Says that the transaction must be over `ms` milliseconds from now, wherever it goes meanwhile.
   * From then on only `complete`, `fail` or `compensated` end it (a request that was answered does
   * not), and without any of them it is `timed-out` once that time is past. A later call, in any
   * service, replaces the deadline. Anything but a number above 0 is ignored and counted in
   * `instrumentationStats().transactions.ignored`.
   */
  deadline(ms: number): void;

  /**
   * Says that the transaction has reached its end as it should. Of several ends, in whichever
   * services, the one that was said last counts; one said after the deadline counts too.
   */
  complete(): void;

  /**
   * Says that the transaction failed, and why. An error that was marked by `markExpected` (a
   * declined card) is a failure all the same, but is logged as information and not as an error.
   */
  fail(error?: unknown): void;

  /** Says that all that was done has been undone: the transaction is `compensated`, its end. */
  compensated(): void;
  /**
   * Says that this step was undone. The step may have been another service's; of several with the
   * name it is the latest that is not compensated yet. It does not end the transaction.
   */
  compensated(step: string): void;

  /**
   * Runs `body` as the undoing of a step: a span `compensate charge-card` around it; the step is
   * compensated once `body` is done, and its compensation failed where `body` throws. Returns or
   * throws what `body` does.
   */
  compensate<R>(step: string, body: () => R): R;
}

export const transaction: TransactionApi = {
  id: findId,
  run: runTransaction,
  step: markStep,
  deadline: setDeadline,
  complete: () =>
    endTransaction("complete", { status: "completed", body: "transaction completed" }),
  fail: (error) => failTransaction(error),
  compensated: markCompensated,
  compensate: (step, body) => runWork({ kind: "compensate", step, body }),
};

function findId(): string | undefined {
  return findContext()?.transaction?.id;
}

function runTransaction<R>(first: string | undefined | (() => R), second?: () => R): R {
  const id = typeof first === "function" ? undefined : first;
  const body = typeof first === "function" ? first : second;
  if (typeof body !== "function") {
    throw new TypeError("cannot run the transaction: the last argument is not a function");
  }
  const made = id === undefined ? mintTransaction() : acceptTransaction(id);
  return runIn(activeContext().with({ transaction: made }), body);
}

function markStep(name: string): void;
function markStep<R>(name: string, body: () => R): R;
function markStep<R>(name: string, body?: () => R): R | undefined {
  if (typeof body === "function") return runWork({ kind: "step", step: name, body });
  markWork("step", name);
  return undefined;
}

function setDeadline(ms: number): void {
  if (!isInTransaction("transaction.deadline()")) return;
  const deadlineMs = typeof ms === "number" && ms > 0 ? Math.ceil(Date.now() + ms) : Number.NaN;
  if (!(deadlineMs <= DEADLINE_MS_MAX)) {
    counts.ignoredCalls++;
    return;
  }
  tellEvent({
    name: EVENT.transactionDeadline,
    body: `transaction must be over by ${new Date(deadlineMs).toISOString()}`,
    attributes: { [ATTRIBUTE.transactionDeadlineMs]: deadlineMs },
  });
}

/** The last millisecond that a Date can hold (ECMAScript "Time Values and Time Range"). */
const DEADLINE_MS_MAX = 8_640_000_000_000_000;

/** What was thrown may itself throw when it is looked at. */
const failTransaction = guard("transaction-events", (error?: unknown) => {
  const isExpected = isExpectedError(error);
  endTransaction("fail", {
    status: "failed",
    body: `transaction failed${reasonOf(error)}`,
    severity: isExpected ? SEVERITY.info : SEVERITY.error,
    error,
    ...(isExpected ? { more: { [ATTRIBUTE.errorExpected]: true } } : {}),
  });
});

function markCompensated(step?: string): void {
  if (step !== undefined) markWork("compensate", step);
  else endTransaction("compensated", { status: "compensated", body: "transaction compensated" });
}

function endTransaction(
  call: "complete" | "fail" | "compensated",
  end: {
    readonly status: "completed" | "failed" | "compensated";
    readonly body: string;
    readonly severity?: (typeof SEVERITY)[keyof typeof SEVERITY];
    readonly error?: unknown;
    readonly more?: Readonly<Record<string, boolean>>;
  },
): void {
  if (!isInTransaction(`transaction.${call}()`)) return;
  const { status, more, ...told } = end;
  const attributes = { [ATTRIBUTE.transactionStatus]: status, ...more };
  tellEvent({ name: EVENT.transactionEnd, ...told, attributes });
}
