import { findTracer } from "../tracing/tracer-holder.ts";
import { parseBaggage } from "../transaction/baggage.ts";
import {
  activeContext,
  mintTransaction,
  type Transaction,
  TransactionContext,
} from "../transaction/transaction-context.ts";
import { isTransactionId } from "../transaction/transaction-id.ts";
import { ATTRIBUTE, HEADER, SEMANTIC } from "../wire-names.ts";
import { describeConsumer, findSenders, KIND_CONSUMER } from "./consumer-span.ts";
import { DELIVERY_KEY, type Delivery } from "./delivery.ts";
import { type IncomingMessage, readHeaders } from "./kafka-shapes.ts";
import { type MergedSources, SOURCES_KEY, SOURCES_MAX } from "./merged-sources.ts";
import { type Begun, beginSafely, findOrigin, runBegun } from "./with-message.ts";

/**
 * Runs `body` for several messages that are worked on as one (a fan-in: ten order lines become one
 * invoice). Messages of one transaction stay in it. Messages of several get a new transaction, or
 * the one that `transaction.run` opened around this call; whatever is produced inside names the
 * transactions it was made from, on the message and on the producer's span.
 *
 * @returns what `body` returns; what it throws passes unchanged
 */
export function withMessages<R>(messages: readonly IncomingMessage[], body: () => R): R {
  return runBegun(
    beginSafely(() => beginMessages(messages)),
    body,
  );
}

function beginMessages(messages: readonly IncomingMessage[]): Begun {
  const ids = findTransactionIds(messages);
  const senders = findSenders(messages);
  const outer = activeContext();
  const transaction = transactionOf(ids, outer);
  const origin = findOrigin(messages[0]);
  const span = findTracer()?.start({
    name: `process ${origin.topic}`.trim(),
    kind: KIND_CONSUMER,
    parent: undefined,
    transaction,
  });
  const sources: MergedSources = { ids: ids.slice(0, SOURCES_MAX), total: ids.length, senders };
  if (span !== undefined) {
    describeConsumer(span, origin, "process");
    span.addAttribute(SEMANTIC.messagingBatchCount, messages.length);
    for (const link of senders) span.addLink(link);
    if (ids.length > 1) span.setAttribute(ATTRIBUTE.transactionSources, [...sources.ids]);
  }
  const others = new Map<symbol, unknown>();
  if (ids.length > 1) others.set(SOURCES_KEY, sources);
  return { span, context: new TransactionContext({ transaction, span, others }) };
}

/** Each message's ID, once; a message that carries none stands for no transaction yet. */
function findTransactionIds(messages: readonly IncomingMessage[]): string[] {
  const ids = new Set<string>();
  for (const message of messages) {
    const headers = readHeaders(message.headers);
    const id =
      headers[HEADER.transactionId] ??
      headers[HEADER.correlationId] ??
      parseBaggage(headers[HEADER.baggage]).transactionId;
    if (isTransactionId(id)) ids.add(id);
  }
  return [...ids];
}

/**
 * Who opened a transaction around the merging meant it to be the merged one. The transaction of a
 * message in whose handler the merging happens was meant for that message.
 */
function transactionOf(ids: readonly string[], outer: TransactionContext): Transaction {
  const delivery = outer.getValue(DELIVERY_KEY) as Delivery | undefined;
  const opened = outer.transaction;
  if (opened !== undefined && opened !== delivery?.transaction) return opened;
  const [only] = ids;
  if (only !== undefined && ids.length === 1)
    return { id: only, isStart: false, callerId: undefined };
  return mintTransaction();
}
