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
  /** Told to the server, so that it names its own run in return. */
  readonly runId: string;
  /** What the service itself set this header to; then it stays as it is. */
  readonly find: (name: string) => string | undefined;
  readonly set: (name: string, value: string) => void;
}

const NO_SPAN_ID = "0".repeat(16);

/** Adds what the next service needs to go on with the transaction, each header once. */
export function writeOutboundHeaders(request: OutboundHeaders): void {
  const { transaction, span, context } = request;
  const add = (name: string, value: string) => {
    if (request.find(name) === undefined) request.set(name, value);
  };
  if (transaction !== undefined) {
    // An ID that the service sends itself is what the other side will go by: baggage agrees.
    const own = request.find(HEADER.transactionId);
    const id = isTransactionId(own) ? own : transaction.id;
    add(HEADER.transactionId, id);
    if (tracePropagation().passesBaggage) {
      add(HEADER.baggage, formatBaggage(id, context?.baggage));
    }
  }
  // A trace that the service continues itself must not get the state of another one.
  // Beside another SDK there may be no span at all: then its ID is zero.
  const isTold = span !== undefined && span.spanId !== NO_SPAN_ID;
  if (isTold && request.find(HEADER.traceparent) === undefined) {
    tracePropagation().write(span, add);
  }
  add(HEADER.run, request.runId);
}
