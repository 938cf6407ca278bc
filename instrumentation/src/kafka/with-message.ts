import { RemoteSpan } from "../correlation/remote-span.ts";
import { findRunId } from "../http/open-server-span.ts";
import { countFault } from "../stats.ts";
import type { RecordedSpan } from "../tracing/recorded-span.ts";
import { findTracer } from "../tracing/tracer-holder.ts";
import { findInboundTransaction } from "../transaction/inbound-transaction.ts";
import { runIn, TransactionContext } from "../transaction/transaction-context.ts";
import { ATTRIBUTE, HEADER, SEMANTIC } from "../wire-names.ts";
import { describeConsumer, findSender, KIND_CONSUMER, type Origin } from "./consumer-span.ts";
import { DELIVERY_KEY, type Delivery, findAttempt, findDelivery } from "./delivery.ts";
import { type IncomingMessage, type KnownHeaders, readHeaders } from "./kafka-shapes.ts";
import { readSources } from "./merged-sources.ts";
import { settle } from "./settle.ts";

/** A span, and the context in which its handler runs. */
export interface Begun {
  readonly span: RecordedSpan | undefined;
  readonly context: TransactionContext;
}

/** Where the messages of batches came from. */
const origins = new WeakMap<IncomingMessage, Origin>();
const NOWHERE: Origin = { topic: "", partition: -1, group: undefined };

/** Remembers for `withMessage` where the messages of a batch came from. */
export function noteOrigin(messages: readonly IncomingMessage[], origin: Origin): void {
  for (const message of messages) origins.set(message, origin);
}

export function findOrigin(message: IncomingMessage | undefined): Origin {
  return (message && origins.get(message)) ?? NOWHERE;
}

/**
 * Runs `body` in the context of one message of a batch, with a span of its own. For `eachBatch`,
 * where only the handler knows which message it is working on; inside the handler of that very
 * message it adds nothing.
 *
 * @returns what `body` returns; what it throws passes unchanged
 */
export function withMessage<R>(message: IncomingMessage, body: () => R): R {
  if (findDelivery()?.message === message) return body();
  const begun = beginSafely(() => beginMessage(message, findOrigin(message)));
  return runBegun(begun, body);
}

/** Runs `body` in what was begun; without it, where our preparation failed, as it would be. */
export function runBegun<R>(begun: Begun | undefined, body: () => R): R {
  if (begun === undefined) return body();
  const { span, context } = begun;
  return settle({ span, body: () => runIn(context, body) }) as R;
}

/** Our own preparation must never keep a message from its handler. */
export function beginSafely(begin: () => Begun): Begun | undefined {
  try {
    return begin();
  } catch (error) {
    countFault("kafka-consumer", error);
    return undefined;
  }
}

export function beginMessage(message: IncomingMessage, origin: Origin): Begun {
  const headers = readHeaders(message.headers);
  const { transaction, baggage } = findInboundTransaction(headers, true);
  const sender = findSender(headers);
  const isJoined = sender !== undefined && !transaction.isStart;
  const callerRunId = isJoined ? findRunId(headers[HEADER.run]) : undefined;
  const span = findTracer()?.start({
    name: `process ${origin.topic}`.trim(),
    kind: KIND_CONSUMER,
    parent: sender,
    transaction,
  });
  if (span !== undefined) {
    describeConsumer(span, origin, "process");
    describeMessage(span, message, headers);
    if (callerRunId !== undefined) span.addAttribute(ATTRIBUTE.callerRunId, callerRunId);
  }
  const delivery: Delivery = { message, topic: origin.topic, headers, transaction };
  const others = new Map<symbol, unknown>([[DELIVERY_KEY, delivery]]);
  // Where no spans are made, the sender's trace is passed on as it came.
  const parent = span ?? (sender && new RemoteSpan(sender));
  return { span, context: new TransactionContext({ transaction, span: parent, baggage, others }) };
}

function describeMessage(
  span: RecordedSpan,
  message: IncomingMessage,
  headers: KnownHeaders,
): void {
  if (message.offset !== undefined) {
    span.addAttribute(SEMANTIC.messagingKafkaOffset, Number(message.offset));
  }
  const sentMs = Number(message.timestamp);
  // Clocks of two machines differ: a message from the future has waited for no time. Kafka's -1
  // means that nobody knows when it was sent.
  if (sentMs > 0) span.addAttribute(ATTRIBUTE.queueWaitMs, Math.max(0, Date.now() - sentMs));
  const attempt = findAttempt(headers);
  if (attempt !== undefined) span.addAttribute(ATTRIBUTE.deliveryAttempt, attempt);
  const sources = readSources(headers);
  if (sources.length > 0) span.setAttribute(ATTRIBUTE.transactionSources, sources);
}
