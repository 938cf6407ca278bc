/** What a service says of the transaction it works for: log records named by EVENT. */
import { describeException } from "../logging/exception.ts";
import { SEVERITY, type Severity } from "../logging/log-record.ts";
import { findRecorder } from "../recorder-holder.ts";
import { countFault, counts } from "../stats.ts";
import { ATTRIBUTE } from "../wire-names.ts";
import { findContext, type TransactionContext } from "./transaction-context.ts";

type Values = Readonly<Record<string, string | number | boolean>>;

export interface TransactionEvent {
  /** One of EVENT. */
  readonly name: string;
  /** For people who read the log. */
  readonly body: string;
  readonly attributes: Values;
  /** Info where it is not said. */
  readonly severity?: Severity;
  /** What was thrown, where that is why. */
  readonly error?: unknown;
}

const SCOPE = { name: "@clew/instrumentation", version: "" };
/** These the collector also reads from spans. */
const STATED_ON_SPANS = [ATTRIBUTE.transactionStatus, ATTRIBUTE.transactionDeadlineMs];

let hasWarned = false;

/**
 * Records the event in the running transaction: as a log record, which is numbered, counted and
 * kept however spans are sampled, and as an event of the active span for those who look at traces.
 * Where there is no recorder (a service with an OpenTelemetry SDK of its own) the span alone says
 * how the transaction ended. Never throws.
 */
export function tellEvent(event: TransactionEvent): void {
  try {
    const context = findContext();
    if (context?.transaction !== undefined) tellIn(context, event);
  } catch (error) {
    countFault("transaction-events", error);
  }
}

/** Whether there is a transaction to speak of; where not, that is counted, and said once. */
export function isInTransaction(call: string): boolean {
  if (findContext()?.transaction !== undefined) return true;
  counts.outsideTransaction++;
  if (!hasWarned) warn(call);
  hasWarned = true;
  return false;
}

function tellIn({ span }: TransactionContext, event: TransactionEvent): void {
  const { name, attributes, error } = event;
  const recorder = findRecorder();
  recorder?.log({
    scope: SCOPE,
    severity: event.severity ?? SEVERITY.info,
    body: event.body,
    attributes: [
      { [ATTRIBUTE.eventName]: name, ...attributes },
      ...(error === undefined ? [] : [describeException(error)]),
    ],
  });
  if (span?.isRecording() !== true) return;
  span.addEvent(name, attributes);
  if (recorder !== undefined) return;
  for (const key of STATED_ON_SPANS) {
    const value = attributes[key];
    if (value !== undefined) span.setAttribute(key, value);
  }
}

function warn(call: string): void {
  try {
    process.stderr.write(
      `clew: ${call} was called outside of any transaction and marks nothing; it belongs into a ` +
        "request, a message's handler or transaction.run(). This is said once.\n",
    );
  } catch (error) {
    countFault("transaction-events", error);
  }
}
