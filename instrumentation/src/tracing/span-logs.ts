import type { Span } from "@opentelemetry/api";
import { ATTRIBUTE } from "../wire-names.ts";
import { RecordedSpan } from "./recorded-span.ts";

/**
 * On a span that another SDK made: how many log records were made under it. A property and no
 * WeakMap, because V8 keeps a young map's values through its small collections.
 */
const LOGS = Symbol.for(ATTRIBUTE.spanLogs);
/** On such a span: its transaction's ID, where one of our processors saw it begin. */
const TRANSACTION_ID = Symbol.for("clew.span.transaction-id");
/** On such a span, once one of our processors saw its end. */
const IS_OVER = Symbol.for("clew.span.is-over");

/**
 * Counts one log record made under a span, whoever made the span. What comes after its end, or
 * belongs to another transaction (`transaction.run` keeps the span), is not counted.
 *
 * @param transactionId the log record's
 * @returns false where the span does not count it: then the record says so (`afterSpan`)
 */
export function countLogUnder(span: Span | undefined, transactionId: string | undefined): boolean {
  if (span === undefined) return true;
  if (!(span instanceof RecordedSpan)) return countUnderOther(span, transactionId);
  if (span.endMicros !== 0 || span.transaction?.id !== transactionId) return false;
  span.logs++;
  return true;
}

function countUnderOther(span: Span, transactionId: string | undefined): boolean {
  const own: unknown = Reflect.get(span, TRANSACTION_ID);
  const isOther = own !== undefined && own !== transactionId;
  if (isOther || Reflect.get(span, IS_OVER) === true) return false;
  Reflect.set(span, LOGS, logsUnder(span) + 1);
  return true;
}

/** Remembers which transaction a span of another SDK belongs to. */
export function noteTransaction(span: object, transactionId: string): void {
  Reflect.set(span, TRANSACTION_ID, transactionId);
}

/** A span of another SDK has told its count: nothing is added to it any more. */
export function closeCount(span: object): number {
  Reflect.set(span, IS_OVER, true);
  return logsUnder(span);
}

/** How many log records were made so far under a span of another SDK. */
export function logsUnder(span: object): number {
  const logs: unknown = Reflect.get(span, LOGS);
  return typeof logs === "number" ? logs : 0;
}
