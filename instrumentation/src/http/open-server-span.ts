import type { IncomingHttpHeaders } from "node:http";
import type { RecordedSpan } from "../tracing/recorded-span.ts";
import { tracePropagation } from "../tracing/trace-propagation.ts";
import type { TransactionTracer } from "../tracing/transaction-tracer.ts";
import { findInboundTransaction } from "../transaction/inbound-transaction.ts";
import { type Transaction, TransactionContext } from "../transaction/transaction-context.ts";
import { ATTRIBUTE, HEADER } from "../wire-names.ts";
import { methodSpanName } from "./http-method.ts";

export interface HttpServerOptions {
  readonly tracer: TransactionTracer;
  readonly trustInbound: boolean;
  readonly runId: string;
}

export interface OpenedSpan {
  readonly transaction: Transaction;
  readonly span: RecordedSpan;
  readonly context: TransactionContext;
  /** Our run's id where the caller asked for it, to be sent back. */
  readonly runId: string | undefined;
}

const KIND_SERVER = 1;

/** The transaction and the span of an incoming request, by its headers. */
export function openServerSpan(
  headers: IncomingHttpHeaders,
  method: string,
  options: HttpServerOptions,
): OpenedSpan {
  const { trustInbound } = options;
  const { transaction, baggage } = findInboundTransaction(headers, trustInbound);
  const remote = tracePropagation().find(headers);
  const span = options.tracer.start({
    name: methodSpanName(method),
    kind: KIND_SERVER,
    parent: trustInbound ? remote : undefined,
    transaction,
  });
  // A caller that is not trusted cannot join our trace, but the way back to its own is kept.
  if (!trustInbound && remote !== undefined) span.addLink({ context: remote });
  if (transaction.callerId !== undefined) {
    span.addAttribute(ATTRIBUTE.callerTransactionId, transaction.callerId);
  }
  const context = new TransactionContext({ transaction, span, baggage });
  const runId = headers[HEADER.run] === undefined ? undefined : options.runId;
  return { transaction, span, context, runId };
}
