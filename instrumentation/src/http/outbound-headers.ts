import type { SpanContext } from "@opentelemetry/api";
import { tracePropagation } from "../tracing/trace-propagation.ts";
import { formatBaggage } from "../transaction/baggage.ts";
import type { Transaction, TransactionContext } from "../transaction/transaction-context.ts";
import { isTransactionId } from "../transaction/transaction-id.ts";
import { HEADER } from "../wire-names.ts";

export interface OutboundHeaders {
  readonly context: TransactionContext | undefined;
  readonly transaction: Transaction | undefined;
  readonly span: SpanContext | undefined;
  /**
   * Told to who receives it, so that it knows which run its parent span is of, and names its own
   * in return; undefined where this process makes no spans of its own.
   */
  readonly runId: string | undefined;
  /** What the service itself set this header to; then it stays as it is. */
  readonly find: (name: string) => string | undefined;
  readonly set: (name: string, value: string) => void;
}

const NO_SPAN_ID = "0".repeat(16);

/**
 * Adds what the next service needs to go on with the transaction, each header once.
 *
 * @returns whether our run was named: only where the next span will be the child of this one, and
 * in the same transaction, because the verdict takes both for certain then
 */
export function writeOutboundHeaders(request: OutboundHeaders): boolean {
  const { transaction, span, context, runId } = request;
  const add = (name: string, value: string) => {
    if (request.find(name) === undefined) request.set(name, value);
  };
  let isSame = false;
  if (transaction !== undefined) {
    // An ID that the service sends itself is what the other side will go by: baggage agrees.
    const own = request.find(HEADER.transactionId);
    const id = isTransactionId(own) ? own : transaction.id;
    isSame = id === transaction.id;
    add(HEADER.transactionId, id);
    if (tracePropagation().passesBaggage) {
      add(HEADER.baggage, formatBaggage(id, context?.baggage));
    }
  }
  // A trace that the service continues itself must not get the state of another one.
  // Beside another SDK there may be no span at all: then its ID is zero.
  const isParent =
    span !== undefined &&
    span.spanId !== NO_SPAN_ID &&
    request.find(HEADER.traceparent) === undefined;
  if (isParent) tracePropagation().write(span, add);
  const isNamed =
    runId !== undefined && isSame && isParent && request.find(HEADER.run) === undefined;
  if (isNamed) request.set(HEADER.run, runId);
  return isNamed;
}
