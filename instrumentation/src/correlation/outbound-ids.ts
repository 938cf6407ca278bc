import type { SpanContext } from "@opentelemetry/api";
import type { HostFilter } from "../http/host-filter.ts";
import { formatTraceparent } from "../tracing/trace-context.ts";
import { formatBaggage } from "../transaction/baggage.ts";
import { findContext, mintTransaction } from "../transaction/transaction-context.ts";
import { isTransactionId } from "../transaction/transaction-id.ts";
import { HEADER } from "../wire-names.ts";

/** The headers of a request that is about to leave. */
export interface OutboundHeaders {
  /** What the service itself set this header to; then it stays as it is. */
  find(name: string): string | undefined;
  add(name: string, value: string): void;
}

/**
 * Adds what the next service needs to go on with the transaction, each header once and none over
 * the service's own, where that host may be told. Outside of any transaction one begins: the other
 * side would mint an ID anyway. A trace is passed on as it came.
 */
export function addOutboundIds(
  headers: OutboundHeaders,
  to: { readonly host: string; readonly isAllowedHost: HostFilter },
): void {
  const context = findContext();
  if (context?.suppressed === true || !to.isAllowedHost(to.host)) return;
  const own = headers.find(HEADER.transactionId);
  // An ID that the service sends itself is what the other side will go by: baggage agrees.
  const id = isTransactionId(own) ? own : (context?.transaction ?? mintTransaction()).id;
  if (own === undefined) headers.add(HEADER.transactionId, id);
  if (headers.find(HEADER.baggage) === undefined) {
    headers.add(HEADER.baggage, formatBaggage(id, context?.baggage));
  }
  const span = context?.span?.spanContext();
  if (span !== undefined) addTrace(headers, span);
}

/** A trace that the service continues itself must not get the state of another one. */
function addTrace(headers: OutboundHeaders, span: SpanContext): void {
  if (headers.find(HEADER.traceparent) !== undefined) return;
  headers.add(HEADER.traceparent, formatTraceparent(span));
  const state = span.traceState?.serialize() ?? "";
  if (state !== "" && headers.find(HEADER.tracestate) === undefined) {
    headers.add(HEADER.tracestate, state);
  }
}
