import type { SpanContext } from "@opentelemetry/api";
import { countFault } from "../stats.ts";
import type { RecordedSpan } from "../tracing/recorded-span.ts";
import { findSpanContext } from "../tracing/trace-context.ts";
import { findTracer } from "../tracing/tracer-holder.ts";
import { findInboundTransaction } from "../transaction/inbound-transaction.ts";
import { activeContext, runIn, TransactionContext } from "../transaction/transaction-context.ts";
import { ATTRIBUTE, HEADER, SEMANTIC } from "../wire-names.ts";
import {
  type EachBatchPayload,
  type EachMessagePayload,
  findMethod,
  type IncomingMessage,
  isObject,
  type Method,
  readHeaders,
} from "./kafka-shapes.ts";
import { settle } from "./settle.ts";

const KIND_CONSUMER = 4;
/** A batch may hold thousands of messages; so many of their traces are linked to its span. */
const LINKS_MAX = 128;

interface Origin {
  readonly topic: string;
  readonly partition: number;
  readonly group: string | undefined;
}

/** Where the messages of a batch came from, for `withMessage`. */
const origins = new WeakMap<IncomingMessage, Origin>();

/** Replaces `run` of a consumer, so that its handlers run in their messages' contexts. */
export function wrapConsumer(consumer: object, options: unknown): void {
  const run = findMethod(consumer, "run");
  if (run === undefined) return;
  const groupId = isObject(options) ? options.groupId : undefined;
  const group = typeof groupId === "string" ? groupId : undefined;
  Reflect.set(consumer, "run", (...args: unknown[]) => {
    const [config, ...rest] = args;
    if (!isObject(config)) return run.apply(consumer, args);
    const copy = { ...config };
    const { eachMessage, eachBatch } = config;
    if (typeof eachMessage === "function") {
      copy.eachMessage = wrapEachMessage(eachMessage as Method, group);
    }
    if (typeof eachBatch === "function") {
      copy.eachBatch = wrapEachBatch(eachBatch as Method, group);
    }
    return run.apply(consumer, [copy, ...rest]);
  });
}

/**
 * Runs `body` in the context of one message of a batch, with a span of its own. For `eachBatch`,
 * where only the handler knows which message it is working on.
 *
 * @returns what `body` returns; what it throws passes unchanged
 */
export function withMessage<R>(message: IncomingMessage, body: () => R): R {
  const origin = origins.get(message) ?? { topic: "", partition: -1, group: undefined };
  const begun = attempt(() => beginMessage(message, origin));
  if (begun === undefined) return body();
  return settle({ span: begun.span, body: () => runIn(begun.context, body) }) as R;
}

function wrapEachMessage(eachMessage: Method, group: string | undefined): Method {
  return (...args) => {
    const begun = attempt(() => {
      const { topic, partition, message } = args[0] as EachMessagePayload;
      return beginMessage(message, { topic, partition, group });
    });
    if (begun === undefined) return eachMessage(...args);
    const { span, context } = begun;
    return settle({ span, body: () => runIn(context, () => eachMessage(...args)) });
  };
}

function wrapEachBatch(eachBatch: Method, group: string | undefined): Method {
  return (...args) => {
    const begun = attempt(() => beginBatch(args[0] as EachBatchPayload, group));
    if (begun === undefined) return eachBatch(...args);
    const { span, context } = begun;
    return settle({ span, body: () => runIn(context, () => eachBatch(...args)) });
  };
}

interface Begun {
  readonly span: RecordedSpan | undefined;
  readonly context: TransactionContext;
}

function beginMessage(message: IncomingMessage, origin: Origin): Begun {
  const headers = readHeaders(message.headers);
  const { transaction, baggage } = findInboundTransaction(headers, true);
  const span = findTracer()?.start({
    name: `process ${origin.topic}`.trim(),
    kind: KIND_CONSUMER,
    parent: remoteOf(headers),
    transaction,
  });
  if (span?.isRecording() === true) {
    describe(span, origin, "process");
    if (message.offset !== undefined) {
      span.addAttribute(SEMANTIC.messagingKafkaOffset, Number(message.offset));
    }
    const waitMs = Date.now() - Number(message.timestamp);
    // Clocks of two machines differ: a message from the future has waited for no time.
    if (!Number.isNaN(waitMs)) span.addAttribute(ATTRIBUTE.queueWaitMs, Math.max(0, waitMs));
  }
  return { span, context: new TransactionContext({ transaction, span, baggage }) };
}

/** The batch's own span belongs to no transaction; it links to those its messages came from. */
function beginBatch(payload: EachBatchPayload, group: string | undefined): Begun {
  const { topic, partition, messages } = payload.batch;
  const origin = { topic, partition, group };
  const span = findTracer()?.start({
    name: `receive ${topic}`,
    kind: KIND_CONSUMER,
    parent: undefined,
    transaction: undefined,
  });
  for (const message of messages) origins.set(message, origin);
  if (span?.isRecording() === true) {
    describe(span, origin, "receive");
    span.addAttribute(SEMANTIC.messagingBatchCount, messages.length);
    for (const message of messages.slice(0, LINKS_MAX)) {
      const remote = remoteOf(readHeaders(message.headers));
      if (remote !== undefined) span.addLink({ context: remote });
    }
  }
  return { span, context: activeContext().with({ transaction: undefined, span }) };
}

function describe(span: RecordedSpan, origin: Origin, operation: "process" | "receive"): void {
  span.addAttribute(SEMANTIC.messagingSystem, "kafka");
  span.addAttribute(SEMANTIC.messagingOperation, operation);
  span.addAttribute(SEMANTIC.messagingOperationType, operation);
  span.addAttribute(SEMANTIC.messagingDestination, origin.topic);
  span.addAttribute(SEMANTIC.messagingPartition, String(origin.partition));
  if (origin.group !== undefined) {
    span.addAttribute(SEMANTIC.messagingConsumerGroup, origin.group);
  }
}

function remoteOf(headers: Record<string, string>): SpanContext | undefined {
  return findSpanContext(headers[HEADER.traceparent], headers[HEADER.tracestate]);
}

/** Our own preparation must never keep a message from its handler. */
function attempt(begin: () => Begun): Begun | undefined {
  try {
    return begin();
  } catch (error) {
    countFault("kafka-consumer", error);
    return undefined;
  }
}
