import type { IncomingHttpHeaders } from "node:http";
import type { RecordedSpan } from "../tracing/recorded-span.ts";
import { tracePropagation } from "../tracing/trace-propagation.ts";
import type { TransactionTracer } from "../tracing/transaction-tracer.ts";
import { findInboundTransaction } from "../transaction/inbound-transaction.ts";
import { type Transaction, TransactionContext } from "../transaction/transaction-context.ts";
import { isTransactionId } from "../transaction/transaction-id.ts";
import { ATTRIBUTE, HEADER } from "../wire-names.ts";
import { methodSpanName } from "./http-method.ts";

export interface HttpServerOptions {
  readonly tracer: TransactionTracer;
  readonly trustInbound: boolean;
  /** Named to who calls; undefined where this process makes no spans of its own. */
  readonly runId: string | undefined;
}

export interface OpenedSpan {
  readonly transaction: Transaction;
  readonly span: RecordedSpan;
  readonly context: TransactionContext;
  /** The run that calls, where its span is the parent of this one, in the same transaction. */
  readonly callerRunId: string | undefined;
  /**
   * Our run's id where that is so, to be sent back. Empty where another is asked for in vain: what
   * a gateway copies from the answer it got must not pass for ours.
   */
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
  const isJoined = trustInbound && remote !== undefined && !transaction.isStart;
  const callerRunId = isJoined ? findRunId(headers[HEADER.run]) : undefined;
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
  const own = callerRunId === undefined ? "" : (options.runId ?? "");
  const runId = headers[HEADER.run] === undefined ? undefined : own;
  return { transaction, span, context, callerRunId, runId };
}

/** The run that a header names; undefined where what stands there is none. */
export function findRunId(header: unknown): string | undefined {
  return isTransactionId(header) ? header : undefined;
}
